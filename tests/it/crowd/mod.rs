//! Many people at once, through the queue, the writer and a real database: exactly the available
//! places are given, first come, first served, and everybody gets an answer.

mod failing;
mod groups;
mod queue;
mod stampede;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use headcount::domain::clock::Clock;
use headcount::domain::command::{Answer, Applicant, Command, Decision, Refusal};
use headcount::domain::event::{Capacity, Event, EventId, NewEvent, PartySize, Slug};
use headcount::domain::headcount::Headcount;
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Registration, Secret};
use headcount::live::broadcast::{self, Broadcaster};
use headcount::live::channel::Channel;
use headcount::live::hub::Hub;
use headcount::store::{DatabaseUrl, Filter, Store};
use headcount::write_path::Failure;
use headcount::write_path::queue::{QUEUE, Registrar};

use self::failing::{
    a_failed_commit_answers_everybody_and_publishes_nothing,
    a_failed_statement_answers_everybody_and_stores_nothing,
    an_unreachable_database_answers_everybody,
};
use self::groups::groups_never_share_a_place_and_are_never_split;
use self::queue::{
    a_commit_is_underway_until_its_answers, a_deleted_event_answers_everybody_who_still_waits,
    a_disconnected_visitor_keeps_the_place, a_full_queue_refuses_at_once_and_stores_nothing,
    admitted_commands_are_answered_before_shutdown, an_event_opens_and_closes_without_visitors,
    first_come_first_served,
};
use self::stampede::{
    a_cancelled_place_goes_to_the_next_in_line, a_stampede_gets_exactly_the_last_places,
    two_nodes_give_no_place_twice,
};
use crate::model::invariants;
use crate::model::machine::Dump;
use crate::support::{postgres, sqlite};

/// Every case is a test on either database. Where the order matters, a single thread runs
/// everything.
macro_rules! both_databases {
    ($(#[$flavor:meta] $case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[$flavor]
            async fn $case() {
                let file = super::sqlite::File::new();
                super::$case(file.url()).await;
            })*
        }
        mod on_postgres {
            $(#[$flavor]
            async fn $case() {
                super::$case(super::postgres::shared().create_database().await).await;
            })*
        }
    };
}

both_databases!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    a_stampede_gets_exactly_the_last_places,
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    two_nodes_give_no_place_twice,
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    a_cancelled_place_goes_to_the_next_in_line,
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    groups_never_share_a_place_and_are_never_split,
    #[tokio::test]
    first_come_first_served,
    #[tokio::test]
    a_full_queue_refuses_at_once_and_stores_nothing,
    #[tokio::test]
    a_commit_is_underway_until_its_answers,
    #[tokio::test]
    a_disconnected_visitor_keeps_the_place,
    #[tokio::test]
    admitted_commands_are_answered_before_shutdown,
    #[tokio::test]
    a_deleted_event_answers_everybody_who_still_waits,
    #[tokio::test]
    an_event_opens_and_closes_without_visitors,
    #[tokio::test]
    an_unreachable_database_answers_everybody,
    #[tokio::test]
    a_failed_statement_answers_everybody_and_stores_nothing,
    #[tokio::test]
    a_failed_commit_answers_everybody_and_publishes_nothing,
);

const NOON: i64 = 1_795_251_600_000;
/// Ends a test that waits without success.
const TIMEOUT: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// One process with its own hub and connections.
struct Node {
    store: Store,
    hub: Hub,
    registrar: Registrar,
    broadcaster: Broadcaster,
}

impl Node {
    async fn start(url: &DatabaseUrl) -> Self {
        Self::with_queue(url, QUEUE).await
    }

    async fn with_queue(url: &DatabaseUrl, capacity: usize) -> Self {
        let store = Store::open(url, None).await.expect("a database");
        let hub = Hub::new(Duration::ZERO);
        let (broadcaster, broadcasting) = broadcast::broadcasting(store.clone(), Duration::ZERO);
        tokio::spawn(broadcasting);
        let registrar = Registrar::new(
            store.clone(),
            hub.clone(),
            Clock::System,
            broadcaster.clone(),
            capacity,
        );
        Self {
            store,
            hub,
            registrar,
            broadcaster,
        }
    }

    async fn event(&self, capacity: i64, waitlist: bool) -> Event {
        let event = self
            .store
            .create(gala(capacity, waitlist), "token", Clock::System.now())
            .await
            .unwrap();
        self.hub.publish(event.clone());
        event
    }

    fn channel(&self, event: &Event) -> Arc<Channel> {
        self.hub.channel_by_id(event.id).expect("a channel")
    }

    /// Checks every invariant of the stored event, and returns it.
    async fn audited(&self, id: EventId) -> (Event, Vec<Registration>) {
        let event = self
            .store
            .event_by_id(id)
            .await
            .unwrap()
            .expect("the event");
        let mut rows = Vec::new();
        loop {
            // Page by page: reading a thousand rows can take longer than a single answer may.
            let after = u32::try_from(rows.len()).unwrap();
            let page = self
                .store
                .registrations(
                    id,
                    &Filter {
                        round: event.round,
                        after,
                        limit: 200,
                        ..Filter::default()
                    },
                )
                .await
                .unwrap()
                .rows;
            if page.is_empty() {
                break;
            }
            rows.extend(page.into_iter().map(|listed| listed.registration));
        }
        let changes = self.store.changes(&event, 0, u32::MAX).await.unwrap();
        let dump = Dump {
            event: Some(event.clone()),
            registrations: rows.clone(),
            changes,
            audit: Vec::new(),
        };
        invariants::hold(&dump).unwrap_or_else(|error| panic!("{error}"));
        (event, rows)
    }

    async fn log(&self, event: &Event) -> Vec<Headcount> {
        self.store
            .changes(event, 0, u32::MAX)
            .await
            .unwrap()
            .into_iter()
            .map(|change| change.headcount)
            .collect()
    }
}

fn gala(capacity: i64, waitlist: bool) -> NewEvent {
    let (slug, capacity) = (Slug::parse("gala"), Capacity::limited(capacity));
    NewEvent {
        waitlist,
        max_party_size: PartySize::parse("max_party_size", 5).unwrap(),
        ..NewEvent::new(slug.unwrap(), "Gala", capacity.unwrap())
    }
}

fn register(person: impl std::fmt::Display) -> Command {
    register_party(person, 1)
}

fn register_party(person: impl std::fmt::Display, people: i64) -> Command {
    Command::Register(Applicant {
        party_size: PartySize::parse("party_size", people).unwrap(),
        ..Applicant::new(
            Name::parse(&format!("Person {person}")).unwrap(),
            Email::parse(&format!("{person}@example.org")).unwrap(),
            Some(IdempotencyKey::parse(&format!("key of {person}")).unwrap()),
            Secret::draw(),
        )
    })
}

fn accepted(decision: &Decision) -> Option<&Registration> {
    match decision {
        Ok(Answer::Registered { registration, .. }) => Some(registration),
        Err(Refusal::EventFull { .. }) => None,
        other => panic!("{other:?}"),
    }
}

type Submitted<'a> = Pin<Box<dyn Future<Output = Result<Decision, Failure>> + Send + 'a>>;

/// Queues commands in this order, and returns the futures of their answers.
async fn line_up<'a>(
    node: &'a Node,
    event: &Event,
    commands: impl IntoIterator<Item = Command>,
) -> Vec<Submitted<'a>> {
    let mut line = Vec::new();
    for command in commands {
        let mut submitted: Submitted<'a> = Box::pin(node.registrar.submit(event.id, command));
        // The first poll queues it. The writer has not run yet: the only thread is here.
        let at_once = poll_fn(|context| Poll::Ready(submitted.as_mut().poll(context))).await;
        line.push(match at_once {
            Poll::Pending => submitted,
            Poll::Ready(answer) => Box::pin(std::future::ready(answer)),
        });
    }
    line
}
