//! The console's sign-in page.

use super::*;

/// Password managers store a password under a user name; people see only the password field.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn password_managers_find_a_user_name_that_people_do_not_see() {
    let app = App::sqlite().await;
    let page = Browser::new(&app).get("/admin/login").await.body;
    let fields: Vec<_> = page
        .split("<input ")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|field| field.contains("autocomplete="))
        .collect();
    let [name, password] = fields.as_slice() else {
        panic!("{fields:?}")
    };
    assert!(
        name.contains("autocomplete=\"username\"")
            && name.contains("type=\"text\"")
            && name.contains("value=\"organiser\""),
        "{name}"
    );
    assert!(
        name.trim_end_matches('/').ends_with(" readonly hidden"),
        "neither shown nor read out nor reached by a key: {name}"
    );
    assert!(!name.contains(" name="), "it is not sent: {name}");
    assert!(
        password.contains("autocomplete=\"current-password\"")
            && password.contains("type=\"password\""),
        "{password}"
    );
    app.stop().await;
}
