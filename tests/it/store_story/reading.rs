//! What is read back: lists, announcements, settings, sessions.

use super::*;

told_to_both!(
    registrations_are_listed_and_searched,
    announcements_settings_and_sessions_are_kept
);

async fn registrations_are_listed_and_searched(stage: Stage) {
    let event = stage.event("gala", Some(3), true).await;
    let person = |name: &str, email: &str| {
        Command::Register(Applicant {
            name: Name::parse(name).unwrap(),
            email: Email::parse(email).unwrap(),
            key: None,
            secret: Secret::draw(),
        })
    };
    let people = vec![
        person("Ada Lovelace", "ada@example.org"),
        person("Özgür Çelik", "oz@example.com"),
        person("100% Bob", "bob_1@example.org"),
        person("王小明", "Ming@Example.COM"),
        person("Ünal", "unal@example.net"),
    ];
    let commit = stage.commit(event.id, people).await;
    assert!(commit.decisions.iter().all(Result::is_ok));
    let all = Filter {
        round: 1,
        limit: 100,
        ..Filter::default()
    };
    let list = async |filter: Filter| -> Vec<(u32, Option<u32>)> {
        let rows = stage.store.registrations(event.id, &filter).await.unwrap();
        rows.iter()
            .map(|row| (row.registration.locator.number, row.waiting_position))
            .collect()
    };
    assert_eq!(
        list(all.clone()).await,
        [(1, None), (2, None), (3, None), (4, Some(1)), (5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            after: 1,
            limit: 2,
            ..all.clone()
        })
        .await,
        [(2, None), (3, None)]
    );
    assert_eq!(
        list(Filter {
            after: 4,
            ..all.clone()
        })
        .await,
        [(5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            status: Some(Status::Waiting),
            ..all.clone()
        })
        .await,
        [(4, Some(1)), (5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            round: 2,
            ..all.clone()
        })
        .await,
        []
    );
    for (query, numbers) in [
        ("LOVE", vec![1]),
        ("example.org", vec![1, 3]),
        ("EXAMPLE.com", vec![2, 4]),
        ("özgür", vec![2]),
        ("ÖZGÜR", vec![2]),
        ("ünal", vec![5]),
        ("小明", vec![4]),
        ("%", vec![3]),
        ("_", vec![3]),
        ("0% b", vec![3]),
        ("!", vec![]),
        ("\\", vec![]),
        ("'; DROP TABLE registrations; --", vec![]),
        ("\0", vec![]),
        ("", vec![1, 2, 3, 4, 5]),
    ] {
        let found = list(Filter {
            query: Some(query.to_owned()),
            ..all.clone()
        })
        .await;
        assert_eq!(
            found.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            numbers,
            "{query:?}"
        );
    }
}

async fn announcements_settings_and_sessions_are_kept(stage: Stage) {
    let store = &stage.store;
    let now = Timestamp::from_millis(NOON);
    let event = stage.event("gala", None, false).await;
    assert_eq!(store.announcement(event.id).await.unwrap(), None);
    let first = store
        .announce(event.id, "Doors open at eight", "console", now)
        .await
        .unwrap()
        .unwrap();
    let second = store
        .announce(event.id, "Nine, sorry", "console", now)
        .await
        .unwrap()
        .unwrap();
    assert!(second.id > first.id);
    assert_eq!(
        store.announcement(event.id).await.unwrap(),
        Some(second.clone())
    );
    // An announcement is no change of the count, and a change keeps it.
    stage.registers(event.id, "ada").await;
    let marks = store.marks().await.unwrap();
    assert_eq!(
        marks
            .iter()
            .map(|mark| (mark.event, mark.revision, mark.announcement))
            .collect::<Vec<_>>(),
        [(event.id, 2, second.id)]
    );
    let audit = store.audit(&event.slug, None, 10).await.unwrap();
    assert_eq!(
        audit
            .iter()
            .map(|(_, entry)| entry.action.as_str())
            .collect::<Vec<_>>(),
        ["announce", "announce", "create"]
    );
    assert_eq!(audit[0].1.after["text"], "Nine, sorry");
    let older = store.audit(&event.slug, Some(audit[0].0), 1).await.unwrap();
    assert_eq!(older[0], audit[1]);

    assert_eq!(store.setting("password").await.unwrap(), None);
    assert_eq!(
        store.setting_or_insert("password", "one").await.unwrap(),
        "one"
    );
    assert_eq!(
        store.setting_or_insert("password", "two").await.unwrap(),
        "one"
    );
    store.set_setting("password", "three").await.unwrap();
    assert_eq!(
        store.setting("password").await.unwrap().as_deref(),
        Some("three")
    );

    let later = Timestamp::from_millis(NOON + 1000);
    store.create_session("a", later, now).await.unwrap();
    assert_eq!(store.session("a").await.unwrap(), Some(later));
    store.delete_session("a").await.unwrap();
    assert_eq!(store.session("a").await.unwrap(), None);
    store.create_session("b", later, now).await.unwrap();
    store
        .create_session("c", Timestamp::from_millis(NOON + 2000), later)
        .await
        .unwrap();
    assert_eq!(
        store.session("b").await.unwrap(),
        None,
        "expired, and forgotten"
    );
}
