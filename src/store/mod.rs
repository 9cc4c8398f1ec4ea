//! The database: one contract, two backends.
//!
//! Owns every SQL statement and the only use of `sqlx`. Promises: [`Store::commit`] runs a batch of commands in ONE
//! transaction under the event's lock, decides with [`crate::domain::decide::apply`] on what stands there, and returns only after the commit is
//! durable. Never caches, never publishes, never sends a batch again that may be stored: where the answer to a commit is lost, it looks. The contract is one story, told to both backends by
//! `tests/it/store_story.rs`.
//!
//! Two databases are a closed set, hence an enum: no generics run through the rest of the program.

use std::collections::HashMap;

use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::AuditEntry;
use crate::domain::change::Change;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::{Command, Decision};
use crate::domain::event::{Event, EventId, NewEvent, Slug};
use crate::domain::position::Revision;
use crate::domain::registration::{Locator, Registration, Status};
use crate::domain::search::Search;

mod alongside;
mod batch;
mod connections;
pub mod copy;
mod deleted;
mod error;
mod file;
mod forms;
mod json;
mod listener;
mod lists;
mod migrations;
mod postgres;
mod readers;
mod registering;
mod rows;
mod session;
mod shared;
mod sqlite;
mod statements;
mod url;
mod watching;

pub use crate::domain::announcement::Announcement;
pub use forms::Claim;
pub use listener::{Heard, Listener};
pub use lists::Export;
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub use url::{DatabaseUrl, NotADatabaseUrl};

/// An open database. Cheap to clone: both backends are pools.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file, one writer.
    Sqlite(Sqlite),
    /// One server, any number of nodes.
    Postgres(Postgres),
}

/// Hears what is about to be stored; see [`Store::commit_telling`].
pub type Meanwhile<'a> = &'a mut (dyn FnMut(&[Decision]) + Send);

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is out of space, locked or shutting down: the same call may succeed later. After a failed
    /// [`Store::commit`] it is not known whether the batch was stored; an idempotency key tells a registration's.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// Too many long reads at once. Nothing was read; try again in a second.
    #[error("too many long reads of the database at once")]
    Busy,
    /// It answered what the program never expects: a defect, or a database that somebody else has changed.
    #[error("the database answered unexpectedly: {0}")]
    Unexpected(#[source] sqlx::Error),
    /// A row says what no version of this program writes.
    #[error("the database holds an unreadable row: {0}")]
    Unreadable(String),
    /// The schema cannot be brought to this program's version.
    #[error("the database's schema cannot be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// What came of a batch.
#[derive(Debug)]
pub struct Commit {
    /// The event after the batch; `None` when it does not exist (any more).
    pub event: Option<Event>,
    /// The revisions the batch made, in order; may be none.
    pub changes: Vec<Change>,
    /// One decision for each command, in order.
    pub decisions: Vec<Decision>,
}

/// How an event could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The slug is in use.
    #[error("an event with this slug exists already")]
    SlugTaken,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which registrations an organiser wants to see, newest number last.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these.
    pub status: Option<Status>,
    /// Only these people; without words and number, everybody.
    pub search: Search,
    /// Which round.
    pub round: u32,
    /// Only numbers above this.
    pub after: u32,
    /// At most so many.
    pub limit: u32,
}

/// A registration with its present place in the waiting list, from 1.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The row.
    pub registration: Registration,
    /// `None` unless waiting.
    pub waiting_position: Option<u32>,
}

/// What a node needs to know to notice that another process wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The event.
    pub event: EventId,
    /// Its newest revision.
    pub revision: Revision,
    /// Its newest announcement.
    pub announcement: i64,
}

/// Calls the same method of whichever backend it is.
macro_rules! either {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Store::Sqlite($store) => $call,
            Store::Postgres($store) => $call,
        }
    };
}

impl Store {
    /// Opens the database, creates it where that is possible (SQLite) and brings its schema up to date. `notify_url` is where a
    /// Postgres node listens when `url` leads to a pooler that cannot `LISTEN`; SQLite needs none.
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

    /// Every event, in the order of their creation.
    pub async fn events(&self) -> Result<Vec<Event>, StoreError> {
        either!(self, store => store.events().await)
    }

    /// One event by its name in URLs.
    pub async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        either!(self, store => store.event(slug).await)
    }

    /// One event by its key.
    pub async fn event_by_id(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        either!(self, store => store.event_by_id(id).await)
    }

    /// Whether an event has ever had this key. Keys are not given twice, so one that no event has belongs to a deleted event.
    pub async fn had_event(&self, id: EventId) -> Result<bool, StoreError> {
        either!(self, store => store.had_event(id).await)
    }

    /// The newest revision and announcement of every event: the safety net for lost notifications.
    pub async fn marks(&self) -> Result<Vec<Mark>, StoreError> {
        either!(self, store => store.marks().await)
    }

    /// Creates an event at revision 1, with its `created` change and an audit line by `who`.
    pub async fn create(
        &self,
        new: NewEvent,
        who: &str,
        now: Timestamp,
    ) -> Result<Event, CreateError> {
        either!(self, store => store.create(new, who, now).await)
    }

    /// Decides `commands` in order and stores the outcome, all in one transaction under the event's lock. The moment is read
    /// from `clock` once for all visitors who come together, and commit times do not run backwards. When the answer to the commit itself is lost, a batch
    /// that has registered somebody is looked up, for as long as a reading may take; [`StoreError::Unreachable`] then says that it is
    /// not stored or cannot be looked up.
    ///
    /// `seen` is the event as the caller has last seen it. Where that is still true and everybody is new, SQLite stores a batch of
    /// registrations without reading first; the outcome is the same without it, and with an older one.
    pub async fn commit(
        &self,
        event: EventId,
        seen: Option<&Event>,
        commands: &[Command],
        clock: &Clock,
    ) -> Result<Commit, StoreError> {
        self.commit_telling(event, seen, commands, clock, &mut |_| {})
            .await
    }

    /// The same, and tells `meanwhile` what is about to be stored, where that is known while the database writes: nobody else may be told
    /// before this has returned `Ok`, and then only of what the returned decisions hold, the very same `Arc`. It may be told nothing, or twice, and
    /// what it was told last need not be what has come of it.
    pub async fn commit_telling(
        &self,
        event: EventId,
        seen: Option<&Event>,
        commands: &[Command],
        clock: &Clock,
        meanwhile: Meanwhile<'_>,
    ) -> Result<Commit, StoreError> {
        either!(self, store => store.commit(event, seen, commands, clock, meanwhile).await)
    }

    /// The changes of an event with a revision above `after`, oldest first, at most `limit`.
    pub async fn changes(
        &self,
        event: &Event,
        after: Revision,
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        either!(self, store => store.changes(event, after, limit).await)
    }

    /// One registration.
    pub async fn registration(&self, locator: Locator) -> Result<Option<Listed>, StoreError> {
        either!(self, store => store.registration(locator).await)
    }

    /// Registrations of one round by number, oldest first.
    pub async fn registrations(
        &self,
        event: EventId,
        filter: &Filter,
    ) -> Result<Vec<Listed>, StoreError> {
        either!(self, store => store.registrations(event, filter).await)
    }

    /// All registrations of one round that match `filter` (its limit does not count) as they are at this moment, by number.
    pub async fn export(&self, event: EventId, filter: Filter) -> Result<Export, StoreError> {
        either!(self, store => store.export(event, filter).await)
    }

    /// `count(*)` of the confirmed registrations of a round: what the published count is audited against, together with the
    /// event's own counter read in the same snapshot: `(counted, registered)`.
    pub async fn recount(&self, event: EventId) -> Result<Option<(u32, u32)>, StoreError> {
        either!(self, store => store.recount(event).await)
    }

    /// The audit log of a slug, newest first; `before` is the last key of the page before. At most `limit` lines, with their keys.
    pub async fn audit(
        &self,
        slug: &Slug,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        either!(self, store => store.audit(slug, before, limit).await)
    }

    /// Stores an announcement and an audit line by `who`.
    pub async fn announce(
        &self,
        event: EventId,
        new: &NewAnnouncement,
        who: &str,
        now: Timestamp,
    ) -> Result<Option<Announcement>, StoreError> {
        either!(self, store => store.announce(event, new, who, now).await)
    }

    /// The newest announcement of an event.
    pub async fn announcement(&self, event: EventId) -> Result<Option<Announcement>, StoreError> {
        either!(self, store => store.announcement(event).await)
    }

    /// Claims a form's submission; see [`Claim`]. Forgets those of long ago.
    pub async fn claim_form(&self, key: &str, now: Timestamp) -> Result<Claim, StoreError> {
        either!(self, store => store.claim_form(key, now).await)
    }

    /// Remembers what a claimed submission led to.
    pub async fn finish_form(&self, key: &str, outcome: &str) -> Result<(), StoreError> {
        either!(self, store => store.finish_form(key, outcome).await)
    }

    /// Gives a claim back: the submission was refused and may be made again.
    pub async fn release_form(&self, key: &str) -> Result<(), StoreError> {
        either!(self, store => store.release_form(key).await)
    }

    /// A setting of the installation, such as the organiser's password hash.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        either!(self, store => store.setting(name).await)
    }

    /// Stores a setting unless it exists; answers what is stored now. Two nodes that start together agree.
    pub async fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, StoreError> {
        either!(self, store => store.setting_or_insert(name, value).await)
    }

    /// Stores or replaces a setting.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        either!(self, store => store.set_setting(name, value).await)
    }

    /// Remembers a console session by the digest of its secret, until `expires_at`; forgets those that have expired by `now`.
    pub async fn create_session(
        &self,
        digest: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        either!(self, store => store.create_session(digest, expires_at, now).await)
    }

    /// When a session expires; `None` when there is no such session. The caller compares with its clock.
    pub async fn session(&self, digest: &str) -> Result<Option<Timestamp>, StoreError> {
        either!(self, store => store.session(digest).await)
    }

    /// Forgets a session.
    pub async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
        either!(self, store => store.delete_session(digest).await)
    }

    /// Tells the other nodes that `event` now stands at `revision`, or (`None`) that something else of it has changed; call it after
    /// the commit, not for each of a burst. On SQLite there are no other nodes, and this does nothing.
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

    /// Starts to hear of every node's notifications; `None` on SQLite.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.listen().await.map(Some),
        }
    }

    /// Says how many watch each event at `node`, a name of the caller's own; an empty map takes the report back. A report expires after
    /// a few seconds by the database's clock. On SQLite there are no other nodes, and this does nothing.
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

    /// How many watch each event at all nodes but `node`, as far as their reports have not expired.
    pub async fn watching_elsewhere(
        &self,
        node: &str,
    ) -> Result<HashMap<EventId, u64>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(HashMap::new()),
            Self::Postgres(store) => store.watching_elsewhere(node).await,
        }
    }

    /// Whether the database answers: readiness.
    pub async fn ping(&self) -> Result<(), StoreError> {
        either!(self, store => store.ping().await)
    }

    /// Closes every connection; open statements finish first.
    pub async fn close(&self) {
        either!(self, store => store.close().await);
    }
}
