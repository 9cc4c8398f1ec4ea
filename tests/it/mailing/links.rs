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
        // Registering the address again proves nothing, and it had its mail of the day.
        stage.registers("gala", "ada").await;
        stage.waits_for("gala", "1 not sent").await;
        stage.app.stop().await;
    }
}

/// A person who registers somebody else's address keeps a link that changes the name.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_counts_for_the_words_that_were_there_when_the_link_was_opened() {
    for database in [Database::Sqlite, Database::Postgres] {
        let stage = Stage::new(database, &[]).await;
        stage
            .event("gala", json!({ "mails": ["confirmed", "link"] }))
            .await;
        let own = stage.registers("gala", "ada").await;
        let mailed = stage.mailbox.wait(1).await[0].token();
        stage.opens(&mailed).await;
        let renamed = async |token: &str, name: &str| {
            let path = format!("/api/v1/registrations/{token}");
            let kind = [("content-type", "application/json")];
            let body = json!({ "name": name }).to_string();
            let answer = stage.app.call("PATCH", &path, &kind, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        };
        // The text of the `count`th mail, which has a link again.
        let asks = async |count: usize| {
            stage.pass(1);
            stage.ask_link("gala", "ada@example.org").await;
            let mail = stage.mailbox.wait(count).await[count - 1].parsed();
            let text = mail.part("text/plain").unwrap();
            let html = mail.part("text/html").unwrap();
            format!("{text}{html}")
        };
        let own = own["token"].as_str().unwrap();
        renamed(own, "Pills at spam.example").await;
        let text = asks(2).await;
        assert!(
            !text.contains("spam.example") && !text.contains("Name of ada"),
            "{text}"
        );
        assert_eq!(stage.row("gala", 1).await["email_proven"], true);
        // Seen by the person who reads the mails.
        stage.opens(&mailed).await;
        assert!(asks(3).await.contains("Hello Pills at spam.example,"));
        // Typed by that person.
        renamed(&mailed, "Ada").await;
        assert!(asks(4).await.contains("Hello Ada,"));
        renamed(own, "Pills").await;
        assert!(!asks(5).await.contains("Pills"));
        // Typed by the organiser.
        let path = format!("/api/v1/events/gala/registrations/{}", "1-1-1");
        let list = stage.row("gala", 1).await;
        let path = path.replace("1-1-1", list["id"].as_str().unwrap());
        let edit = json!({ "name": "Ada Lovelace" });
        assert_eq!(stage.app.organise("PATCH", &path, &edit).await.status, 200);
        assert!(asks(6).await.contains("Hello Ada Lovelace,"));
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
