//! Webhooks of two nodes on one database.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::receiver::{Receiver, status};
use super::{ALLOW, hook, settled};
use crate::support::app::App;
use crate::support::postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_each_notification_once() {
    const PEOPLE: usize = 60;
    let database = postgres::shared().new_database().await;
    let one = App::of(App::on(&database, &ALLOW, Clock::System).await);
    let two = App::of(App::on(&database, &ALLOW, Clock::System).await);
    one.event("ball", 1_000).await;
    let mut receiver = Receiver::start(&[status(200)]).await;
    // A webhook that one node stores is known to the other at once.
    let topics = json!(["registration.created"]);
    let hook = hook(&two, json!({ "url": receiver.url(), "events": topics })).await;
    for n in 0..PEOPLE {
        let node = if n % 2 == 0 { &one } else { &two };
        let email = format!("guest{n}@example.org");
        // The second node may not know the event yet.
        while node.register("ball", "Ada", &email).await.status != 201 {
            tokio::task::yield_now().await;
        }
    }
    let mut numbers = Vec::new();
    for _ in 0..PEOPLE {
        let body = receiver.next().await.json();
        let number = body["data"]["registration"]["number"].as_u64();
        numbers.push(number.expect("a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=PEOPLE as u64).collect::<Vec<_>>());
    settled(&one, &hook, "sent").await;
    // A stop waits for what is under way, so nothing more comes afterwards.
    one.stop().await;
    two.stop().await;
    assert_eq!(receiver.rest(), 0, "each came once");
}
