//! Admission: a bounded queue for each event, and the directory of writers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Failure;
use super::spans::Queued;
use super::writer::{Job, Writer};
use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::Actor;
use crate::domain::clock::Clock;
use crate::domain::command::{Command, Decision};
use crate::domain::event::{Event, EventId, NewEvent};
use crate::live::broadcast::Broadcaster;
use crate::live::hub::Hub;
use crate::store::{Announcement, CreateError, Store, StoreError};

/// How many commands may wait for one event. At tens of thousands a second they wait well below a
/// second; a longer queue would only delay refusals.
pub const QUEUE: usize = 8_192;
/// How long a refused client should wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Submits everything that changes an event. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registrar(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    hub: Hub,
    clock: Clock,
    broadcaster: Broadcaster,
    capacity: usize,
    writers: Mutex<Writers>,
}

#[derive(Debug, Default)]
struct Writers {
    queues: HashMap<EventId, mpsc::Sender<Job>>,
    tasks: Vec<JoinHandle<()>>,
    closed: bool,
}

impl Registrar {
    /// A writer starts with its event's first command. `capacity` is the most commands in each
    /// queue, see [`QUEUE`].
    pub fn new(
        store: Store,
        hub: Hub,
        clock: Clock,
        broadcaster: Broadcaster,
        capacity: usize,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            hub,
            clock,
            broadcaster,
            capacity,
            writers: Mutex::default(),
        }))
    }

    /// Queues `command` and returns its decision after the durable commit, when the hub has the new
    /// state. A full queue is [`Failure::Busy`] at once.
    pub async fn submit(&self, event: EventId, command: Command) -> Result<Decision, Failure> {
        let (responder, decision) = oneshot::channel();
        self.queue(event)?
            .try_send(Job {
                command,
                responder,
                queued: Queued::begin(),
            })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Failure::Busy {
                    retry_after: RETRY_AFTER,
                },
                mpsc::error::TrySendError::Closed(_) => Failure::Draining,
            })?;
        // The writer answers every job, unless it panics.
        decision.await.unwrap_or(Err(Failure::Internal))
    }

    /// The queue of an event, with its writer running.
    fn queue(&self, event: EventId) -> Result<mpsc::Sender<Job>, Failure> {
        // Held for a map look-up only, never over an await.
        let mut writers = self
            .0
            .writers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if writers.closed {
            return Err(Failure::Draining);
        }
        if let Some(queue) = writers
            .queues
            .get(&event)
            .filter(|queue| !queue.is_closed())
        {
            return Ok(queue.clone());
        }
        let (queue, jobs) = mpsc::channel(self.0.capacity);
        let writer = Writer::new(
            event,
            self.0.store.clone(),
            self.0.hub.clone(),
            self.0.clock.clone(),
            self.0.broadcaster.clone(),
        );
        writers.tasks.retain(|task| !task.is_finished());
        writers.tasks.push(tokio::spawn(writer.run(jobs)));
        writers.queues.insert(event, queue.clone());
        Ok(queue)
    }

    /// Creates an event, opens its live channel and notifies the other nodes. It needs no writer,
    /// because nobody else knows the event yet.
    pub async fn create(&self, new: NewEvent, by: &Actor) -> Result<Event, CreateError> {
        let event = self
            .0
            .store
            .create(new, &by.who(), self.0.clock.now())
            .await?;
        self.0.broadcaster.committed(event.id, event.revision);
        self.0.hub.publish(event.clone());
        Ok(event)
    }

    /// Stores an announcement and sends it to everybody who watches, on every node; `None` when
    /// there is no such event. It takes the event's lock but changes no count, so it does not wait
    /// in the queue.
    pub async fn announce(
        &self,
        event: EventId,
        new: &NewAnnouncement,
        by: &Actor,
    ) -> Result<Option<Announcement>, StoreError> {
        let stored = self
            .0
            .store
            .announce(event, new, &by.who(), self.0.clock.now())
            .await?;
        if let Some(announcement) = &stored {
            self.0.broadcaster.invalidated(event);
            self.0.hub.announce(event, announcement);
        }
        Ok(stored)
    }

    /// Ends the writer of a deleted event, after it has answered its queue.
    pub fn forget(&self, event: EventId) {
        self.0
            .writers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .queues
            .remove(&event);
    }

    /// Accepts nothing new, and returns when everything that was admitted is answered.
    pub async fn close(&self) {
        let tasks = {
            let mut writers = self
                .0
                .writers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            writers.closed = true;
            writers.queues.clear();
            std::mem::take(&mut writers.tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a writer panicked");
            }
        }
    }
}
