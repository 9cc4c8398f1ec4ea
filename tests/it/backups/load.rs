//! Backups while people register and cancel: nobody who was answered before is missing, and nobody
//! is in one half.
//!
//! `HEADCOUNT_TEST_BACKUPS=60 cargo test --test it -- backups::load --nocapture` is the long run: for 60 s 64
//! clients at once, and a backup every 2 s.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headcount::domain::clock::Clock;
use headcount::store::DatabaseUrl;
use headcount::store::backup::{backup, verify};
use headcount::store::copy::copy;
use serde_json::json;
use sqlx::{ConnectOptions as _, query_as};
use tokio::time::sleep_until;

use super::{headcount, text, url};
use crate::copying::rows::dump;
use crate::support::app::{App, call, organise, register};
use crate::support::postgres;
use crate::support::sqlite::File;

/// How many people come, and how often they are backed up.
struct Load {
    /// Clients at once.
    clients: u32,
    /// Backups one after the other.
    backups: u32,
    /// From the beginning of one to that of the next, if it has ended.
    every: Duration,
}

/// The ordinary run is short; the long run lasts as many seconds as the variable says.
fn load() -> Load {
    let seconds = std::env::var("HEADCOUNT_TEST_BACKUPS");
    let seconds = seconds.ok().and_then(|seconds| seconds.parse().ok());
    seconds.map_or(
        Load {
            clients: 16,
            backups: 5,
            every: Duration::ZERO,
        },
        |seconds: u32| Load {
            clients: 64,
            backups: (seconds / 2).max(2),
            every: Duration::from_secs(2),
        },
    )
}

/// Fewer than people who come, so that a cancellation promotes somebody.
const PLACES: u32 = 40;

/// What people were answered: by number the secret, and how far the registration has come.
type Answered = Arc<Mutex<BTreeMap<i64, (String, u8)>>>;

/// A registration only ever moves on.
fn rank(status: &str) -> u8 {
    match status {
        "waiting" => 0,
        "confirmed" => 1,
        "cancelled" => 2,
        other => panic!("a status: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_backup_of_a_busy_sqlite_file_lacks_an_answered_person() {
    let file = File::new();
    busy(&file.text()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_backup_of_a_busy_postgres_server_lacks_an_answered_person() {
    busy(&postgres::shared().new_database().await).await;
}

async fn busy(database: &str) {
    let flags = [
        "--no-welcome-event",
        "--no-lab",
        "--register-rate-per-ip",
        "0",
    ];
    let app = App::on(database, &flags, Clock::System).await;
    let address = app.address;
    let event = json!({ "slug": "gala", "title": "Gala", "capacity": PLACES, "waitlist": true });
    let created = organise(address, "POST", "/api/v1/events", &event).await;
    assert_eq!(created.status, 201, "{}", created.body);

    let answered = Answered::default();
    let (stop, next) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let load = load();
    let begun = Instant::now();
    let clients: Vec<_> = (0..load.clients)
        .map(|_| {
            let (answered, stop, next) = (answered.clone(), stop.clone(), next.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let person = next.fetch_add(1, Ordering::Relaxed);
                    visit(address, person, &answered).await;
                }
            })
        })
        .collect();

    let folder = tempfile::tempdir().unwrap();
    let mut backups = Vec::new();
    for round in 0..load.backups {
        sleep_until((begun + load.every * round).into()).await;
        // Each backup begins among people who were answered since the last one.
        let last = backups
            .last()
            .map_or(0, |(before, _): &(BTreeMap<_, _>, _)| before.len());
        while answered.lock().unwrap().len() < last + 30 {
            tokio::task::yield_now().await;
        }
        let before = answered.lock().unwrap().clone();
        let target = folder.path().join(format!("{round}.db"));
        if round == 0 {
            // The server's other thread goes on.
            let done =
                tokio::task::block_in_place(|| headcount(&["backup", database, text(&target)]));
            assert!(done.status.success(), "{done:?}");
        } else {
            let from: DatabaseUrl = database.parse().unwrap();
            let report = backup(&from, &target).await.unwrap();
            assert!(report.is_sound(), "{}", report.faults());
        }
        backups.push((before, target));
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    app.stop().await;

    let after = answered.lock().unwrap().clone();
    for (before, target) in &backups {
        let report = verify(target).await;
        assert!(report.is_sound(), "{}", report.faults());
        let rows = rows(&url(target)).await;
        for (number, (secret, reached)) in before {
            let (stored, status) = rows
                .get(number)
                .unwrap_or_else(|| panic!("{number} was answered before the backup"));
            assert_eq!(stored, secret, "{number}");
            assert!(rank(status) >= *reached, "{number} is {status}");
        }
        for (number, (secret, _)) in &rows {
            assert_eq!(&after[number].0, secret, "{number} is in a backup");
        }
        let restored = File::new();
        copy(&url(target), &restored.url(), |_| {}).await.unwrap();
        assert!(dump(&restored.url()).await == dump(&url(target)).await);
    }
    let sizes: Vec<_> = backups.iter().map(|(before, _)| before.len()).collect();
    assert!(sizes.is_sorted_by(|one, next| one < next), "{sizes:?}");
    println!(
        "{} clients, {} people, {} backups in {took:.1?}, each restored; answered before each: {sizes:?}",
        load.clients,
        after.len(),
        backups.len(),
    );
}

/// Somebody registers; every third cancels.
async fn visit(address: std::net::SocketAddr, person: u32, answered: &Answered) {
    let email = format!("guest-{person}@example.org");
    let made = register(address, "gala", "Ada Lovelace", &email).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    let token = made["token"].as_str().unwrap();
    let secret = token.rsplit('-').next().unwrap().to_owned();
    let number = made["number"].as_i64().unwrap();
    let reached = rank(made["status"].as_str().unwrap());
    answered
        .lock()
        .unwrap()
        .insert(number, (secret.clone(), reached));
    if person.is_multiple_of(3) {
        let path = format!("/api/v1/registrations/{token}");
        let gone = call(address, "DELETE", &path, &[], "").await;
        assert_eq!(gone.status, 200, "{}", gone.body);
        let cancelled = (secret, rank("cancelled"));
        answered.lock().unwrap().insert(number, cancelled);
    }
}

async fn rows(url: &DatabaseUrl) -> BTreeMap<i64, (String, String)> {
    let DatabaseUrl::Sqlite(options) = url else {
        unreachable!("a backup is a file")
    };
    let mut connection = options.connect().await.unwrap();
    let rows: Vec<(i64, String, String)> =
        query_as("SELECT number, secret, status FROM registrations")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    rows.into_iter()
        .map(|(number, secret, status)| (number, (secret, status)))
        .collect()
}
