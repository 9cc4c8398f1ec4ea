//! What a viewer sees of the console, and what not.

use serde_json::json;

use super::super::support::app::App;
use super::Browser;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_sees_no_address_and_no_button_they_cannot_use() {
    let app = App::sqlite().await;
    app.event("gala", 10).await;
    app.register("gala", "Ada Lovelace", "ada@example.org")
        .await;
    let new = json!({ "name": "eve", "role": "viewer" });
    let made = app.organise("POST", "/api/v1/accounts", &new).await.json();
    let link = made["link"].as_str().unwrap();
    let path = &link[link.find("/admin/").unwrap()..];
    let mut eve = Browser::new(&app);
    assert!(eve.get(path).await.body.contains("eve"));
    let entered = eve.post(path, "password=correct+horse").await;
    assert_eq!(entered.status, 303, "{}", entered.body);

    let people = eve.get("/admin/events/gala/people").await;
    assert!(people.body.contains("Ada Lovelace"), "{}", people.body);
    assert!(!people.body.contains("ada@example.org"));
    for hidden in [
        "/add\"",
        "/import\"",
        "/cancel\"",
        "/erase\"",
        "/settings\"",
        "/form\"",
    ] {
        let action = format!("/admin/events/gala{hidden}");
        assert!(!people.body.contains(&action), "{hidden}");
    }
    let found = eve
        .get("/admin/events/gala/people?q=ada%40example.org")
        .await;
    assert!(!found.body.contains("Ada Lovelace"), "found by the address");
    let dashboard = eve.get("/admin/events/gala").await;
    assert_eq!(dashboard.status, 200);
    assert!(!dashboard.body.contains("/admin/events/gala/capacity"));
    assert!(
        !eve.get("/admin")
            .await
            .body
            .contains("action=\"/admin/events\"")
    );
    for refused in ["settings", "add", "import"] {
        let page = eve.get(&format!("/admin/events/gala/{refused}")).await;
        assert_eq!(page.status, 403, "{refused}");
    }
    for page in ["door", "share", "audit"] {
        let page = eve.get(&format!("/admin/events/gala/{page}")).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("ada@example.org"));
    }
    app.stop().await;
}
