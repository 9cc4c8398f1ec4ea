//! A real database, through the store's contract only.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::Command;
use headcount::domain::event::{Event, EventId, NewEvent};
use headcount::domain::registration::Status;
use headcount::store::{Commit, DatabaseUrl, Filter, Store};

use super::machine::{Dump, Subject, WHO};

#[derive(Debug)]
pub(super) struct Database {
    url: DatabaseUrl,
    store: Store,
    clock: Clock,
}

impl Database {
    pub(super) async fn open(url: DatabaseUrl, clock: Clock) -> Self {
        let store = Store::open(&url, None).await.expect("a database");
        Self { url, store, clock }
    }
}

impl Subject for Database {
    async fn create(&mut self, new: NewEvent, now: Timestamp) -> Event {
        self.store.create(new, WHO, now).await.expect("an event")
    }

    async fn commit(&mut self, event: EventId, commands: &[Command]) -> Commit {
        self.store
            .commit(event, commands, &self.clock)
            .await
            .expect("a commit")
    }

    async fn abandon(&mut self, event: EventId, commands: &[Command], after: usize) {
        let mut commit = pin!(self.store.commit(event, commands, &self.clock));
        let mut polls = 0;
        // Each poll is about one answer of the database, so the future is dropped between any two
        // statements.
        poll_fn(|context| {
            polls += 1;
            if polls > after {
                Poll::Ready(())
            } else {
                commit
                    .as_mut()
                    .poll(context)
                    .map(|outcome| drop(outcome.expect("a commit")))
            }
        })
        .await;
    }

    async fn restart(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.url, None)
            .await
            .expect("the database again");
    }

    async fn dump(&mut self, identity: &Event) -> Dump {
        let event = self
            .store
            .event_by_id(identity.id)
            .await
            .expect("an answer");
        assert_eq!(
            self.store.event(&identity.slug).await.expect("an answer"),
            event
        );
        let counted = self.store.recount(identity.id).await.expect("an answer");
        assert_eq!(
            counted.map(|(_, registered)| registered),
            event.as_ref().map(|event| event.registered)
        );
        if let Some((counted, registered)) = counted {
            assert_eq!(counted, registered, "count(*) is not what is published");
        }
        let mut registrations = Vec::new();
        // The round after the last one is empty.
        for round in 1..=event.as_ref().map_or(2, |event| event.round + 1) {
            let filter = Filter {
                round,
                limit: u32::MAX,
                ..Filter::default()
            };
            let listed = self
                .store
                .registrations(identity.id, &filter)
                .await
                .expect("an answer");
            let mut line = 1..;
            for listed in listed.rows {
                let place = if listed.registration.status == Status::Waiting {
                    line.next()
                } else {
                    None
                };
                assert_eq!(listed.waiting_position, place, "{:?}", listed.registration);
                registrations.push(listed.registration);
            }
        }
        let changes = self
            .store
            .changes(identity, 0, u32::MAX)
            .await
            .expect("an answer");
        let mut audit: Vec<_> = self
            .store
            .audit(&identity.slug, None, u32::MAX)
            .await
            .expect("an answer")
            .into_iter()
            .map(|(_, entry)| entry)
            .collect();
        audit.reverse();
        Dump {
            event,
            registrations,
            changes,
            audit,
        }
    }
}
