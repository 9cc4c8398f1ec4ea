//! One batch inside one transaction: what to load, decide, write, segment after segment; or foreseen, before a transaction begins. Knows no
//! SQL; each backend brings its statements as a [`Session`].

use super::{Commit, StoreError};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::{Answer, Command, Refusal};
use crate::domain::decide::{Archived, Known, Picture, apply};
use crate::domain::event::{Capacity, Event, EventId};
use crate::domain::headcount::State;
use crate::domain::registration::{IdempotencyKey, Locator, Registration};

/// An open transaction that holds the event's lock.
pub(super) trait Session {
    /// Of `event`'s current round the registrations with one of `lookup`'s e-mail addresses (unless cancelled) or keys, and
    /// those at its places in any round. Rows may come twice.
    async fn named(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<Registration>, StoreError>;

    /// The longest waiting of a round, at most `limit`, by number.
    async fn waiting(
        &mut self,
        event: &Event,
        round: u32,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError>;

    /// An archived round, counted now.
    async fn archived(&mut self, event: &Event, round: u32)
    -> Result<Option<Archived>, StoreError>;

    /// Makes the picture true.
    async fn write(&mut self, picture: &Picture) -> Result<(), StoreError>;
}

/// A batch that is decided: all but the picture of its last segment is written, so that it can be written and committed in one go.
#[derive(Debug)]
pub(super) struct Decided {
    /// What will have come of it.
    pub(super) commit: Commit,
    /// What is still to be written.
    pub(super) unwritten: Option<Picture>,
    /// Whether anything is written.
    pub(super) written: bool,
}

/// A batch that is decided before anything was read.
#[derive(Debug)]
pub(super) struct Foreseen {
    /// What will have come of it, if it comes true.
    pub(super) commit: Commit,
    /// What is to be written: new registrations, counted in one revision.
    pub(super) picture: Picture,
}

/// Whether a batch may be foreseen at all: people register, and the event takes them.
pub(super) fn is_foreseeable(seen: &Event, commands: &[Command]) -> bool {
    matches!(seen.state(), State::Open | State::Waitlist)
        && commands
            .iter()
            .all(|command| matches!(command, Command::Register(_)))
}

/// Decides a batch as if the event were still as it was `seen`, and all who register were new. `None` unless that gives everybody a place or a
/// number in the waiting list: about whoever is known, and about everything else, the database has to be asked first.
pub(super) fn foresee(seen: &Event, commands: &[Command], now: Timestamp) -> Option<Foreseen> {
    let mut picture = Picture::new(seen.clone(), Known::with_capacity(commands.len()));
    let mut decisions = Vec::with_capacity(commands.len());
    for command in commands {
        // Of whoever is refused it matters why, and that may be for being known.
        decisions.push(Ok(apply(&mut picture, command, now).ok()?));
    }
    // The schedule may have had something due as well.
    if !picture.is_registering_only() {
        return None;
    }
    let commit = Commit {
        event: Some(picture.event.clone()),
        changes: picture.writes.changes.clone(),
        decisions,
    };
    Some(Foreseen { commit, picture })
}

/// What a segment's commands name.
#[derive(Debug, Default)]
pub(super) struct Lookup<'a> {
    /// Keys of e-mail addresses.
    pub(super) emails: Vec<&'a str>,
    /// Idempotency keys.
    pub(super) keys: Vec<&'a str>,
    /// Registrations to cancel, as round and number.
    pub(super) places: Vec<(u32, u32)>,
}

impl<'a> Lookup<'a> {
    /// What the first segment of a batch names: it can be looked up as soon as the event is locked.
    pub(super) fn of_first(event: EventId, commands: &'a [Command]) -> Self {
        segments(commands)
            .next()
            .map(|segment| Self::of(event, segment))
            .unwrap_or_default()
    }

    fn of(event: EventId, commands: &'a [Command]) -> Self {
        let mut lookup = Self::default();
        for command in commands {
            match command {
                Command::Register(applicant) => {
                    lookup.emails.push(applicant.email.key());
                    lookup
                        .keys
                        .extend(applicant.key.as_ref().map(IdempotencyKey::as_str));
                }
                // A locator of another event finds nothing here, as it should.
                Command::Cancel { locator, .. } if locator.event == event => {
                    lookup.places.push((locator.round, locator.number));
                }
                _ => {}
            }
        }
        lookup
    }

    pub(super) fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.places.is_empty()
    }
}

/// Decides `commands` in order. `first` is what they name first, [`Lookup::of_first`], and what was found of it.
pub(super) async fn run<'a>(
    session: &mut impl Session,
    event: Event,
    first: (Lookup<'a>, Vec<Registration>),
    commands: &'a [Command],
    clock: &Clock,
) -> Result<Decided, StoreError> {
    let mut first = Some(first);
    let mut commit = Commit {
        event: Some(event),
        changes: Vec::new(),
        decisions: Vec::with_capacity(commands.len()),
    };
    let (mut unwritten, mut written) = (None, false);
    for segment in segments(commands) {
        if let Some(picture) = unwritten.take() {
            session.write(&picture).await?;
            written = true;
        }
        let Some(event) = commit.event.take() else {
            commit
                .decisions
                .extend(segment.iter().map(|_| Err(Refusal::EventNotFound)));
            continue;
        };
        let known = load(session, &event, segment, first.take()).await?;
        let mut picture = Picture::new(event, known);
        // One moment for all of them: they are written, and answered, together.
        let now = clock.now();
        commit.decisions.extend(
            segment
                .iter()
                .map(|command| apply(&mut picture, command, now)),
        );
        commit.changes.extend_from_slice(&picture.writes.changes);
        commit.event = Some(picture.event.clone()).filter(|_| !picture.writes.deleted);
        unwritten = Some(picture).filter(|picture| !picture.is_unchanged());
    }
    Ok(Decided {
        commit,
        unwritten,
        written,
    })
}

/// Runs of visitors' commands, and an organiser's one by one.
fn segments(commands: &[Command]) -> impl Iterator<Item = &[Command]> {
    commands.chunk_by(|one, next| one.is_visit() && next.is_visit())
}

/// The decision of every command when there is no such event.
pub(super) fn not_found(commands: &[Command]) -> Commit {
    Commit {
        event: None,
        changes: Vec::new(),
        decisions: commands
            .iter()
            .map(|_| Err(Refusal::EventNotFound))
            .collect(),
    }
}

/// A registration that the batch has made: its secret marks the batch.
pub(super) fn first_registered(commit: &Commit) -> Option<&Registration> {
    commit.decisions.iter().find_map(|decision| match decision {
        Ok(Answer::Registered {
            registration,
            replayed: false,
        }) => Some(&**registration),
        _ => None,
    })
}

/// What [`Known`] promises for this segment: a run of visits, or one command of an organiser or the schedule.
/// `found` is what it names and what was found of it, if that was looked up already.
async fn load<'a>(
    session: &mut impl Session,
    event: &Event,
    segment: &'a [Command],
    found: Option<(Lookup<'a>, Vec<Registration>)>,
) -> Result<Known, StoreError> {
    let mut known =
        Known::with_capacity(segment.len() + found.as_ref().map_or(0, |(_, named)| named.len()));
    let mut round = event.round;
    let may_move = match segment {
        [Command::Edit { edit, .. }] => movable(
            edit.capacity.unwrap_or(event.capacity),
            event.registered,
            event.waiting,
        ),
        [Command::Undo { .. }] if event.round > 1 => {
            round = event.round - 1;
            known.archived = session.archived(event, round).await?;
            known.archived.map_or(0, |before| {
                movable(before.capacity, before.registered, before.waiting)
            })
        }
        visits => {
            let (lookup, named) = if let Some(found) = found {
                found
            } else {
                let lookup = Lookup::of(event.id, visits);
                let named = if lookup.is_empty() {
                    Vec::new()
                } else {
                    session.named(event, &lookup).await?
                };
                (lookup, named)
            };
            for registration in named {
                known.insert(registration, round);
            }
            // Each cancelled place moves one person up at most.
            u32::try_from(lookup.places.len())
                .unwrap_or(u32::MAX)
                .min(event.waiting)
        }
    };
    if may_move > 0 {
        for registration in session.waiting(event, round, may_move).await? {
            known.insert_waiting(registration, round);
        }
    }
    Ok(known)
}

/// How many of the waiting a capacity has places for.
fn movable(capacity: Capacity, registered: u32, waiting: u32) -> u32 {
    capacity
        .remaining(registered)
        .map_or(waiting, |places| places.min(waiting))
}

/// New rows, by number, in their final state.
pub(super) fn inserted(picture: &Picture) -> Vec<&Registration> {
    picture
        .writes
        .inserted
        .iter()
        .map(|locator| picture.registration(*locator))
        .collect()
}

/// Rows whose status changed and that are in the database already; new rows are inserted in their final state.
pub(super) fn moved(picture: &Picture) -> Vec<&Registration> {
    let mut touched: Vec<Locator> = picture
        .writes
        .touched
        .iter()
        .copied()
        .filter(|locator| !is_new(picture, *locator))
        .collect();
    touched.sort_unstable();
    touched.dedup();
    touched
        .into_iter()
        .map(|locator| picture.registration(locator))
        .collect()
}

fn is_new(picture: &Picture, locator: Locator) -> bool {
    // Numbers only grow, so the new rows of a segment are those from its first new number on.
    picture
        .writes
        .inserted
        .first()
        .is_some_and(|first| locator.round == first.round && locator.number >= first.number)
}
