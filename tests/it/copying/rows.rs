//! A database with rows of every kind, and the rows of any database as text.

use std::sync::Arc;

use headcount::domain::access::{Role, Scope, Scopes};
use headcount::domain::account::{Handle, NewToken};
use headcount::domain::announcement::NewAnnouncement;
use headcount::domain::audit::Actor;
use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::{Answer, Applicant, Command};
use headcount::domain::event::{Capacity, Edit, Event, EventId, NewEvent, PartySize, Slug};
use headcount::domain::language::Language;
use headcount::domain::occasion::{Occasion, OnlineUrl};
use headcount::domain::outbox::{Channel, MailKind, NewRow};
use headcount::domain::person::{Email, Name};
use headcount::domain::proof_of_work::ProofOfWork;
use headcount::domain::questions::{Question, Questions, Unanswered};
use headcount::domain::registration::{IdempotencyKey, Locator, Registration, Secret};
use headcount::domain::visibility::Visibility;
use headcount::domain::webhook::{Format, Settings, SigningSecret, Target, Topics};
use headcount::domain::zone::Zone;
use headcount::store::outbox::{Finish, Want};
use headcount::store::{DatabaseUrl, NewSession, Store, Stored};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, query_scalar};

pub(crate) const NOON: i64 = 1_795_251_600_000;
/// Not copied: who is signed in, who watches, which proofs were used, the keys of TLS tickets, and what the migrations did on that kind
/// of database.
const LEFT_OUT: [&str; 5] = [
    "sessions",
    "watching",
    "proofs",
    "ticket_keys",
    "_sqlx_migrations",
];

/// Every row of every table that is copied, as `table {…}`, written the same for both databases.
pub(crate) async fn dump(url: &DatabaseUrl) -> Vec<String> {
    let mut lines = Vec::new();
    match url {
        DatabaseUrl::Sqlite(options) => {
            let mut connection = options.connect().await.unwrap();
            let tables: Vec<String> = query_scalar(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )
            .fetch_all(&mut connection)
            .await
            .unwrap();
            for table in tables
                .iter()
                .filter(|table| !LEFT_OUT.contains(&table.as_str()))
            {
                let columns: Vec<String> = query_scalar("SELECT name FROM pragma_table_info($1)")
                    .bind(table)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                let values = columns
                    .iter()
                    .map(|column| format!("'{column}', \"{column}\""))
                    .collect::<Vec<_>>()
                    .join(", ");
                let rows: Vec<String> = query_scalar(AssertSqlSafe(format!(
                    "SELECT json_object({values}) FROM {table}"
                )))
                .fetch_all(&mut connection)
                .await
                .unwrap();
                lines.extend(rows.iter().map(|row| line(table, row)));
            }
        }
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.unwrap();
            let tables: Vec<String> = query_scalar(
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
            )
            .fetch_all(&mut connection)
            .await
            .unwrap();
            for table in tables
                .iter()
                .filter(|table| !LEFT_OUT.contains(&table.as_str()))
            {
                let rows: Vec<String> = query_scalar(AssertSqlSafe(format!(
                    "SELECT to_jsonb({table})::text FROM {table}"
                )))
                .fetch_all(&mut connection)
                .await
                .unwrap();
                lines.extend(rows.iter().map(|row| line(table, row)));
            }
        }
    }
    lines.sort_unstable();
    lines
}

fn line(table: &str, row: &str) -> String {
    let mut row: Value = serde_json::from_str(row).unwrap();
    for (name, value) in row.as_object_mut().unwrap() {
        if let Some(flag) = value.as_bool() {
            *value = json!(i64::from(flag));
        }
        if let ("audit", "before" | "after", Some(text)) = (table, name.as_str(), value.as_str()) {
            *value = serde_json::from_str(text).unwrap();
        }
    }
    format!("{table} {row}")
}

pub(crate) fn new_event(slug: &str, capacity: Option<i64>) -> NewEvent {
    let capacity = capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(places).unwrap()
    });
    let slug = Slug::parse(slug).unwrap();
    NewEvent {
        max_party_size: PartySize::parse("max_party_size", 3).unwrap(),
        description: "'quotes' \"and\"\n{lines}, \\ and , too".to_owned(),
        waitlist: true,
        closes_at: Some(Timestamp::from_millis(NOON * 2)),
        proof_of_work: ProofOfWork::Auto,
        occasion: Occasion {
            starts_at: Some(Timestamp::from_millis(NOON)),
            ends_at: Some(Timestamp::from_millis(NOON * 2)),
            time_zone: Zone::parse("Asia/Shanghai").unwrap(),
            location: "大厅 · Hall".to_owned(),
            online_url: OnlineUrl::parse("https://example.org/?a=b").unwrap(),
            contact: "ada@example.org".to_owned(),
        },
        questions: questions(),
        public_chart: true,
        visibility: Visibility::Unlisted,
        ..NewEvent::new(slug, "Ünïcode · 春日晚会 🌸", capacity)
    }
}

fn questions() -> Vec<Question> {
    let asked =
        json!([{ "key": "note", "label": "Anything, \"else\"? 还有吗", "kind": "long-text" }]);
    Questions::parse(&asked).unwrap()
}

/// People with a key answer the question.
pub(crate) fn register(person: &str, key: Option<&str>) -> Command {
    // One party of three, so that its column holds more than its default.
    let people = if person == "guest-0-0" { 3 } else { 1 };
    let note = key.map(|_| ("note".into(), json!("First\n\"second\" 二 \\")));
    let answers =
        Questions::new(questions()).answered(&note.into_iter().collect(), Unanswered::Refused);
    Command::Register(Applicant {
        party_size: PartySize::parse("party_size", people).unwrap(),
        answers: answers.unwrap(),
        ..Applicant::new(
            Name::parse(&format!("{person} \"Ö'Neill\" 李")).unwrap(),
            Email::parse(&format!("{person}@Example.org")).unwrap(),
            key.map(|key| IdempotencyKey::parse(key).unwrap()),
            Secret::draw(),
        )
    })
}

pub(crate) async fn commit(
    store: &Store,
    event: EventId,
    commands: &[Command],
) -> Vec<Registration> {
    let commit = store.commit(event, commands, &Clock::System).await.unwrap();
    let answers = commit
        .decisions
        .into_iter()
        .map(|decision| decision.expect("not refused"));
    answers
        .filter_map(|answer| {
            if let Answer::Registered { registration, .. } = answer {
                Some(Arc::unwrap_or_clone(registration))
            } else {
                None
            }
        })
        .collect()
}

/// An account with a password and a session, one with a link, and tokens.
async fn organisers(store: &Store, event: EventId, now: Timestamp) {
    let later = Timestamp::from_millis(NOON * 2);
    let [ada, bob] = ["Ada 李", "bob"].map(|name| Handle::parse(name).unwrap());
    for (name, link) in [(&ada, "link a"), (&bob, "link b")] {
        let made = store.create_account(name, Role::Manager, (link, later), &Actor::Owner, now);
        assert!(matches!(made.await.unwrap(), Stored::Done(_)));
    }
    let id = store.set_account_password("link a", "a hash", now);
    let id = id.await.unwrap().expect("the link works");
    let session = NewSession {
        digest: "digest",
        account: id,
        password: "a hash",
        agent: "Browser",
        expires_at: later,
    };
    store.create_session(&session, now).await.unwrap();
    for (digest, event, expires_at) in [("one", Some(event), None), ("every", None, Some(later))] {
        let token = NewToken {
            name: bob.clone(),
            digest: digest.to_owned(),
            scopes: Scopes::default().with(Scope::Read).with(Scope::Register),
            event,
            expires_at,
            created_by: "account:owner".to_owned(),
        };
        let id = store.create_token(&token, now).await.unwrap();
        store.touch_token(id, now).await.unwrap();
    }
}

/// Fills a database with rows of every kind, in some tables more than one chunk. Deletes one event
/// and returns it, so that a key was given and is gone.
pub(crate) async fn filled(url: &DatabaseUrl) -> Event {
    let store = Store::open(url, None).await.unwrap();
    let now = Timestamp::from_millis(NOON);
    let by = Actor::Owner;
    let gala = store
        .create(new_event("gala", Some(2)), "console", now)
        .await
        .unwrap();
    let first = commit(
        &store,
        gala.id,
        &[
            register("ada", Some("键 1")),
            register("bob", None),
            register("cy", None),
            register("dan", Some("k")),
        ],
    )
    .await;
    commit(
        &store,
        gala.id,
        &[Command::Cancel {
            locator: first[0].locator,
            secret: None,
            by: by.clone(),
        }],
    )
    .await;
    commit(
        &store,
        gala.id,
        &[Command::Reset {
            expected: None,
            capacity: Some(Capacity::limited(1).unwrap()),
            by: by.clone(),
        }],
    )
    .await;
    commit(
        &store,
        gala.id,
        &[register("ada", None), register("eve", None)],
    )
    .await;
    // Somebody without an address, whom the organiser added past the capacity.
    let Command::Register(added) = register("walk-in", None) else {
        unreachable!("it registers");
    };
    let added = Command::Add {
        applicant: Applicant {
            email: None,
            ..added
        },
        over_capacity: true,
        by: by.clone(),
    };
    commit(&store, gala.id, &[added]).await;
    let edit = Edit {
        closed: Some(true),
        archived: Some(true),
        ..Edit::default()
    };
    commit(
        &store,
        gala.id,
        &[Command::Edit {
            edit,
            expected: None,
            by: by.clone(),
        }],
    )
    .await;
    for text in ["The bus leaves at six", "No, at seven 🚌"] {
        store
            .announce(gala.id, &NewAnnouncement::new(text), "console", now)
            .await
            .unwrap()
            .unwrap();
    }
    let hall = store
        .create(new_event("hall", None), "token", now)
        .await
        .unwrap();
    for batch in 0..5 {
        let people: Vec<_> = (0..500)
            .map(|n| register(&format!("guest-{batch}-{n}"), None))
            .collect();
        commit(&store, hall.id, &people).await;
    }
    let gone = store
        .create(new_event("gone", Some(1)), "token", now)
        .await
        .unwrap();
    store
        .announce(gone.id, &NewAnnouncement::new("over"), "token", now)
        .await
        .unwrap()
        .unwrap();
    commit(
        &store,
        gone.id,
        &[Command::Delete {
            expected: None,
            confirmed: true,
            by: by.clone(),
        }],
    )
    .await;
    let hook = Settings {
        target: Target::parse("https://hooks.example.org/ü?a='b").unwrap(),
        topics: Topics::parse(["event.full", "registration.created"]).unwrap(),
        event: Some(gala.id),
        format: Format::WeCom,
        language: Language::Chinese,
        active: true,
    };
    let secret = SigningSecret::draw();
    let by = Actor::Owner;
    store
        .create_webhook(&hook, &secret, &by, now)
        .await
        .unwrap();
    store.set_setting("admin_password", "a hash").await.unwrap();
    organisers(&store, hall.id, now).await;
    fill_outbox(&store, hall.id, now).await;
    fill_confirmations(&store, hall.id, now).await;
    store.close().await;
    gone
}

/// Two mails, one of them to an address that is refused for good.
async fn fill_outbox(store: &Store, event: EventId, now: Timestamp) {
    let store = store.clone().with_mail().await.unwrap();
    let mail = |number| {
        let locator = Locator {
            event,
            round: 1,
            number,
        };
        NewRow::mail(
            MailKind::Link,
            locator,
            &format!("{number}@example.org"),
            now,
        )
    };
    store.write_outbox(&[mail(1), mail(2)], now).await.unwrap();
    let want = Want {
        channel: Channel::Mail,
        owner: "node",
        now,
        until: now,
        limit: 1,
        budget: None,
        per_lane: None,
    };
    let claimed = store.claim_outbox(&want).await.unwrap().rows.remove(0);
    let refused = Finish::Failed {
        error: "550 \"no\" 邮箱".to_owned(),
        refused: true,
    };
    store
        .finish_outbox("node", &[(claimed, refused)], now)
        .await
        .unwrap();
}

/// One that waits, and one whose link was opened.
async fn fill_confirmations(store: &Store, event: EventId, now: Timestamp) {
    let later = Timestamp::from_millis(NOON * 2);
    for person in ["waits", "opened"] {
        let Command::Register(applicant) = register(person, Some("k")) else {
            unreachable!("it registers");
        };
        let email = applicant.email.clone().unwrap();
        let mail = |id| NewRow::confirm(id, event, &email, applicant.language, now);
        store
            .ask_to_confirm(event, &applicant, &email, (now, later), mail)
            .await
            .unwrap();
    }
    let made = Locator {
        event,
        round: 1,
        number: 1,
    };
    store.note_confirmed(2, made).await.unwrap();
}
