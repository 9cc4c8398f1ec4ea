//! Registrations a second through HTTP, in one run on one machine: the product's batches, one
//! transaction for each request (written plainly, and with the product's statements), and the same
//! endpoint without a database.
//!
//! ```sh
//! cargo bench --bench registering                 # 1, 16, 64 and 256 connections, both databases
//! BENCH_SECONDS=5 BENCH_ROUNDS=3 cargo bench --bench registering
//! ```
//!
//! The server is a process of its own on the first core; the load runs on the second (where
//! `taskset` exists). Every answer follows a durable commit: SQLite in WAL mode with
//! `synchronous=FULL`, Postgres with `fsync` and `synchronous_commit` on. After each run the
//! benchmark compares the number of 201 answers with the event's headcount.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use headcount::app::runtime::runtime;
use headcount::context::Context;
use headcount::context::head::{RequestHead, request_head};
use headcount::domain::clock::Clock;
use headcount::domain::command::{Answer, Applicant, Command as Ask};
use headcount::domain::event::Slug;
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Secret};
use headcount::http::body::{AllowedMedia, Unread, body};
use headcount::{routes, server};
use plain::Plain;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter as _;

#[path = "support/load.rs"]
mod load;
#[path = "support/parts.rs"]
mod parts;
#[path = "support/pinning.rs"]
mod pinning;
#[path = "support/plain.rs"]
mod plain;
#[path = "../tests/it/support/port.rs"]
mod port;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "support/settings.rs"]
mod settings;

use settings::number;

const DATABASES: &str = "SQLite,Postgres";
const CONNECTIONS: &str = "1,16,64,256";
/// The ways to answer the same request: a name, and where the server offers it.
const WAYS: [(&str, &str); 4] = [
    ("no database", "/bench/none"),
    ("one each", "/bench/plain"),
    ("batch of 1", "/bench/single"),
    (BATCHED, "/api/v1/events"),
];
const BATCHED: &str = "batched";

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().position(|arg| arg == "--serve") {
        Some(at) => runtime().expect("threads").block_on(serve(&args[at + 1])),
        None => measure(),
    }
    ExitCode::SUCCESS
}

#[derive(Deserialize)]
struct Person {
    name: String,
    email: String,
}

/// The server: the product's routes, and the other ways.
async fn serve(database: &str) {
    let context = parts::open(database, true).await;
    let (store, hub) = (&context.store, &context.hub);
    for way in WAYS {
        for connections in connections() {
            for round in 0..rounds() {
                let new = parts::new_event(&slug(way.0, connections, round));
                hub.publish(
                    store
                        .create(new, "token", Clock::System.now())
                        .await
                        .expect("an event"),
                );
            }
        }
    }
    let plain = Plain::open(database).await;
    let all = routes::all(&context);
    let bench = move |way: String, slug: String, head: RequestHead, body: Unread| {
        let (context, plain) = (Arc::clone(&context), plain.clone());
        async move { each(&context, &plain, &way, slug, head, body).await }
    };
    let bench = warp::path!("bench" / String / String / "registrations")
        .and(warp::post())
        .and(request_head())
        .and(body())
        .then(bench);
    let bench = bench.map(warp::Reply::into_response).boxed();
    // A listener each, so that no request passes the routes of the other.
    let (_stop, stopping) = watch::channel(false);
    let (ways, product) = (listen(), listen());
    tokio::join!(
        server::serve(
            ways,
            warp::service(bench),
            server::Config::default(),
            stopping.clone()
        ),
        server::serve(
            product,
            warp::service(all),
            server::Config::default(),
            stopping
        ),
    );
}

/// Listens on a free port, and prints its address.
fn listen() -> TcpListener {
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    listener
}

/// Decodes, stores in one of the ways, and answers.
async fn each(
    context: &Context,
    plain: &Plain,
    way: &str,
    slug: String,
    head: RequestHead,
    body: Unread,
) -> http::Response<String> {
    let content = body
        .read(&head, AllowedMedia::JsonOrForm)
        .await
        .expect("a body");
    let person: Person = content.decode().expect("a person");
    let applicant = Applicant::new(
        Name::parse(&person.name).expect("a name"),
        Email::parse(&person.email).expect("an address"),
        head.header("idempotency-key")
            .map(|key| IdempotencyKey::parse(key).expect("a key")),
        Secret::draw(),
    );
    let event = context
        .hub
        .channel(&Slug::parse(&slug).expect("a slug"))
        .expect("an event")
        .newest()
        .event;
    let token = applicant.secret.reveal().to_owned();
    // Boxed, as in the product: without a database a request must not pay for moving a future that
    // it does not use.
    let number = match way {
        "none" => 1,
        "plain" => {
            let event = Box::pin(plain.register(&event, &applicant))
                .await
                .expect("a registration");
            let number = event.last_number;
            context.hub.publish(event);
            number
        }
        "single" => {
            let commit = Box::pin(context.store.commit(
                event.id,
                &[Ask::Register(applicant)],
                &Clock::System,
            ))
            .await;
            let mut commit = commit.expect("a registration");
            context.hub.publish(commit.event.expect("the event"));
            match commit.decisions.pop() {
                Some(Ok(Answer::Registered { registration, .. })) => registration.locator.number,
                other => panic!("{other:?}"),
            }
        }
        other => panic!("there is no way {other:?}"),
    };
    let answer = serde_json::json!({
        "id": format!("{}-1-{number}", event.id), "number": number, "status": "confirmed", "waiting_position": null, "event": slug, "name": person.name,
        "token": token, "position": event.position(), "links": { "self": format!("/api/v1/registrations/{token}"), "page": format!("/r/{token}") },
    });
    http::Response::builder()
        .status(201)
        .header("content-type", "application/json")
        .body(answer.to_string())
        .expect("an answer")
}

fn slug(way: &str, connections: usize, round: u32) -> String {
    format!("{}-{connections}-{round}", way.replace(' ', "-"))
}

fn list(variable: &str, default: &str) -> Vec<String> {
    std::env::var(variable)
        .as_deref()
        .unwrap_or(default)
        .split(',')
        .map(str::to_owned)
        .collect()
}

fn connections() -> Vec<usize> {
    list("BENCH_CONNECTIONS", CONNECTIONS)
        .iter()
        .map(|number| number.parse().expect("numbers of connections"))
        .collect()
}

fn rounds() -> u32 {
    number("BENCH_ROUNDS", 1)
}

/// A server's process, and the addresses of the other ways and of the product.
struct Server {
    process: Child,
    ways: SocketAddr,
    product: SocketAddr,
}

impl Server {
    fn start(url: &str) -> Self {
        let mut process = pinning::on_first_core()
            .args(["--serve", url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut address = || {
            lines
                .next()
                .and_then(Result::ok)
                .and_then(|line| line.parse().ok())
                .expect("an address")
        };
        Self {
            ways: address(),
            product: address(),
            process,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn measure() {
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 3));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    // Before this process is pinned, so that the database can use both cores.
    let cluster = postgres::Cluster::start_new();
    pinning::move_to_second_core();
    let databases = [
        (
            "SQLite",
            format!("sqlite://{}", folder.path().join("bench.db").display()),
        ),
        ("Postgres", runtime.block_on(cluster.new_database())),
    ];
    println!(
        "                  registrations a second                              \
        batched/                       p99 in ms"
    );
    println!(
        "database  conns  no database   one each  batch of 1    batched    one each  batch of 1  \
        ceiling   one each  batched"
    );
    let wanted = list("BENCH_DATABASES", DATABASES);
    for (database, url) in databases
        .into_iter()
        .filter(|(database, _)| wanted.iter().any(|name| name == database))
    {
        let server = Server::start(&url);
        for connections in connections() {
            let mut rates = [const { Vec::new() }; WAYS.len()];
            let mut p99 = [const { Vec::new() }; WAYS.len()];
            for round in 0..rounds() {
                for (at, (way, path)) in WAYS.into_iter().enumerate() {
                    let slug = slug(way, connections, round);
                    let path = format!("{path}/{slug}/registrations");
                    let address = if way == BATCHED {
                        server.product
                    } else {
                        server.ways
                    };
                    let outcome = runtime.block_on(load::register(
                        address,
                        &path,
                        connections,
                        Duration::ZERO,
                        seconds,
                        &slug,
                    ));
                    assert_eq!(
                        (outcome.refused, outcome.failed),
                        (0, 0),
                        "{way}: every request is served"
                    );
                    if at > 0 {
                        let count = runtime.block_on(load::headcount(server.product, &slug));
                        assert_eq!(
                            count, outcome.created,
                            "{way}: the headcount is what was answered"
                        );
                    }
                    rates[at].push(outcome.rate());
                    p99[at].push(outcome.p99_ms);
                }
            }
            let [ceiling, plain, single, batched] = rates.map(median);
            let [_, plain_p99, _, batched_p99] = p99.map(median);
            println!(
                "{database:<9} {connections:>5}  {ceiling:>11.0} {plain:>10.0} {single:>11.0} \
                {batched:>10.0}  {:>9.1}× {:>10.1}× {:>8.2}  {plain_p99:>9.1} {batched_p99:>8.1}",
                batched / plain,
                batched / single,
                batched / ceiling
            );
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
