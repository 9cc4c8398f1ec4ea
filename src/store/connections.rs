//! Connections to a Postgres server: a pool, and the one that has written last.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Postgres};

/// The server's own limits stand behind the client's: a node that has vanished must not keep an event's lock. (Statements may
/// take long only where an event with a million registrations is deleted.) Short statements gain nothing from parallel workers
/// and compilation, which cost milliseconds where the planner overrates them. And a plan that was made while a table was empty
/// walks it whole for each look-up as long as it is kept: where there is an index, it is to be used. A plan for given values is as
/// bad: of an event that is newer than the statistics the planner believes that it has no rows, and takes any index that begins with
/// the event; one for any values takes the index that fits.
pub(super) const SETTINGS: &str = "\
    SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '4s', false),
        set_config('idle_in_transaction_session_timeout', '3s', false), set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false),
        set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
        set_config('plan_cache_mode', 'force_generic_plan', false)";
/// Connections of a node that only commits use. With those that read ([`super::readers`]) it has 10, and a server takes 100 by
/// default: room for several nodes and their listeners.
const WRITERS: u32 = 4;
/// Connections of a node for short reads.
pub(super) const SHORT_READERS: u32 = 3;
/// A connection that has been idle for longer is tried before it is used: the server may have been restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How long such a trial may take.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// How long to wait for a connection; less than the statement's own limit, so that the reason is told.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// Why a transaction has its connection.
const ENDED: &str = "only the end takes it away";

/// Where statements and transactions get their connections from. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: PgPool,
    last: Arc<Last>,
}

/// The connection of the transaction that has ended last. The next batch takes it: through the pool each would cost two round trips
/// that try it, and would wake another of the server's processes, whose caches are cold. It is one of the pool's, and goes back there
/// when a transaction begins more than a second after it was taken out, or at once when the pool has no other to give: whoever waits there
/// must not be overtaken for ever. After the last transaction it stays until the next.
#[derive(Debug, Default)]
struct Last(Mutex<Option<Lent>>);

/// A connection outside the pool, and since when.
#[derive(Debug)]
struct Lent {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Connections {
    pub(super) fn to(options: &PgConnectOptions) -> Self {
        Self {
            pool: pool_options()
                .max_connections(WRITERS)
                .connect_lazy_with(named(options)),
            last: Arc::default(),
        }
    }

    /// For transactions that write.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction with this statement.
    pub(super) async fn begin(&self, begin: &'static str) -> Result<Writing, sqlx::Error> {
        let lent = match self.last.take() {
            Some(lent) => lent,
            None => Lent {
                connection: self.pool.acquire().await?,
                since: Instant::now(),
            },
        };
        let mut writing = Writing {
            lent: Some(lent),
            from: self.clone(),
        };
        writing.execute(begin).await?;
        Ok(writing)
    }

    pub(super) async fn close(&self) {
        let closed = self.pool.close();
        // Whoever ends a transaction from here on sees that the pool is closed.
        self.last.forget();
        closed.await;
    }

    fn keep(&self, lent: Lent) {
        if self.pool.num_idle() == 0 && self.pool.size() >= WRITERS {
            // Dropped, it goes to the one who waits longest.
            return;
        }
        self.last.put(Some(lent));
        if self.pool.is_closed() {
            self.last.forget();
        }
    }
}

impl Last {
    /// `None` as well when it has been out for long enough: it goes back to the pool.
    fn take(&self) -> Option<Lent> {
        self.put(None)
            .filter(|lent| lent.since.elapsed() < TRUSTED_IDLE)
    }

    fn put(&self, lent: Option<Lent>) -> Option<Lent> {
        std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            lent,
        )
    }

    fn forget(&self) {
        if let Some(lent) = self.put(None) {
            lent.close();
        }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        // There may be no runtime any more to bring it back to the pool.
        self.forget();
    }
}

impl Lent {
    /// Closes it without a word: whatever the server was doing on it is rolled back.
    fn close(self) {
        drop(self.connection.detach());
    }
}

/// An open transaction. Dropped without an end, it closes its connection, and the server rolls back: nobody can tell what state it is in.
#[derive(Debug)]
pub(super) struct Writing {
    /// Until the end.
    lent: Option<Lent>,
    from: Connections,
}

impl Writing {
    /// Ends the transaction with this statement.
    pub(super) async fn end(mut self, end: &'static str) -> Result<(), sqlx::Error> {
        self.execute(end).await?;
        if let Some(lent) = self.lent.take() {
            self.from.keep(lent);
        }
        Ok(())
    }
}

impl Deref for Writing {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.lent.as_ref().expect(ENDED).connection
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.lent.as_mut().expect(ENDED).connection
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            lent.close();
        }
    }
}

/// How this program shows among the server's connections.
pub(super) fn named(options: &PgConnectOptions) -> PgConnectOptions {
    options
        .clone()
        .application_name("headcount")
        .disable_statement_logging()
}

pub(super) fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Never: a slow acquire fails, and is logged, when the timeout is over.
        .acquire_slow_threshold(Duration::MAX)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SETTINGS).await.map(drop) })
        })
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > TRUSTED_IDLE {
                    ping(connection).await
                } else {
                    Ok(true)
                }
            })
        })
        // sqlx tries every connection that comes back, but without a limit of time: one that was lost without a word, in a
        // future that was cancelled, would keep its place in the pool until TCP gives up.
        .after_release(|connection, _| Box::pin(ping(connection)))
}

async fn ping(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(PING_TIMEOUT, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
