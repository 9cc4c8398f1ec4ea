//! The servers that are measured: this one with its routes, and warp's own `sse` and `ws` behind
//! the same accept loop.

use std::convert::Infallible;
use std::io::BufRead as _;
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use headcount::domain::clock::Clock;
use headcount::domain::event::Event;
use headcount::server::Tls;
use headcount::wire::message::{Message, Payload};
use headcount::{routes, server};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::WatchStream;
use warp::Filter as _;

use super::host::{CERTIFICATE, KEY};

fn config(tls: Option<Tls>) -> server::Config {
    // One address is the whole crowd.
    server::Config {
        max_connections_per_address: usize::MAX,
        tls,
        ..server::Config::default()
    }
}

/// A request for a change for each line of standard input.
fn asks() -> mpsc::UnboundedReceiver<()> {
    let (asked, asks) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            line.expect("a line");
            asked.send(()).expect("the server runs");
        }
        std::process::exit(0);
    });
    asks
}

/// This server. Its event changes on request, or by a registration.
pub(super) async fn ours(folder: &Path, tls: bool) {
    let tls = tls.then(|| {
        Tls::from_files(&folder.join(CERTIFICATE), &folder.join(KEY)).expect("a certificate")
    });
    let url = format!("sqlite://{}", folder.join("bench.db").display());
    let context = super::parts::open(&url, true).await;
    let hub = context.hub.clone();
    let event = context
        .store
        .create(
            super::parts::new_event("gala"),
            "token",
            Clock::System.now(),
        )
        .await
        .expect("an event");
    hub.publish(event.clone());
    let routes = routes::all(&context);
    let listener = server::bind(super::ANY).expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let (_stop, stopping) = watch::channel(false);
    let mut asks = asks();
    tokio::spawn(async move {
        let mut revision = event.revision;
        while asks.recv().await.is_some() {
            revision += 1;
            hub.publish(Event {
                revision,
                registered: u32::try_from(revision).expect("a benchmark is short"),
                ..event.clone()
            });
        }
    });
    server::serve(listener, warp::service(routes), config(tls), stopping).await;
}

/// warp's own transports, as its documentation shows them.
pub(super) async fn warps() {
    let (changes, newest) = watch::channel(text(1));
    let followed = newest.clone();
    let stream = warp::path!("api" / "v1" / "events" / "gala" / "stream")
        .and(warp::get())
        .map(move || {
            let events = WatchStream::new(followed.clone()).map(|json| {
                Ok::<_, Infallible>(warp::sse::Event::default().event("count").data(json))
            });
            warp::sse::reply(warp::sse::keep_alive().stream(events))
        });
    let ws = warp::path!("api" / "v1" / "events" / "gala" / "ws")
        .and(warp::ws())
        .map(move |ws: warp::ws::Ws| {
            let mut changes = WatchStream::new(newest.clone());
            ws.on_upgrade(async move |socket| {
                let (mut out, mut incoming) = socket.split();
                loop {
                    tokio::select! {
                        Some(json) = changes.next() => {
                            let message = format!(r#"{{"type":"count","data":{json}}}"#);
                            if out.send(warp::ws::Message::text(message)).await.is_err() {
                                return;
                            }
                        }
                        incoming = incoming.next() => if !matches!(incoming, Some(Ok(_))) {
                            return;
                        },
                    }
                }
            })
        });
    let listener = server::bind(super::ANY).expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let (_stop, stopping) = watch::channel(false);
    let mut asks = asks();
    tokio::spawn(async move {
        let mut revision = 1;
        while asks.recv().await.is_some() {
            revision += 1;
            changes.send_replace(text(revision));
        }
    });
    server::serve(
        listener,
        warp::service(stream.or(ws)),
        config(None),
        stopping,
    )
    .await;
}

fn text(revision: i64) -> String {
    Message::new(Payload::Count(super::event(revision).headcount()))
        .json()
        .get()
        .to_owned()
}
