//! What is kept beside registrations: announcements, settings, sessions, claims of forms.

use std::time::Duration;

use headcount::domain::access::Role;
use headcount::domain::account::{Handle, OWNER};
use headcount::domain::announcement::{NewAnnouncement, SHOWN_FOR};
use headcount::store::{Claim, NewSession, Stored};

use super::*;

both_databases!(
    announcements_settings_and_sessions_are_kept,
    a_session_begins_only_with_the_password_that_is_stored,
    an_announcement_ends_at_its_time,
    a_form_is_claimed_once_until_its_claim_is_given_back,
);

async fn announcements_settings_and_sessions_are_kept(stage: Stage) {
    let store = &stage.store;
    let now = Timestamp::from_millis(NOON);
    let event = stage.event("gala", None, false).await;
    assert_eq!(store.announcement(event.id).await.unwrap(), None);
    let first = store
        .announce(
            event.id,
            &NewAnnouncement::new("Doors open at eight"),
            "console",
            now,
        )
        .await
        .unwrap()
        .unwrap();
    let second = store
        .announce(
            event.id,
            &NewAnnouncement::new("Nine, sorry"),
            "console",
            now,
        )
        .await
        .unwrap()
        .unwrap();
    assert!(second.id > first.id);
    assert_eq!(second.ends_at, now.plus(SHOWN_FOR));
    assert_eq!(
        store.announcement(event.id).await.unwrap(),
        Some(second.clone())
    );
    // An announcement does not change the count, and a change keeps the announcement.
    stage.registers(event.id, "ada").await;
    let heads = store.heads().await.unwrap();
    assert_eq!(
        heads
            .iter()
            .map(|head| (head.event, head.revision, head.announcement))
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
    let session = |digest, expires_at| NewSession {
        digest,
        account: OWNER,
        password: "a hash",
        agent: "Browser",
        expires_at,
    };
    store
        .create_session(&session("a", later), now)
        .await
        .unwrap();
    let found = store.session(["none", "a"]).await.unwrap().unwrap();
    assert_eq!(
        (found.expires_at, found.role, found.name.as_str()),
        (later, Role::Owner, "owner")
    );
    store.delete_session("a").await.unwrap();
    assert_eq!(store.session(["a", "none"]).await.unwrap(), None);
    store
        .create_session(&session("b", later), now)
        .await
        .unwrap();
    let latest = Timestamp::from_millis(NOON + 2000);
    store
        .create_session(&session("c", latest), later)
        .await
        .unwrap();
    assert_eq!(
        store.session(["b", "b"]).await.unwrap(),
        None,
        "expired, and forgotten"
    );
}

async fn a_session_begins_only_with_the_password_that_is_stored(stage: Stage) {
    let (store, now) = (&stage.store, Timestamp::from_millis(NOON));
    let later = now.plus(Duration::from_hours(1));
    let ada = Handle::parse("ada").unwrap();
    let made = store.create_account(&ada, Role::Viewer, ("link", later), &Actor::Owner, now);
    let Stored::Done(id) = made.await.unwrap() else {
        panic!("a new name");
    };
    let session = |digest, password| NewSession {
        digest,
        account: id,
        password,
        agent: "",
        expires_at: later,
    };
    let begin = async |digest, password| {
        let new = session(digest, password);
        let began = store.create_session(&new, now).await.unwrap();
        let found = store.session([digest, digest]).await.unwrap();
        assert_eq!(began, found.is_some());
        began
    };
    assert!(!begin("none", "").await, "no password yet");
    let set = async |link: &str, password: &str| {
        store
            .set_account_password(link, password, now)
            .await
            .unwrap()
    };
    assert_eq!(set("link", "old").await, Some(id));
    assert!(begin("first", "old").await);
    store
        .set_account_link(id, ("next", later), &Actor::Owner, now)
        .await
        .unwrap();
    assert_eq!(set("next", "new").await, Some(id));
    assert_eq!(store.session(["first", "first"]).await.unwrap(), None);
    assert!(!begin("late", "old").await, "it was checked before");
    assert!(begin("second", "new").await);
    store
        .set_account_link(id, ("open", later), &Actor::Owner, now)
        .await
        .unwrap();
    for passwords in [("new", "own"), ("own", "new")] {
        let changed = store.change_account_password(id, passwords, "second", now);
        assert!(changed.await.unwrap());
    }
    assert_eq!(set("open", "theirs").await, None, "a link from before");

    // Whichever comes first, no session with the old password is left.
    for round in 0..20 {
        let [old, new, link] = ["new", "hash", "link"].map(|word| match (word, round) {
            ("new", 0) => "new".to_owned(),
            ("new", n) => format!("hash {}", n - 1),
            (word, n) => format!("{word} {n}"),
        });
        store
            .set_account_link(id, (&link, later), &Actor::Owner, now)
            .await
            .unwrap();
        let digest = format!("race {round}");
        let race = NewSession {
            digest: &digest,
            account: id,
            password: &old,
            agent: "",
            expires_at: later,
        };
        let began = store.create_session(&race, now);
        let (began, set) = tokio::join!(began, store.set_account_password(&link, &new, now));
        began.unwrap();
        assert_eq!(set.unwrap(), Some(id));
        let left = store.session([&digest, &digest]).await.unwrap();
        assert_eq!(left, None, "round {round}");
    }
    assert!(store.delete_account(id, &Actor::Owner, now).await.unwrap());
    assert!(!begin("gone", "hash 19").await);
}

async fn an_announcement_ends_at_its_time(stage: Stage) {
    let (store, now) = (&stage.store, Timestamp::from_millis(NOON));
    let event = stage.event("gala", None, false).await;
    let until = now.plus(Duration::from_mins(1));
    let short = NewAnnouncement {
        ends_at: Some(until),
        ..NewAnnouncement::new("Soon over")
    };
    for (new, ends_at) in [(short, until), (NewAnnouncement::withdrawal(), now)] {
        let made = store
            .announce(event.id, &new, "console", now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&made.text, made.ends_at), (&new.text, ends_at));
        assert_eq!(store.announcement(event.id).await.unwrap(), Some(made));
    }
    let actions: Vec<String> = store
        .audit(&event.slug, None, 2)
        .await
        .unwrap()
        .into_iter()
        .map(|(_, entry)| entry.action)
        .collect();
    assert_eq!(actions, ["withdraw", "announce"]);
}

async fn a_form_is_claimed_once_until_its_claim_is_given_back(stage: Stage) {
    let (store, now) = (&stage.store, Timestamp::from_millis(NOON));
    let claim = async |at| store.claim_form("k1", at).await.unwrap();
    assert_eq!(claim(now).await, Claim::First);
    assert_eq!(claim(now).await, Claim::Pending);
    store.release_form("k1").await.unwrap();
    assert_eq!(claim(now).await, Claim::First);
    store
        .finish_form("k1", "/admin?done=created")
        .await
        .unwrap();
    let done = Claim::Done("/admin?done=created".to_owned());
    assert_eq!(claim(now).await, done);
    assert_eq!(claim(now.plus(Duration::from_mins(59))).await, done);
    assert_eq!(claim(now.plus(Duration::from_mins(61))).await, Claim::First);
    // Of many at once, on any number of connections, exactly one is the first.
    let claims = (0..8).map(|_| store.claim_form("k2", now));
    let claims = futures_util::future::join_all(claims).await;
    let first = claims.into_iter().map(Result::unwrap);
    assert_eq!(first.filter(|claim| *claim == Claim::First).count(), 1);
}
