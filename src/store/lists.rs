//! Lists and exports of registrations, with their present places in the waiting list.
//!
//! A page or an export is read in one snapshot, which includes the numbers of those who wait. A row's
//! position is its number's place among these. It takes linear time, with and without the planner's
//! statistics, and the logarithm of those who wait for each row.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::error::timed_out;
use super::timeout::within;
use super::{Listed, StoreError};
use crate::domain::registration::{Registration, Status};

/// Rows in one piece of an export.
pub(super) const CHUNK: usize = 500;
/// Pieces that wait for a slow reader.
const AHEAD: usize = 2;
/// How long an export waits for the database's next rows, and for its reader to take some.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an export may take: it holds back the clean-up of old row versions, and of SQLite's
/// log.
pub(super) const EXPORT_TIMEOUT: Duration = Duration::from_mins(10);

/// Registrations of one round as they were at one moment, piece by piece. The database stops
/// reading when this is dropped.
#[derive(Debug)]
pub struct Export {
    pieces: mpsc::Receiver<Result<Vec<Listed>, StoreError>>,
}

impl Export {
    /// An export and where its rows go.
    pub(super) fn channel() -> (Pieces, Self) {
        let (sender, pieces) = mpsc::channel(AHEAD);
        (Pieces(sender), Self { pieces })
    }

    /// The next registrations; `None` after the last. An error ends the export.
    pub async fn next(&mut self) -> Option<Result<Vec<Listed>, StoreError>> {
        self.pieces.recv().await
    }
}

/// Where the rows of an export go.
pub(super) struct Pieces(mpsc::Sender<Result<Vec<Listed>, StoreError>>);

impl Pieces {
    /// Waits for the reader to have room. `false` when the reader is gone or has taken nothing for
    /// too long.
    pub(super) async fn send(&self, rows: Vec<Listed>) -> bool {
        matches!(
            timeout(STALL_TIMEOUT, self.0.send(Ok(rows))).await,
            Ok(Ok(()))
        )
    }

    /// Ends the export with an error.
    pub(super) async fn fail(self, error: StoreError) {
        // If the reader is gone, nobody needs the reason.
        let _ = timeout(STALL_TIMEOUT, self.0.send(Err(error))).await;
    }
}

/// The range of numbers in which a round's waiting registrations are read, to place some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Span {
    /// Everybody of a round.
    pub(super) const ALL: Self = Self {
        first: 0,
        last: i64::MAX,
    };

    /// From the lowest to the highest number of those rows that wait; `None` when nobody does.
    pub(super) fn of(rows: &[Registration]) -> Option<Self> {
        let waiting = rows.iter().filter(|row| row.status == Status::Waiting);
        let numbers = waiting.map(|row| i64::from(row.locator.number));
        Some(Self {
            first: numbers.clone().min()?,
            last: numbers.max()?,
        })
    }
}

/// The places in a waiting list.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// How many wait before the first of `numbers`.
    before: u32,
    /// Numbers of those who wait, ascending.
    numbers: Vec<u32>,
}

impl Positions {
    pub(super) fn new(before: u32, numbers: Vec<u32>) -> Self {
        Self { before, numbers }
    }

    /// The row with its position.
    pub(super) fn listed(&self, registration: Registration) -> Listed {
        let waiting_position = (registration.status == Status::Waiting)
            .then(|| self.of(registration.locator.number))
            .flatten();
        Listed {
            registration,
            waiting_position,
        }
    }

    fn of(&self, number: u32) -> Option<u32> {
        let index = self.numbers.binary_search(&number).ok()?;
        // At most a million people wait for one event.
        Some(self.before + u32::try_from(index).unwrap_or(u32::MAX) + 1)
    }
}

/// Fails when the database sends nothing for [`STALL_TIMEOUT`].
pub(super) async fn unless_stalled<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match within(STALL_TIMEOUT, work).await {
        Some(outcome) => Ok(outcome?),
        None => Err(timed_out(STALL_TIMEOUT)),
    }
}

/// The methods that read lists, for one backend. It brings `snapshot()`, a connection of its own
/// that sees one state of the database.
macro_rules! impl_lists {
    ($backend:ident, $database:ty) => {
        impl $backend {
            /// The turn of a long read.
            pub(super) async fn long_turn(&self) -> Result<Turn, StoreError> {
                self.readers.long_reads.turn(self.reader).await
            }

            pub(super) async fn registrations(
                &self,
                event: EventId,
                filter: &Filter,
            ) -> Result<Page, StoreError> {
                let _turn = self.long_turn().await?;
                bounded(ANSWER_TIMEOUT, async {
                    let mut snapshot = self.readers.long().begin_with(SNAPSHOT).await?;
                    let rows: Vec<rows::RegistrationRow> =
                        Self::list(event, filter, i64::from(filter.limit))
                            .fetch_all(&mut *snapshot)
                            .await?;
                    let rows: Vec<Registration> = rows::read(rows)?;
                    let total: i64 = query_scalar(TOTAL)
                        .bind(event)
                        .bind(i64::from(filter.round))
                        // Neither a page's beginning nor its length.
                        .bind(None::<i64>)
                        .bind(filter.status.map(Status::as_str))
                        .bind(filter.search.number.map(i64::from))
                        .bind(None::<i64>)
                        .bind(words(&filter.search.words))
                        .bind(filter.search.names_only)
                        .fetch_one(&mut *snapshot)
                        .await?;
                    let positions = match Span::of(&rows) {
                        Some(span) => {
                            Self::positions(&mut snapshot, event, filter.round, span).await?
                        }
                        None => Positions::default(),
                    };
                    snapshot.rollback().await?;
                    Ok::<_, StoreError>(Page {
                        rows: rows.into_iter().map(|row| positions.listed(row)).collect(),
                        total: rows::count("total", total)?,
                    })
                })
                .await
            }

            pub(super) async fn export(
                &self,
                event: EventId,
                filter: Filter,
            ) -> Result<Export, StoreError> {
                let turn = self.readers.exports.turn(None).await?;
                let connection = bounded(ANSWER_TIMEOUT, self.snapshot()).await?;
                let (pieces, export) = Export::channel();
                crate::trace::spawn(async move {
                    let _turn = turn;
                    let written = Self::write_export(connection, event, &filter, &pieces);
                    if let Err(error) = bounded(lists::EXPORT_TIMEOUT, written).await {
                        tracing::warn!(%error, event, "an export failed; its reader gets an incomplete file");
                        pieces.fail(error).await;
                    }
                });
                Ok(export)
            }

            async fn write_export(
                mut connection: <$database as sqlx::Database>::Connection,
                event: EventId,
                filter: &Filter,
                pieces: &Pieces,
            ) -> Result<(), StoreError> {
                let positions =
                    Self::positions(&mut connection, event, filter.round, Span::ALL).await?;
                let mut rows = Self::list(event, filter, i64::MAX).fetch(&mut connection);
                let mut piece = Vec::with_capacity(lists::CHUNK);
                while let Some(row) = unless_stalled(rows.try_next()).await? {
                    piece.push(positions.listed(row.try_into()?));
                    if piece.len() == lists::CHUNK && !pieces.send(std::mem::take(&mut piece)).await
                    {
                        return Ok(());
                    }
                }
                pieces.send(piece).await;
                Ok(())
            }

            fn list(
                event: EventId,
                filter: &Filter,
                limit: i64,
            ) -> QueryAs<'_, $database, rows::RegistrationRow, <$database as sqlx::Database>::Arguments>
            {
                query_as(registrations(filter.order))
                    .bind(event)
                    .bind(i64::from(filter.round))
                    .bind(i64::from(filter.after))
                    .bind(filter.status.map(Status::as_str))
                    .bind(filter.search.number.map(i64::from))
                    .bind(limit)
                    .bind(words(&filter.search.words))
                    .bind(filter.search.names_only)
            }

            async fn positions(
                connection: &mut <$database as sqlx::Database>::Connection,
                event: EventId,
                round: u32,
                span: Span,
            ) -> Result<Positions, StoreError> {
                let before: i64 = query_scalar(sql::WAITING_BEFORE)
                    .bind(event)
                    .bind(i64::from(round))
                    .bind(span.first)
                    .fetch_one(&mut *connection)
                    .await?;
                let mut numbers = query_scalar::<_, i64>(sql::WAITING_NUMBERS)
                    .bind(event)
                    .bind(i64::from(round))
                    .bind(span.first)
                    .bind(span.last)
                    .fetch(connection);
                let mut found = Vec::new();
                while let Some(number) = unless_stalled(numbers.try_next()).await? {
                    found.push(rows::count("number", number)?);
                }
                Ok(Positions::new(rows::count("waiting", before)?, found))
            }
        }
    };
}

pub(super) use impl_lists;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_those_who_wait_before() {
        let positions = Positions::new(10, vec![20, 30, 50]);
        let found: Vec<_> = [60, 30, 40, 50, 20]
            .map(|number| positions.of(number))
            .into();
        assert_eq!(found, [None, Some(12), None, Some(13), Some(11)]);
    }
}
