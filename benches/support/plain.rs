//! The naive way: each request is a plain transaction, statement after statement.

use headcount::domain::command::Applicant;
use headcount::domain::event::Event;
use headcount::domain::registration::IdempotencyKey;
use headcount::domain::search;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool, query, query_as, query_scalar};

/// The product's tables, behind connections of its own.
#[derive(Debug, Clone)]
pub(crate) enum Plain {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

macro_rules! register {
    ($pool:expr, $begin:literal, $lock:literal, $event:expr, $applicant:expr) => {{
        let (event, applicant) = ($event, $applicant);
        let mut transaction = $pool.begin_with($begin).await?;
        let (round, revision, capacity, registered, number): (i64, i64, Option<i64>, i64, i64) =
            query_as(concat!(
                "SELECT round, revision, capacity, registered, last_number FROM events WHERE id = $1",
                $lock
            ))
            .bind(event.id)
            .fetch_one(&mut *transaction)
            .await?;
        let email = applicant.email.as_ref().expect("visitors have one");
        let known: Option<i64> = query_scalar(
            "SELECT number FROM registrations
            WHERE event_id = $1 AND round = $2 AND email_key = $3 AND status <> 'cancelled'",
        )
        .bind(event.id)
        .bind(round)
        .bind(email.key())
        .fetch_optional(&mut *transaction)
        .await?;
        let sent: Option<i64> = match &applicant.key {
            Some(key) => {
                query_scalar(
                    "SELECT number FROM registrations
                    WHERE event_id = $1 AND round = $2 AND idempotency_key = $3",
                )
                .bind(event.id)
                .bind(round)
                .bind(key.as_str())
                .fetch_optional(&mut *transaction)
                .await?
            }
            None => None,
        };
        let has_place = capacity.is_none_or(|capacity| registered < capacity);
        assert!(
            known.is_none() && sent.is_none() && has_place,
            "the load registers new people for an event with places"
        );
        let (number, revision, registered) = (number + 1, revision + 1, registered + 1);
        query(
            "INSERT INTO registrations (event_id, round, number, secret, name, search_key, email,
                email_key, idempotency_key, status, accepted_revision, revision, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'confirmed', $10, $10, $11)",
        )
        .bind(event.id)
        .bind(round)
        .bind(number)
        .bind(applicant.secret.reveal())
        .bind(applicant.name.as_str())
        .bind(search::key(&applicant.name, Some(email)))
        .bind(email.as_str())
        .bind(email.key())
        .bind(applicant.key.as_ref().map(IdempotencyKey::as_str))
        .bind(revision)
        .bind(event.at.as_millis())
        .execute(&mut *transaction)
        .await?;
        query("UPDATE events SET revision = $2, registered = $3, last_number = $4 WHERE id = $1")
            .bind(event.id)
            .bind(revision)
            .bind(registered)
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        query(
            "INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
            VALUES ($1, $2, 'registered', $3, 'open', $4, $5, 0, $6)",
        )
        .bind(event.id)
        .bind(revision)
        .bind(round)
        .bind(capacity)
        .bind(registered)
        .bind(event.at.as_millis())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let count = |stored: i64| u32::try_from(stored).expect("a count");
        Ok(Event { revision, registered: count(registered), last_number: count(number), ..event.clone() })
    }};
}

impl Plain {
    pub(crate) async fn open(url: &str) -> Self {
        if let Some(file) = url.strip_prefix("sqlite://") {
            let options = SqliteConnectOptions::new()
                .filename(file)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            // More would only wait for each other.
            return Self::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(1)
                    .connect_lazy_with(options),
            );
        }
        Self::Postgres(PgPool::connect(url).await.expect("the database answers"))
    }

    /// Registers one person; returns the event after it.
    pub(crate) async fn register(
        &self,
        event: &Event,
        applicant: &Applicant,
    ) -> Result<Event, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => register!(pool, "BEGIN IMMEDIATE", "", event, applicant),
            Self::Postgres(pool) => register!(pool, "BEGIN", " FOR UPDATE", event, applicant),
        }
    }
}
