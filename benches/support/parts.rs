//! The program's parts, put together as in the product but without its configuration.

use std::time::Duration;

use headcount::context::{Context, Settings, Shared};
use headcount::domain::clock::Clock;
use headcount::domain::event::{Capacity, NewEvent, Slug};
use headcount::live::broadcast;
use headcount::live::hub::Hub;
use headcount::store::{DatabaseUrl, Store};
use headcount::write_path::queue::{QUEUE, Registrar};

/// How often an event's count is pushed, as in the product.
const INTERVAL: Duration = Duration::from_millis(50);

/// Opens the database and puts the parts together. Without `notifies`, other nodes learn of commits
/// by their polls only.
pub(crate) async fn open(url: &str, notifies: bool) -> Shared {
    let url: DatabaseUrl = url.parse().expect("a database");
    let store = Store::open(&url, None).await.expect("the database opens");
    let hub = Hub::new(INTERVAL);
    let (broadcaster, broadcasting) = broadcast::broadcasting(store.clone(), INTERVAL);
    if notifies {
        tokio::spawn(broadcasting);
    } else {
        drop(broadcasting);
    }
    let registrar = Registrar::new(
        store.clone(),
        hub.clone(),
        Clock::System,
        broadcaster,
        QUEUE,
    );
    let settings = Settings {
        heartbeat: Duration::from_secs(15),
        public_url: None,
        mail: None,
        webhooks: headcount::outbox::webhook::Guard::default(),
        time_zone: headcount::domain::zone::Zone::default(),
        admin_token: None,
        register_rate_per_ip: 0,
        lab: true,
        webtransport: None,
    };
    Context::new(store, hub, registrar, Clock::System, settings)
}

/// An event with as many places as there can be.
pub(crate) fn new_event(slug: &str) -> NewEvent {
    let capacity = Capacity::limited(i64::from(Capacity::MAX)).expect("in range");
    NewEvent::new(Slug::parse(slug).expect("a slug"), "Bench", capacity)
}
