//! Connections to a Postgres server: a pool, and the connection that wrote last.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Postgres};

use super::super::timeout::within;
use super::transaction::PgTransaction;

/// Session settings:
///
/// - Timeouts back up the client's: a node that vanished must not keep an event's lock. Only
///   deleting an event with a million registrations needs a long statement timeout.
/// - No parallel workers and no compilation: they cost short statements milliseconds.
/// - No sequential scans: a plan made while a table was empty would scan it for each look-up.
/// - Generic plans: with known values the planner assumes that an event newer than its statistics
///   has no rows. It then takes any index that begins with the event.
pub(super) const SETTINGS: &str = "\
    SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '4s', false),
        set_config('idle_in_transaction_session_timeout', '3s', false),
        set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false),
        set_config('max_parallel_workers_per_gather', '0', false),
        set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
        set_config('plan_cache_mode', 'force_generic_plan', false)";
/// Connections of a node that only commits use. With those that read ([`super::super::readers`]) it
/// has 14, and a server takes 100 by default: room for several nodes and their listeners.
const WRITERS: u32 = 8;
/// Connections of a node for short reads.
pub(super) const SHORT_READERS: u32 = 3;
/// A connection that has been idle for longer is tested before it is used: the server may have been
/// restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How long such a test may take.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// How long to wait for a connection; less than the statement's own limit, so that the error names
/// the reason.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections of transactions that write. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct WriterPool {
    pool: PgPool,
    last: Arc<Last>,
}

/// The connection of the transaction that ended last. The next batch takes it. Through the pool
/// each batch would cost two round trips that test the connection. It would also wake another of
/// the server's processes, whose caches are cold.
///
/// The connection is one of the pool's. It goes back when a transaction begins more than a second
/// after it was taken out. It goes back at once when the pool has no other to give, because nobody
/// who waits there may be overtaken for ever.
#[derive(Debug, Default)]
struct Last(Mutex<Option<PooledConn>>);

/// A connection outside the pool, and since when.
#[derive(Debug)]
pub(super) struct PooledConn {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl WriterPool {
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
    pub(super) async fn begin(&self, begin: &'static str) -> Result<PgTransaction, sqlx::Error> {
        let connection = match self.last.take() {
            Some(connection) => connection,
            None => PooledConn {
                connection: self.pool.acquire().await?,
                since: Instant::now(),
            },
        };
        PgTransaction::begin(connection, self.clone(), begin).await
    }

    pub(super) async fn close(&self) {
        let closed = self.pool.close();
        // A transaction that ends from here on sees that the pool is closed.
        self.last.forget();
        closed.await;
    }

    /// Takes back the connection of a transaction that has ended.
    pub(super) fn keep(&self, connection: PooledConn) {
        if self.pool.num_idle() == 0 && self.pool.size() >= WRITERS {
            // Dropping it returns it to the pool, which gives it to the longest waiting.
            return;
        }
        self.last.put(Some(connection));
        if self.pool.is_closed() {
            self.last.forget();
        }
    }
}

impl Last {
    /// Also `None` when it was outside the pool for too long: then it goes back.
    fn take(&self) -> Option<PooledConn> {
        self.put(None)
            .filter(|connection| connection.since.elapsed() < TRUSTED_IDLE)
    }

    fn put(&self, connection: Option<PooledConn>) -> Option<PooledConn> {
        std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            connection,
        )
    }

    fn forget(&self) {
        if let Some(connection) = self.put(None) {
            connection.close();
        }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        // Without a runtime the pool could not take it back.
        self.forget();
    }
}

impl PooledConn {
    /// Closes it without a goodbye message: the server rolls back its transaction.
    pub(super) fn close(self) {
        drop(self.connection.detach());
    }
}

impl Deref for PooledConn {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for PooledConn {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// With this program's name among the server's connections.
pub(in super::super) fn named(options: &PgConnectOptions) -> PgConnectOptions {
    options
        .clone()
        .application_name("headcount")
        .disable_statement_logging()
}

pub(super) fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Never: an acquire that is too slow fails, and is logged then.
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
        // sqlx tests every connection that comes back, but without a timeout. A connection that was
        // lost silently, in a future that was cancelled, would keep its place in the pool until TCP
        // gives up.
        .after_release(|connection, _| Box::pin(ping(connection)))
}

async fn ping(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match within(PING_TIMEOUT, connection.ping()).await {
        Some(answer) => answer.map(|()| true),
        None => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
