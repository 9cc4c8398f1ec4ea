//! Three nodes write at once: everything that takes an event's lock, from every node.

use std::sync::Arc;

use headcount::app::Running;
use headcount::domain::announcement::NewAnnouncement;
use headcount::domain::audit::Actor;
use headcount::domain::command::{Answer, Applicant, Command, Decision, Refusal};
use headcount::domain::event::{Capacity, Edit, Event, NewEvent, Slug};
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::Secret;
use headcount::store::DatabaseUrl;
use sqlx::ConnectOptions as _;
use tokio::task::JoinSet;

use super::*;

fn person(name: &str) -> Command {
    let email = Email::parse(&format!("{name}@example.org")).unwrap();
    Command::Register(Applicant::new(
        Name::parse(name).unwrap(),
        email,
        None,
        Secret::draw(),
    ))
}

fn new_event(slug: &str, capacity: i64, waitlist: bool) -> NewEvent {
    let capacity = Capacity::limited(capacity).unwrap();
    NewEvent {
        waitlist,
        ..NewEvent::new(Slug::parse(slug).unwrap(), slug, capacity)
    }
}

/// Submits a command. An unreachable database (as after a deadlock) fails the test.
async fn decided(node: &Running, event: &Event, command: Command) -> Decision {
    node.context
        .registrar
        .submit(event.id, command)
        .await
        .expect("a decision")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_write_at_once_never_block_each_other() {
    let url = postgres::shared().new_database().await;
    let flags = ["--no-welcome-event"];
    let (one, two, three) = tokio::join!(
        App::on(&url, &flags, Clock::System),
        App::on(&url, &flags, Clock::System),
        App::on(&url, &flags, Clock::System)
    );
    let nodes = [one, two, three].map(Arc::new);
    let event = nodes[0]
        .context
        .registrar
        .create(new_event("mixed", 20, true), &Actor::AdminToken)
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for (at, node) in nodes.iter().enumerate() {
        for visitor in 0..3 {
            let (node, event) = (Arc::clone(node), event.clone());
            tasks.spawn(async move {
                for n in 0..20 {
                    let Ok(Answer::Registered { registration, .. }) =
                        decided(&node, &event, person(&format!("v{at}-{visitor}-{n}"))).await
                    else {
                        continue;
                    };
                    if n % 2 == 0 {
                        let cancel = Command::Cancel {
                            locator: registration.locator,
                            secret: Some(registration.secret.clone()),
                            by: Actor::Visitor,
                        };
                        decided(&node, &event, cancel)
                            .await
                            .expect("one's own place");
                    }
                }
            });
        }
        let (node, event) = (Arc::clone(node), event.clone());
        tasks.spawn(async move {
            let registrar = &node.context.registrar;
            for n in 0..10_i64 {
                let capacity = Capacity::limited(10 + n * 3).unwrap();
                let edit = Edit {
                    capacity: Some(capacity),
                    ..Edit::default()
                };
                decided(
                    &node,
                    &event,
                    Command::Edit {
                        edit,
                        expected: None,
                        by: Actor::AdminToken,
                    },
                )
                .await
                .expect("a new capacity");
                registrar
                    .announce(
                        event.id,
                        &NewAnnouncement::new(format!("{n}")),
                        &Actor::AdminToken,
                    )
                    .await
                    .expect("a database that works")
                    .expect("the event");
                if n % 3 == i64::try_from(at).unwrap() {
                    decided(
                        &node,
                        &event,
                        Command::Reset {
                            expected: None,
                            capacity: None,
                            by: Actor::AdminToken,
                        },
                    )
                    .await
                    .expect("a new round");
                    let undone = decided(
                        &node,
                        &event,
                        Command::Undo {
                            expected: None,
                            by: Actor::AdminToken,
                        },
                    )
                    .await;
                    assert!(
                        matches!(undone, Ok(Answer::Event(_)) | Err(Refusal::NotEmpty(_))),
                        "{undone:?}"
                    );
                }
                // All three create, fill, announce and delete the same event.
                let passing = match registrar
                    .create(new_event("passing", 5, true), &Actor::AdminToken)
                    .await
                {
                    Ok(event) => event,
                    Err(headcount::store::CreateError::SlugTaken) => continue,
                    Err(error) => panic!("{error}"),
                };
                let over = NewAnnouncement::new("soon over");
                let (registered, announced, deleted) = tokio::join!(
                    decided(&node, &passing, person("ada")),
                    registrar.announce(passing.id, &over, &Actor::AdminToken),
                    decided(
                        &node,
                        &passing,
                        Command::Delete {
                            expected: None,
                            confirmed: true,
                            by: Actor::AdminToken
                        }
                    ),
                );
                assert!(
                    matches!(
                        registered,
                        Ok(Answer::Registered { .. }) | Err(Refusal::EventNotFound)
                    ),
                    "{registered:?}"
                );
                announced.expect("a database that works");
                assert_eq!(deleted, Ok(Answer::Deleted));
            }
        });
    }
    let mixed = timeout(TIMEOUT, tasks.join_all()).await;
    mixed.expect("everybody gets a turn");

    fill(&nodes).await;
    agreed(&nodes).await;
    let DatabaseUrl::Postgres(options) = url.parse().unwrap() else {
        unreachable!("a Postgres server was asked for")
    };
    let mut server = options.connect().await.unwrap();
    let deadlocks: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(&mut server)
    .await
    .unwrap();
    assert_eq!(deadlocks, 0);
    for node in nodes {
        Arc::into_inner(node)
            .expect("every task has ended")
            .stop()
            .await;
    }
}

/// 1,200 people at three nodes ask for 1,000 places.
async fn fill(nodes: &[Arc<Running>; 3]) {
    let event = nodes[0]
        .context
        .registrar
        .create(new_event("gala", 1_000, false), &Actor::AdminToken)
        .await
        .unwrap();
    let mut crowd = JoinSet::new();
    for n in 0..1_200_usize {
        let (node, event) = (Arc::clone(&nodes[n % 3]), event.clone());
        crowd.spawn(async move {
            match decided(&node, &event, person(&format!("guest-{n}"))).await {
                Ok(Answer::Registered { registration, .. }) => Some(registration.locator.number),
                Err(Refusal::EventFull { .. }) => None,
                other => panic!("{other:?}"),
            }
        });
    }
    let mut numbers: Vec<u32> = crowd.join_all().await.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(
        nodes[1].context.store.recount(event.id).await.unwrap(),
        Some((1_000, 1_000))
    );
}

/// Every node shows the database's events, at the database's positions.
async fn agreed(nodes: &[Arc<Running>; 3]) {
    let stored = nodes[0].context.store.events().await.unwrap();
    assert!(stored.len() >= 2);
    let positions: Vec<_> = stored.iter().map(Event::position).collect();
    for node in nodes {
        let shown = || {
            node.context
                .hub
                .channels()
                .iter()
                .map(|channel| channel.newest().position())
                .collect::<Vec<_>>()
        };
        let agrees = async {
            while shown() != positions {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(TIMEOUT, agrees)
            .await
            .unwrap_or_else(|_| panic!("{:?} instead of {positions:?}", shown()));
    }
}
