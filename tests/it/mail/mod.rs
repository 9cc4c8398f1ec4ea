//! Mail, with a mail server that fails in every way that mail servers do.

mod kills;
mod smtp;
mod tls;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use headcount::app::Running;
use headcount::domain::clock::Clock;
use headcount::domain::outbox::RowState;

use crate::support::app::App;
use crate::support::{app::Database, postgres};
use smtp::{Smtp, eventually};

const NOON: i64 = 1_795_251_600_000;
const HOUR: i64 = 3_600_000;

fn flags<'a>(smtp: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["--smtp-url", smtp, "--public-url", "http://127.0.0.1:8080"];
    [&fixed[..], more].concat()
}

async fn totals(running: &Running, state: RowState) -> u64 {
    let totals = running.context.store.outbox_totals(None).await.unwrap();
    totals
        .iter()
        .filter(|(of, _)| *of == state)
        .map(|(_, rows)| *rows)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_mailed_and_the_mail_says_that_a_program_wrote_it() {
    let smtp = Smtp::start(&[]);
    let url = smtp.url();
    let flags = flags(&url, &["--mail-from", "Events <events@example.org>"]);
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    app.event("gala", 10).await;
    let answer = app.register("gala", "Ada", "Ada@Example.org").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    eventually("the mail", || {}, || !smtp.mails().is_empty()).await;
    let mail = smtp.mails().remove(0);
    // The local part as its owner writes it.
    assert_eq!(
        (mail.to.as_str(), mail.from.as_str()),
        ("Ada@example.org", "events@example.org")
    );
    assert_eq!(mail.header("From"), "Events <events@example.org>");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Message-ID").ends_with("@example.org>"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_budget_mail_waits_for_the_next_hour() {
    let smtp = Smtp::start(&[]);
    let url = smtp.url();
    let clock = Arc::new(AtomicI64::new(NOON));
    let flags = flags(&url, &["--mail-per-event", "3", "--mail-per-hour", "5"]);
    let app = App::start(Database::Sqlite, &flags, Clock::Manual(clock.clone())).await;
    for slug in ["gala", "hall"] {
        app.event(slug, 100).await;
        for n in 0..4 {
            let answer = app
                .register(slug, "Mallory", &format!("{slug}{n}@example.org"))
                .await;
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
    }
    let store = app.running.context.store.clone();
    let wake = || store.outgoing().wake();
    for mails in [5, 8] {
        eventually("the budget", wake, || smtp.mails().len() >= mails).await;
        // Three more looks find nothing that may be sent.
        for _ in 0..3 {
            wake();
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        }
        assert_eq!(smtp.mails().len(), mails);
        let all = smtp.recipients();
        let of = |slug| all.iter().filter(|to| to.starts_with(slug)).count();
        assert!(
            of("gala") <= 3 * mails.div_ceil(5) && of("hall") <= 3 * mails.div_ceil(5),
            "{all:?}"
        );
        assert_eq!(
            totals(&app.running, RowState::Waiting).await,
            8 - mails as u64
        );
        clock.fetch_add(HOUR + 1_000, Ordering::SeqCst);
    }
    assert!(
        smtp.mails()
            .iter()
            .all(|mail| !mail.text.contains("Mallory"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_each_mail_once() {
    const PEOPLE: usize = 120;
    let smtp = Smtp::start(&[]);
    let url = smtp.url();
    let flags = flags(&url, &[]);
    let database = postgres::shared().new_database().await;
    let one = App::of(App::on(&database, &flags, Clock::System).await);
    let two = App::of(App::on(&database, &flags, Clock::System).await);
    one.event("gala", 1_000).await;
    for n in 0..PEOPLE {
        let node = if n % 2 == 0 { &one } else { &two };
        let email = format!("guest{n}@example.org");
        // The second node may not know the event yet.
        while node.register("gala", "Ada", &email).await.status != 201 {
            tokio::task::yield_now().await;
        }
    }
    eventually("all mails", || {}, || smtp.mails().len() >= PEOPLE).await;
    // A stop waits for what is under way, so nothing more comes afterwards.
    one.stop().await;
    assert_eq!(totals(&two.running, RowState::Waiting).await, 0);
    two.stop().await;
    let mut to = smtp.recipients();
    to.sort_unstable();
    to.dedup();
    assert_eq!((to.len(), smtp.mails().len()), (PEOPLE, PEOPLE));
}
