//! The console's sign-in page.

use super::*;

/// Password managers store a password under the account's name. Who has the shared password leaves it
/// empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn password_managers_find_the_accounts_name_and_password() {
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
            && name.contains(" name=\"name\"")
            && !name.contains("required"),
        "{name}"
    );
    assert!(
        password.contains("autocomplete=\"current-password\"")
            && password.contains("type=\"password\""),
        "{password}"
    );
    app.stop().await;
}
