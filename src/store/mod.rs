//! The database: one contract, two backends.
//!
//! This module owns every SQL statement and the only use of `sqlx`. [`Store::commit`] runs a batch
//! of commands in one transaction under the event's lock. It decides with
//! [`crate::domain::decide::apply`] on what it reads there, and returns after the commit is
//! durable. `batch.rs` has the steps of a batch; `sqlite/` and `postgres/` have what differs.
//!
//! The store never caches, never publishes, and never repeats a batch that may be stored. If the
//! answer to a commit is lost, it looks the batch up. `tests/it/store_contract/` runs the contract
//! against both backends.
//!
//! The two databases are a closed set, so [`Store`] is an enum: the rest of the program needs no
//! generics.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::domain::change::Change;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::{Command, Decision};
use crate::domain::event::{Event, EventId};
use crate::domain::position::Revision;
use crate::domain::registration::{Registration, Status};
use crate::domain::search::Search;

mod accounts;
pub mod backup;
mod batch;
mod confirmations;
pub mod copy;
mod deleted;
mod error;
mod forms;
pub mod inspect;
mod lists;
mod lookup;
mod mailing;
mod migrations;
mod order;
pub mod outbox;
mod postgres;
mod proofs;
mod queries;
mod readers;
mod rows;
mod series;
mod sessions;
mod sql;
mod sqlite;
mod ticket_keys;
mod timeout;
mod tokens;
mod transaction;
mod url;
mod webhooks;
mod writes;

pub use crate::domain::announcement::Announcement;
pub use accounts::Stored;
pub use forms::Claim;
pub use lists::Export;
pub use order::{Order, SortKey};
pub use postgres::Postgres;
pub use postgres::listener::{Listener, Notification};
pub use proofs::ProofUse;
pub use series::{Recorded, Trend};
pub use sessions::{NewSession, SessionRow, SignedIn};
pub use sqlite::Sqlite;
pub use ticket_keys::StoredKey;
pub use timeout::within;
pub use url::{DatabaseUrl, NotADatabaseUrl};

/// An open database. Cheap to clone: both backends are pools. Short reads are in `queries.rs`,
/// lists in `lists.rs`, and writes outside a batch in `writes.rs`.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file, one writer.
    Sqlite(Sqlite),
    /// One server, any number of nodes.
    Postgres(Postgres),
}

/// Why the database did not run a statement.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is unreachable, out of space, locked or shutting down: the same call may
    /// succeed later. After a failed [`Store::commit`] it is unknown whether the batch was stored;
    /// a registration is found again by its idempotency key.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// Too many long reads at once. Nothing was read; try again in a second.
    #[error("too many long reads of the database at once")]
    Busy,
    /// The database answered something that the program never expects: a defect, or another program
    /// changed the database.
    #[error("the database answered unexpectedly: {0}")]
    Unexpected(#[source] sqlx::Error),
    /// A row has a value that no version of this program writes.
    #[error("the database holds an unreadable row: {0}")]
    Unreadable(String),
    /// A newer version of the program has migrated the database.
    #[error(
        "the database has the schema of a newer version of this program (migration {0}); start \
        that version, or restore a backup made before it"
    )]
    NewerSchema(i64),
    /// The schema cannot be brought to this program's version.
    #[error("the database's schema cannot be migrated: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

/// The outcome of a batch.
#[derive(Debug)]
pub struct Commit {
    /// The event after the batch; `None` when there is no such event any more.
    pub event: Option<Event>,
    /// The revisions the batch made, in order; may be none.
    pub changes: Vec<Change>,
    /// One decision for each command, in order.
    pub decisions: Vec<Decision>,
}

/// Why an event was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The slug is in use.
    #[error("an event with this slug exists already")]
    SlugTaken,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which registrations an organiser wants to see.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only these people; without words and number, everybody.
    pub search: Search,
    /// Which round.
    pub round: u32,
    /// In which order.
    pub order: Order,
    /// Only what comes after the registration with this number; 0: from the beginning.
    pub after: u32,
    /// At most this many.
    pub limit: u32,
}

impl Filter {
    /// The same for a reader who sees no addresses, and so does not search in them.
    #[must_use]
    pub fn of_names(self) -> Self {
        Self {
            search: self.search.of_names(),
            ..self
        }
    }
}

/// A registration with its present position in the waiting list, from 1.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The row.
    pub registration: Registration,
    /// `None` unless waiting.
    pub waiting_position: Option<u32>,
}

/// Part of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// In the order of the list.
    pub rows: Vec<Listed>,
    /// How many the whole list has.
    pub total: u32,
}

/// The newest state of an event, by which a node notices that another process wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHead {
    /// The event.
    pub event: EventId,
    /// Its newest revision.
    pub revision: Revision,
    /// Its newest announcement.
    pub announcement: i64,
}

impl Store {
    /// Opens the database, creates the file (SQLite) and brings the schema up to date. `notify_url`
    /// is where a Postgres node listens when `url` leads to a pooler that cannot `LISTEN`; SQLite
    /// needs none.
    pub async fn open(
        url: &DatabaseUrl,
        notify_url: Option<&DatabaseUrl>,
    ) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(options) => Sqlite::open(options).await.map(Self::Sqlite),
            DatabaseUrl::Postgres(options) => {
                let listen = notify_url.and_then(|url| match url {
                    DatabaseUrl::Postgres(options) => Some(&**options),
                    DatabaseUrl::Sqlite(_) => None,
                });
                Postgres::open(options, listen).await.map(Self::Postgres)
            }
        }
    }

    /// The same database, read for one client: its long reads take one turn at a time, so that others
    /// have theirs. The caller decides which addresses are one client.
    #[must_use]
    pub fn for_reader(&self, client: IpAddr) -> Self {
        let mut store = self.clone();
        match &mut store {
            Self::Sqlite(store) => store.reader = Some(client),
            Self::Postgres(store) => store.reader = Some(client),
        }
        store
    }

    /// Decides `commands` in order and stores the outcome, all in one transaction under the event's
    /// lock. Visitors' commands that follow each other share one moment of `clock`. Commit times of
    /// an event never run backwards.
    ///
    /// If the answer to COMMIT is lost, the store looks up a batch that registered somebody.
    /// [`StoreError::Unreachable`] then means that the batch is not stored or could not be looked
    /// up.
    pub async fn commit(
        &self,
        event: EventId,
        commands: &[Command],
        clock: &Clock,
    ) -> Result<Commit, StoreError> {
        match self {
            Self::Sqlite(store) => store.note(batch::commit(store, event, commands, clock).await),
            Self::Postgres(store) => batch::commit(store, event, commands, clock).await,
        }
    }

    /// Registrations of one round, at most `filter.limit`, and how many there are. A long read: may
    /// be [`StoreError::Busy`].
    pub async fn registrations(&self, event: EventId, filter: &Filter) -> Result<Page, StoreError> {
        match self {
            Self::Sqlite(store) => store.note(store.registrations(event, filter).await),
            Self::Postgres(store) => store.registrations(event, filter).await,
        }
    }

    /// All registrations of one round that match `filter` (its limit does not count) as they are at
    /// this moment, in their order. [`StoreError::Busy`] when too many exports run.
    pub async fn export(&self, event: EventId, filter: Filter) -> Result<Export, StoreError> {
        match self {
            Self::Sqlite(store) => store.note(store.export(event, filter).await),
            Self::Postgres(store) => store.export(event, filter).await,
        }
    }

    /// Notifies the other nodes that `event` is now at `revision`, or (`None`) that something other
    /// than its count changed. Call it after the commit, once for a burst. On SQLite there are no
    /// other nodes, and this does nothing.
    pub async fn notify(
        &self,
        event: EventId,
        revision: Option<Revision>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(store) => store.notify(event, revision).await,
        }
    }

    /// Starts to listen to every node's notifications; `None` on SQLite.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.listen().await.map(Some),
        }
    }

    /// Reports how many people watch each event at `node`, the caller's name among all nodes. An
    /// empty map withdraws the report. A report expires after a few seconds by the database's
    /// clock. On SQLite there are no other nodes, and this does nothing.
    pub async fn report_watching(
        &self,
        node: &str,
        watchers: &HashMap<EventId, u64>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(store) => store.report_watching(node, watchers).await,
        }
    }

    /// How many people watch each event at all other nodes, by the reports that have not expired.
    pub async fn watching_elsewhere(
        &self,
        node: &str,
    ) -> Result<HashMap<EventId, u64>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(HashMap::new()),
            Self::Postgres(store) => store.watching_elsewhere(node).await,
        }
    }

    /// The present moment by the clock of the database server; `None` on SQLite, which has no server.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.server_time().await.map(Some),
        }
    }

    /// Closes every connection; open statements finish first.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}
