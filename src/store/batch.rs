//! One batch of commands in one transaction: lock, load, decide, write, commit.
//!
//! Every command reaches the database through [`commit`], on either backend. [`Backend`] and
//! [`Transaction`] hide what differs between them; neither knows what is decided.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, DELETE_TIMEOUT, bounded, bounded_by};
use super::lookup::{Lookup, load};
use super::outbox::{self, Outgoing};
use super::transaction::Transaction;
use super::webhooks;
use super::{Commit, StoreError};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::{Command, Refusal};
use crate::domain::decide::{BatchState, apply};
use crate::domain::event::{Event, EventId};
use crate::domain::outbox::mails;
use crate::domain::registration::Registration;
use crate::domain::webhook;

/// The pause between two attempts to look up a commit.
const LOOK_UP_PAUSE: Duration = Duration::from_millis(100);

/// A database that can lock an event.
pub(super) trait Backend {
    /// Its transactions.
    type Transaction: Transaction;

    /// What a batch writes to the outbox.
    fn outgoing(&self) -> &Outgoing;

    /// Begins a transaction, waits for the event's lock, and reads the event with the registrations
    /// that `lookup` names. `None` when there is no such event. It takes as few round trips as the
    /// database allows.
    async fn lock(
        &self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<(Self::Transaction, Option<Locked>), StoreError>;
}

/// A locked event, and what is read with it.
pub(super) struct Locked {
    pub(super) event: Event,
    /// The registrations that were looked up.
    pub(super) found: Vec<Registration>,
    /// Whether an active webhook is about the event. Read with the lock, so that without webhooks a
    /// batch takes no further trip. Requests that arrive after a webhook's creation find it.
    pub(super) has_webhooks: bool,
}

/// See [`super::Store::commit`].
pub(super) async fn commit(
    backend: &impl Backend,
    event: EventId,
    commands: &[Command],
    clock: &Clock,
) -> Result<Commit, StoreError> {
    let deletes = commands
        .iter()
        .any(|command| matches!(command, Command::Delete { .. }));
    let limit = if deletes {
        DELETE_TIMEOUT
    } else {
        COMMIT_TIMEOUT
    };
    let deadline = Instant::now() + limit;
    let Prepared {
        transaction,
        commit,
        written,
        outgoing,
        first,
    } = bounded_by(deadline, limit, prepare(backend, event, commands, clock)).await?;
    if !written {
        // A batch of refusals and replays needs no flush of the disk.
        bounded_by(deadline, limit, transaction.rollback()).await?;
        return Ok(commit);
    }
    let committed = match bounded_by(deadline, limit, transaction.commit()).await {
        Err(StoreError::Unreachable(error)) => {
            let stored = was_stored(backend, event, first.as_deref()).await;
            let stored = stored.unwrap_or(false);
            tracing::warn!(
                %error, event, stored,
                "a commit failed or its answer was lost; looked up whether it is stored"
            );
            if stored {
                Ok(commit)
            } else {
                Err(StoreError::Unreachable(error))
            }
        }
        outcome => outcome.map(|()| commit),
    };
    if outgoing {
        backend.outgoing().wake();
    }
    committed
}

/// A batch that is decided and written, but not committed.
struct Prepared<T> {
    transaction: T,
    commit: Commit,
    /// Whether there is anything to commit.
    written: bool,
    /// Whether the outbox has new rows.
    outgoing: bool,
    /// The first new registration.
    first: Option<Arc<Registration>>,
}

/// Locks the event; then loads, decides and writes the batch, segment by segment.
async fn prepare<B: Backend>(
    backend: &B,
    event: EventId,
    commands: &[Command],
    clock: &Clock,
) -> Result<Prepared<B::Transaction>, StoreError> {
    let named = segments(commands).next().unwrap_or_default();
    let (mut transaction, locked) = backend.lock(event, &Lookup::of(event, named)).await?;
    let (event, mut found, has_webhooks) = match locked {
        Some(locked) => (Some(locked.event), Some(locked.found), locked.has_webhooks),
        None => (None, None, false),
    };
    let mut commit = Commit {
        event,
        changes: Vec::new(),
        decisions: Vec::with_capacity(commands.len()),
    };
    let (mut written, mut outgoing, mut first) = (false, false, None);
    for segment in segments(commands) {
        let Some(event) = commit.event.take() else {
            let refusals = segment.iter().map(|_| Err(Refusal::EventNotFound));
            commit.decisions.extend(refusals);
            continue;
        };
        let known = load(&mut transaction, &event, segment, found.take()).await?;
        let mut batch = BatchState::new(event, known);
        // One moment for the whole segment, because it is written and answered together.
        let now = clock.now();
        for command in segment {
            commit.decisions.push(apply(&mut batch, command, now));
        }
        if !batch.is_unchanged() {
            let outbox = (backend.outgoing(), has_webhooks);
            outgoing |= write(&mut transaction, &batch, outbox, now).await?;
            written = true;
        }
        first = first.or_else(|| batch.first_inserted());
        let deleted = batch.writes.deleted;
        commit.changes.extend(batch.writes.changes);
        commit.event = Some(batch.event).filter(|_| !deleted);
    }
    Ok(Prepared {
        transaction,
        commit,
        written,
        outgoing,
        first,
    })
}

/// Runs of commands about one party; every other command by itself.
fn segments(commands: &[Command]) -> impl Iterator<Item = &[Command]> {
    commands.chunk_by(|one, next| one.is_batched() && next.is_batched())
}

/// Writes what was decided. Returns whether the outbox has new rows.
async fn write(
    transaction: &mut impl Transaction,
    batch: &BatchState,
    (outgoing, has_webhooks): (&Outgoing, bool),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (event, writes) = (&batch.event, &batch.writes);
    let mut has_outgoing = false;
    if writes.deleted {
        transaction.delete(event.id).await?;
    } else {
        // Cancellations first: a new row may have the email address of a cancelled one.
        let updated = batch.updated();
        if !updated.is_empty() {
            transaction.update_registrations(&updated).await?;
        }
        for row in batch.rewritten() {
            transaction.rewrite(row).await?;
        }
        let [erased, erased_new] = batch.erased();
        for row in &erased {
            transaction.erase_confirmations(row.locator).await?;
        }
        // Before the new rows: one may have the address of an erased registration.
        if !erased.is_empty() {
            transaction.erase(&erased).await?;
        }
        let inserted = batch.inserted();
        transaction.write_rows(batch, &inserted).await?;
        for row in inserted {
            if row.email_proven_at.is_some() || row.renamed_at.is_some() {
                transaction.mark(row).await?;
            }
        }
        if !erased_new.is_empty() {
            transaction.erase(&erased_new).await?;
        }
        for row in erased.iter().chain(&erased_new) {
            transaction.erase_outgoing(row, event.at).await?;
        }
        let mut rows = Vec::new();
        if outgoing.mails() {
            rows = mails(batch, now);
        }
        if has_webhooks {
            let subscribed = webhooks::subscriptions(transaction.connection(), event.id).await?;
            rows.extend(webhook::rows(batch, &subscribed, now));
        }
        if !rows.is_empty() {
            outbox::insert(transaction.connection(), outgoing, &rows, now).await?;
            has_outgoing = true;
        }
        if writes.settings {
            transaction.write_settings(event).await?;
        }
        if let Some((round, capacity)) = writes.archive {
            transaction.archive(event, round, capacity).await?;
        }
        if let Some(round) = writes.restored {
            transaction.restore(event.id, round).await?;
        }
    }
    if writes.deleted || !writes.erased.is_empty() {
        transaction.note_erasure().await?;
    }
    for entry in &writes.audit {
        transaction.audit(&event.slug, entry).await?;
    }
    Ok(has_outgoing)
}

/// Whether a batch is stored. Taking the event's lock waits for the end of its transaction; after
/// that all of the batch is visible, or nothing. The first new registration proves it by its
/// secret, which no other attempt has. A batch without a new registration cannot be recognised, and
/// counts as not stored.
async fn was_stored(
    backend: &impl Backend,
    event: EventId,
    first: Option<&Registration>,
) -> Result<bool, StoreError> {
    let Some(attempt) = first else {
        return Ok(false);
    };
    bounded(ANSWER_TIMEOUT, async {
        loop {
            match look_up(backend, event, attempt).await {
                // The pool's other connections may be lost too, or the server may be starting.
                Err(StoreError::Unreachable(_)) => sleep(LOOK_UP_PAUSE).await,
                outcome => return outcome,
            }
        }
    })
    .await
}

async fn look_up(
    backend: &impl Backend,
    event: EventId,
    attempt: &Registration,
) -> Result<bool, StoreError> {
    let (mut transaction, _) = backend.lock(event, &Lookup::default()).await?;
    let stored = transaction.registration(attempt.locator).await?;
    transaction.rollback().await?;
    Ok(stored.is_some_and(|stored| stored.secret.matches(&attempt.secret)))
}
