//! Every kind of mail, as another program reads it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_mail_arrives_and_another_program_reads_it() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    let gala = json!({
        "title": "Frühlingsfest & <Gala>", "capacity": 1, "waitlist": true,
        "starts_at": "2026-12-12T19:00:00+01:00", "time_zone": "Europe/Berlin", "location": "Town hall",
        "online_url": "https://meet.example.org/room",
    });
    stage.event("gala", gala).await;
    let ada = stage.registers("gala", "ada").await;
    let bob = stage.registers("gala", "bob").await;
    let mails = stage.mailbox.wait(2).await;
    // Both prove their addresses, so that a day has room for more than one mail.
    for mail in &mails {
        stage.opens(&mail.token()).await;
    }
    let id = ada["id"].as_str().unwrap();
    let path = format!("/api/v1/events/gala/registrations/{id}");
    stage.app.organise("DELETE", &path, &Value::Null).await;
    stage.mailbox.wait(4).await;
    stage.edit("gala", json!({ "location": "Castle" })).await;
    stage.mailbox.wait(5).await;
    let announcement = json!({ "text": "Bring a <coat>", "mail": true });
    let path = "/api/v1/events/gala/announcements";
    assert_eq!(
        stage.app.organise("POST", path, &announcement).await.status,
        201
    );
    stage.mailbox.wait(6).await;
    assert_eq!(stage.ask_link("gala", "Bob@example.org").await.status, 202);
    let mails = stage.mailbox.wait(7).await;
    let expected = [
        ("ada", "You have a place", true),
        ("bob", "You are on the waiting list", false),
        ("ada", "Your registration is cancelled", true),
        ("bob", "You now have a place", true),
        ("bob", "New time or location", true),
        ("bob", "News about", false),
        ("bob", "Your link", false),
    ];
    let mut ids = Vec::new();
    for (who, subject, calendar) in expected {
        let read = mails
            .iter()
            .filter(|mail| mail.to == format!("{who}@example.org"));
        let mut read = read.map(|mail| (mail, mail.parsed()));
        let found = read.find(|(_, parsed)| parsed.header("subject").starts_with(subject));
        let (mail, parsed) = found.unwrap_or_else(|| panic!("{who}: {subject}"));
        assert_eq!(parsed.defects(), &json!([]), "{}", mail.raw);
        assert!(
            parsed.header("subject").ends_with("Frühlingsfest & <Gala>"),
            "{subject}"
        );
        // RFC 5322, 3.6: exactly one of each.
        for name in ["from", "date", "message-id", "to"] {
            assert!(!parsed.header(name).is_empty(), "{name}");
        }
        assert_eq!(
            parsed.header("to"),
            mail.to,
            "no name, which comes from the form"
        );
        ids.push(parsed.header("message-id").to_owned());
        // RFC 3834, section 5.
        assert_eq!(parsed.header("auto-submitted"), "auto-generated");
        assert!(mail.raw.is_ascii(), "every server takes it");
        assert!(mail.raw.split("\r\n").all(|line| line.len() <= 998));
        let mut types = vec!["multipart/alternative", "text/plain", "text/html"];
        if calendar {
            types.insert(0, "multipart/mixed");
            types.push("text/calendar");
            let file = parsed.part("text/calendar").unwrap();
            assert!(
                file.starts_with("BEGIN:VCALENDAR\r\n") || file.starts_with("BEGIN:VCALENDAR\n")
            );
        }
        assert_eq!(parsed.types(), types, "{subject}");
        let everybody = ["New time", "News about"]
            .iter()
            .any(|kind| subject.starts_with(kind));
        // RFC 8058, section 3.1.
        let click: &[&str] = if everybody {
            &["List-Unsubscribe=One-Click"]
        } else {
            &[]
        };
        assert_eq!(parsed.headers("list-unsubscribe-post"), click, "{subject}");
        for list in parsed.headers("list-unsubscribe") {
            assert!(
                list.starts_with(&format!("<{PUBLIC}/r/")) && list.ends_with("/unsubscribe>"),
                "{list}"
            );
        }
        let html = parsed.part("text/html").unwrap();
        assert!(
            html.contains("&#60;Gala&#62;") && !html.contains("<coat>"),
            "{html}"
        );
        let text = parsed.part("text/plain").unwrap();
        assert!(text.contains("Sat 12 Dec 2026, 19:00 CET"), "{text}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), expected.len(), "each mail has an id of its own");
    let bobs = bob["token"].as_str().unwrap();
    assert!(
        mails.iter().all(|mail| !mail.raw.contains(bobs)),
        "mails have links of their own"
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_the_language_in_which_they_registered() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({})).await;
    let body = json!({ "name": "李雷", "email": "li@example.org" }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("accept-language", "zh-CN,zh;q=0.9"),
    ];
    let path = "/api/v1/events/gala/registrations";
    assert_eq!(
        stage.app.call("POST", path, &headers, &body).await.status,
        201
    );
    let parsed = stage.mailbox.wait(1).await[0].parsed();
    assert_eq!(parsed.header("subject"), "报名成功：gala");
    let text = parsed.part("text/plain").unwrap();
    assert!(text.contains("您已报名成功"));
    assert!(
        text.contains("查看我的报名：") && text.contains("报名：1 号") && !text.contains(": "),
        "{text}"
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_sends_the_kinds_that_are_switched_on() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage
        .event("gala", json!({ "mails": ["link", "cancelled"] }))
        .await;
    let details = stage.app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["mails"], json!(["cancelled", "link"]));
    assert_eq!(details["remind_hours_before"], Value::Null);
    let ada = stage.registers("gala", "ada").await;
    let path = format!(
        "/api/v1/events/gala/registrations/{}",
        ada["id"].as_str().unwrap()
    );
    stage.app.organise("DELETE", &path, &Value::Null).await;
    let mails = stage.mailbox.wait(1).await;
    assert!(
        mails[0]
            .parsed()
            .header("subject")
            .starts_with("Your registration is cancelled")
    );
    let mail = json!({ "text": "Doors", "mail": true });
    let refused = stage
        .app
        .organise("POST", "/api/v1/events/gala/announcements", &mail)
        .await;
    assert_eq!(refused.json()["errors"][0]["field"], "mail");
    for (wrong, field) in [
        (json!({ "mails": ["spam"] }), "mails"),
        (json!({ "mails": true }), "mails"),
        (json!({ "remind_hours_before": 0 }), "remind_hours_before"),
        (json!({ "remind_hours_before": 721 }), "remind_hours_before"),
        (
            json!({ "remind_hours_before": "24" }),
            "remind_hours_before",
        ),
    ] {
        let answer = stage
            .app
            .organise("PATCH", "/api/v1/events/gala", &wrong)
            .await;
        assert_eq!(answer.json()["errors"][0]["field"], field, "{wrong}");
    }
    stage
        .edit("gala", json!({ "remind_hours_before": 24, "mails": [] }))
        .await;
    let details = stage.app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["mails"], json!([]));
    assert_eq!(details["remind_hours_before"], 24);
    stage.app.stop().await;
}
