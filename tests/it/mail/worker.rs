//! A worker whose clock is in the test's hand, and a mail server that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::audit::Actor;
use headcount::domain::clock::Clock;
use headcount::domain::command::{Applicant, Command};
use headcount::domain::event::{Capacity, EventId, NewEvent, Slug};
use headcount::domain::outbox::{Channel, Lifetime, Row, RowState};
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::Secret;
use headcount::outbox::mail::{Compose, Letter, Mailer, Pool, Sender, Settings, Subject, Timeouts};
use headcount::outbox::{owner, worker::Worker};
use headcount::store::outbox::{Budget, OutboxFilter};
use headcount::store::{Filter, Store};
use tokio::sync::watch;

use super::smtp::{Smtp, eventually};
use super::{HOUR, NOON};
use crate::support::sqlite::File;

/// A mail that says nothing but its event.
struct Brief;

impl Compose for Brief {
    fn compose(&self, subject: &Subject<'_>) -> Option<Letter> {
        let title = subject
            .event
            .map(|event| event.title.clone())
            .unwrap_or_default();
        Some(Letter {
            subject: title.clone(),
            text: title,
            ..Letter::default()
        })
    }
}

struct Node {
    store: Store,
    clock: Arc<AtomicI64>,
    stop: watch::Sender<bool>,
    _file: File,
}

impl Node {
    /// A worker on a new database. Its mail server must answer a command within a second.
    async fn start(smtp: &Smtp) -> Self {
        let file = File::new();
        let store = Store::open(&file.url(), None).await.unwrap();
        let store = store.with_mail().await.unwrap();
        let clock = Arc::new(AtomicI64::new(NOON));
        let budget = Budget {
            per_event: 1_000,
            total: 1_000,
        };
        let settings = Settings {
            server: smtp.url().parse().unwrap(),
            from: Sender::parse("events@example.org").unwrap(),
            budget,
            public_url: "http://127.0.0.1:8080".to_owned(),
        };
        let pool = Pool::new(&settings).unwrap().with_timeouts(Timeouts {
            step: Duration::from_secs(1),
            // An answer that comes later makes a second copy, also on a busy machine.
            answer: Duration::from_secs(30),
        });
        let mailer = Mailer {
            store: store.clone(),
            clock: Clock::Manual(clock.clone()),
            compose: Arc::new(Brief),
            pool,
        };
        let worker = Worker {
            store: store.clone(),
            clock: Clock::Manual(clock.clone()),
            channel: Channel::Mail,
            deliver: Arc::new(mailer),
            owner: owner(),
            budget: Some(budget),
            in_flight: 4,
            per_lane: None,
            lifetime: Lifetime::MAIL,
        };
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(worker.run(stopping));
        Self {
            store,
            clock,
            stop,
            _file: file,
        }
    }

    /// Lets some seconds pass, and the worker look.
    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::SeqCst);
        self.store.outgoing().wake();
    }

    async fn event(&self, slug: &str) -> EventId {
        let slug = Slug::parse(slug).unwrap();
        let new = NewEvent::new(slug, "Spring gala", Capacity::UNLIMITED);
        let now = Clock::Manual(self.clock.clone()).now();
        self.store.create(new, "console", now).await.unwrap().id
    }

    async fn register(&self, event: EventId, people: &[&str]) {
        let commands: Vec<_> = people
            .iter()
            .map(|person| {
                let email = Email::parse(&format!("{person}@example.org")).unwrap();
                let name = Name::parse(person).unwrap();
                Command::Register(Applicant::new(name, email, None, Secret::draw()))
            })
            .collect();
        let clock = Clock::Manual(self.clock.clone());
        let commit = self.store.commit(event, &commands, &clock).await.unwrap();
        assert!(commit.decisions.iter().all(Result::is_ok));
    }

    async fn rows(&self) -> Vec<Row> {
        let filter = OutboxFilter {
            limit: 1_000,
            ..OutboxFilter::default()
        };
        let mut rows = self.store.outbox(&filter).await.unwrap();
        rows.reverse();
        rows
    }

    /// Waits until no row waits; each look is some seconds later.
    async fn settled(&self, seconds: i64) -> Vec<Row> {
        for _ in 0..1_000 {
            let rows = self.rows().await;
            if rows.iter().all(|row| row.state != RowState::Waiting) {
                return rows;
            }
            self.pass(seconds);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        panic!("rows still wait: {:#?}", self.rows().await);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail_arrives_though_the_server_defers_stalls_and_cuts_the_line() {
    let smtp = Smtp::start(&[]);
    let node = Node::start(&smtp).await;
    let gala = node.event("gala").await;
    let people = ["ada", "later1", "later2", "stall1", "cut1", "cut2", "bob"];
    node.register(gala, &people).await;
    let rows = node.settled(1).await;
    assert!(
        rows.iter().all(|row| row.state == RowState::Sent),
        "{rows:#?}"
    );
    let mut arrived = smtp.recipients();
    arrived.sort_unstable();
    let expected = [
        "ada", "bob", "cut1", "cut1", "cut2", "cut2", "later1", "later2", "stall1",
    ];
    assert_eq!(
        arrived,
        expected.map(|person| format!("{person}@example.org"))
    );
    // Both copies are recognisable as one mail.
    let mails = smtp.mails();
    let ids = mails.iter().filter(|mail| mail.to.starts_with("cut1"));
    let ids: Vec<_> = ids.map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids[0], ids[1]);
    // A temporary failure is an attempt.
    let later = rows.iter().find(|row| row.number == Some(2)).unwrap();
    assert!(later.attempts >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_refused_for_good_gets_no_further_mail() {
    let smtp = Smtp::start(&[]);
    let node = Node::start(&smtp).await;
    let gala = node.event("gala").await;
    node.register(gala, &["never1", "spam1", "ada"]).await;
    let rows = node.settled(5).await;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [RowState::Failed, RowState::Failed, RowState::Sent]);
    let error = rows[0].error.as_deref().unwrap();
    assert!(
        error.contains("550") && error.contains("no such user"),
        "{error}"
    );
    assert!(!error.contains("never1"), "{error}");
    let hall = node.event("hall").await;
    node.register(hall, &["never1", "ada"]).await;
    let rows = node.settled(5).await;
    assert_eq!(rows[3].state, RowState::Dropped, "{:?}", rows[3]);
    assert_eq!(smtp.recipients(), ["ada@example.org"; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_for_an_hour_gets_every_mail_once() {
    let mut smtp = Smtp::start(&[]);
    let node = Node::start(&smtp).await;
    let gala = node.event("gala").await;
    smtp.go("down");
    let people: Vec<_> = (0..20).map(|n| format!("guest{n}")).collect();
    let people: Vec<_> = people.iter().map(String::as_str).collect();
    node.register(gala, &people).await;
    let end = NOON + HOUR;
    let is_over = || node.clock.load(Ordering::SeqCst) >= end;
    eventually("an hour", || node.pass(60), is_over).await;
    // One mail at a time was tried, not each of them again and again.
    let tries: u32 = node.rows().await.iter().map(|row| row.attempts).sum();
    assert!((1..120).contains(&tries), "{tries}");
    smtp.go("up");
    let rows = node.settled(5).await;
    assert!(
        rows.iter().all(|row| row.state == RowState::Sent),
        "{rows:#?}"
    );
    let mut arrived = smtp.recipients();
    arrived.sort_unstable();
    arrived.dedup();
    assert_eq!((arrived.len(), smtp.mails().len()), (20, 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_one_mail_a_day_about_an_event() {
    let smtp = Smtp::start(&[]);
    let node = Node::start(&smtp).await;
    let gala = node.event("gala").await;
    for _ in 0..2 {
        node.register(gala, &["ada"]).await;
        node.settled(5).await;
        let filter = Filter {
            round: 1,
            limit: 10,
            ..Filter::default()
        };
        let page = node.store.registrations(gala, &filter).await.unwrap();
        for listed in page.rows {
            let cancel = Command::Cancel {
                locator: listed.registration.locator,
                secret: None,
                by: Actor::Visitor,
            };
            let clock = Clock::Manual(node.clock.clone());
            node.store.commit(gala, &[cancel], &clock).await.unwrap();
        }
    }
    assert_eq!(smtp.recipients(), ["ada@example.org"]);
    node.pass(24 * 3_600);
    node.register(gala, &["ada"]).await;
    let states: Vec<_> = node.settled(5).await.iter().map(|row| row.state).collect();
    assert_eq!(states, [RowState::Sent, RowState::Dropped, RowState::Sent]);
}
