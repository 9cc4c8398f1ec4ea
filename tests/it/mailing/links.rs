//! Links in mails: they prove an address, and are mailed again to those who lost them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_proven_by_the_mailed_link_alone() {
    for database in [Database::Sqlite, Database::Postgres] {
        let stage = Stage::new(database, &[]).await;
        stage.event("gala", json!({})).await;
        let own = stage.registers("gala", "ada").await;
        let own = own["token"].as_str().unwrap();
        let mailed = stage.mailbox.wait(1).await[0].token();
        assert_ne!(mailed, own);
        stage.opens(own).await;
        assert_eq!(stage.row("gala", 1).await["email_proven"], false);
        let forged = format!("{}x", &mailed[..mailed.len() - 1]);
        assert_eq!(stage.app.get(&format!("/r/{forged}")).await.status, 404);
        let path = format!("/api/v1/registrations/{mailed}");
        // A program that only checks links.
        let mut checker = crate::server::wire::Wire::connect(stage.app.address()).await;
        checker
            .send(format!("HEAD {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
            .await;
        assert!(checker.head().await.starts_with("http/1.1 200"));
        assert_eq!(stage.row("gala", 1).await["email_proven"], false);
        let read = stage.app.get(&path).await;
        assert_eq!((read.status, &read.json()["number"]), (200, &json!(1)));
        assert_eq!(stage.row("gala", 1).await["email_proven"], true);
        // From now on a mail may say the name.
        stage.ask_link("gala", "ada@example.org").await;
        let mails = stage.mailbox.wait(2).await;
        assert!(!mails[0].raw.contains("Name of ada"), "{}", mails[0].raw);
        let text = mails[1].parsed().part("text/plain").unwrap();
        assert!(text.contains("Hello Name of ada,"), "{text}");
        // The mailed link does all that the other does.
        let cancelled = stage.app.call("DELETE", &path, &[], "").await;
        assert_eq!(cancelled.json()["status"], "cancelled");
        // Whoever registers the address again has proven nothing, and it had its mail of the day.
        stage.registers("gala", "ada").await;
        stage.waits_for("gala", "1 not sent").await;
        stage.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_link_is_mailed_once_in_ten_minutes_and_the_answer_tells_nothing() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({ "mails": ["link"] })).await;
    stage.registers("gala", "ada").await;
    let known = stage.ask_link("gala", " ADA@example.org ").await;
    let unknown = stage.ask_link("gala", "eve@example.org").await;
    assert_eq!((known.status, known.body.as_str()), (202, "{}"));
    assert_eq!((unknown.status, unknown.body.as_str()), (202, "{}"));
    let names = |answer: &Answer| {
        let lines = answer.head.lines().skip(1);
        lines
            .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&known), names(&unknown));
    let mails = stage.mailbox.wait(1).await;
    assert_eq!(mails[0].to, "ada@example.org");
    stage.opens(&mails[0].token()).await;
    stage.ask_link("gala", "ada@example.org").await;
    // Another event, whose mail comes after whatever the request before would have caused.
    stage.event("hall", json!({ "mails": ["link"] })).await;
    stage.registers("hall", "ada").await;
    stage.ask_link("hall", "ada@example.org").await;
    let mails = stage.mailbox.wait(2).await;
    assert!(
        mails[1].parsed().header("subject").ends_with("hall"),
        "{mails:#?}"
    );
    stage.pass(1);
    stage.ask_link("gala", "ada@example.org").await;
    let mails = stage.mailbox.wait(3).await;
    assert_eq!(mails.len(), 3);
    let subject = mails[2].parsed();
    assert_eq!(subject.header("subject"), "Your link: gala");
    for (email, status) in [("nobody", 422), ("", 422)] {
        assert_eq!(
            stage.ask_link("gala", email).await.status,
            status,
            "{email:?}"
        );
    }
    assert_eq!(
        stage.ask_link("nowhere", "ada@example.org").await.status,
        404
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_ends_mails_to_everybody() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({})).await;
    stage.registers("gala", "ada").await;
    stage.registers("gala", "bob").await;
    let mails = stage.mailbox.wait(2).await;
    for mail in &mails {
        stage.opens(&mail.token()).await;
    }
    let news = |text: &str| json!({ "text": text, "mail": true });
    let path = "/api/v1/events/gala/announcements";
    stage.app.organise("POST", path, &news("First")).await;
    let mails = stage.mailbox.wait(4).await;
    let ada = mails[2..]
        .iter()
        .find(|mail| mail.to == "ada@example.org")
        .unwrap();
    let parsed = ada.parsed();
    let link = parsed.header("list-unsubscribe");
    let link = link
        .trim_matches(['<', '>'])
        .strip_prefix(PUBLIC)
        .unwrap()
        .to_owned();
    // A scanner that follows it changes nothing.
    assert_eq!(stage.app.get(&link).await.status, 200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let clicked = stage
        .app
        .call("POST", &link, &form, "List-Unsubscribe=One-Click")
        .await;
    assert!([200, 303].contains(&clicked.status), "{}", clicked.head);
    stage.app.organise("POST", path, &news("Second")).await;
    // Ada still hears what concerns her place alone.
    stage.ask_link("gala", "ada@example.org").await;
    let mails = stage.mailbox.wait(6).await;
    let mut late: Vec<_> = mails[4..]
        .iter()
        .map(|mail| (mail.to.clone(), mail.parsed().header("subject").to_owned()))
        .collect();
    late.sort();
    assert_eq!(
        late,
        [
            ("ada@example.org".to_owned(), "Your link: gala".to_owned()),
            ("bob@example.org".to_owned(), "News about gala".to_owned()),
        ]
    );
    stage.app.stop().await;
}
