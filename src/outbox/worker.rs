//! Claims the rows of one channel, has them delivered, and records the outcomes.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};

use super::housekeeping::TOTAL;
use super::{Deliverer, Outcome, stopped};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::outbox::{Channel, Lifetime, Row, RowId, next_attempt};
use crate::store::Store;
use crate::store::outbox::{Budget, Finish, PerLane, Want};

/// How long a claim holds unless it is renewed. A dead node's rows are claimed again within a
/// minute.
const LEASE: Duration = Duration::from_secs(45);
/// How often leases are renewed while rows are being delivered.
const RENEWAL: Duration = Duration::from_secs(15);
/// How long one attempt may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(90);
/// How often to look for rows that are due, or that another node has written. What this node writes
/// wakes the worker at once.
const POLL: Duration = Duration::from_secs(2);
/// The least time between two looks: each is a transaction, for which registrations would wait.
const GAP: Duration = Duration::from_millis(100);
/// The pause after the first attempt that could not reach the server; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause: the first retry comes within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long to collect outcomes for one transaction.
const RECORD_GAP: Duration = Duration::from_millis(50);
/// How long to wait before an outcome that could not be recorded is recorded again.
const RECORD_PAUSE: Duration = Duration::from_secs(1);
/// How long deliveries may still take when the program stops. What is cut then keeps its lease: the
/// receiver may have it.
pub const DRAIN: Duration = Duration::from_secs(5);

/// What a worker needs.
pub struct Worker {
    /// The database.
    pub store: Store,
    /// The present moment.
    pub clock: Clock,
    /// Which rows.
    pub channel: Channel,
    /// What delivers them.
    pub deliver: Deliverer,
    /// This node's name among all nodes.
    pub owner: String,
    /// How many mails an hour; `None` for no limit.
    pub budget: Option<Budget>,
    /// How many deliveries at the same time.
    pub in_flight: u32,
    /// How many of them may belong to one lane; `None` for no limit. A receiver that does not answer
    /// then delays no other.
    pub per_lane: Option<u32>,
    /// How long a row is tried.
    pub lifetime: Lifetime,
}

/// The deliveries under way.
struct Flight {
    tasks: JoinSet<Outcome>,
    rows: HashMap<Id, Row>,
    /// Attempts in a row that could not reach the server.
    failures: u32,
    paused_until: Timestamp,
    /// Whether a budget held rows back at the last look.
    held: bool,
    /// Whether they left nothing to send.
    starved: bool,
}

type Joined = Result<(Id, Outcome), JoinError>;

impl Worker {
    /// Works until `stop` is true, then finishes what is under way.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut flight = Flight {
            tasks: JoinSet::new(),
            rows: HashMap::new(),
            failures: 0,
            paused_until: Timestamp::default(),
            held: false,
            starved: false,
        };
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewals = interval(RENEWAL);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_look = Instant::now();
        let mut look = true;
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(ended) = flight.tasks.join_next_with_id(), if !flight.tasks.is_empty() => {
                    self.record(&mut flight, ended).await;
                    look = true;
                }
                () = sleep_until(next_look), if look => {
                    self.claim(&mut flight).await;
                    look = false;
                    // Nothing changes within a moment while the budgets are used up.
                    next_look = Instant::now() + if flight.starved { POLL } else { GAP };
                }
                () = self.store.outgoing().written(self.channel) => look = true,
                _ = polls.tick() => look = true,
                _ = renewals.tick(), if !flight.tasks.is_empty() => self.renew().await,
            }
        }
        self.drain(flight).await;
    }

    /// Claims what there is room for and starts to deliver it.
    async fn claim(&self, flight: &mut Flight) {
        let now = self.clock.now();
        let under_way = u32::try_from(flight.tasks.len()).unwrap_or(u32::MAX);
        let room = match flight.failures {
            0 => self.in_flight,
            // One row finds out whether the server is back.
            _ => 1,
        };
        let limit = room.saturating_sub(under_way);
        if limit == 0 || now < flight.paused_until {
            return;
        }
        let busy = flight.lanes();
        let want = Want {
            channel: self.channel,
            owner: &self.owner,
            now,
            until: now.plus(LEASE),
            limit,
            budget: self.budget,
            per_lane: self.per_lane.map(|most| PerLane {
                most,
                under_way: &busy,
            }),
        };
        let claimed = match self.store.claim_outbox(&want).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::debug!(%error, channel = self.channel.as_str(), "cannot claim outbox rows; trying again");
                return;
            }
        };
        if claimed.held && !flight.held {
            tracing::warn!(
                "a budget holds mail back; it is sent later (--mail-per-event, --mail-per-hour)"
            );
        }
        flight.held = claimed.held;
        flight.starved = claimed.held && claimed.rows.is_empty();
        for row in claimed.rows {
            // After a jump of the clock a lease can expire while the row is being delivered.
            if flight.has(row.id) {
                continue;
            }
            let (deliver, own) = (self.deliver.clone(), row.clone());
            let task = flight.tasks.spawn(async move {
                let attempt = deliver.deliver(&own);
                timeout(ATTEMPT_TIMEOUT, attempt)
                    .await
                    .unwrap_or_else(|_| Outcome::Retry {
                        error: "the attempt took too long".to_owned(),
                        unreachable: false,
                    })
            });
            flight.rows.insert(task.id(), row);
        }
    }

    /// Records how attempts ended: this one, and all that end shortly after. Each record is a
    /// transaction, for which registrations would wait.
    async fn record(&self, flight: &mut Flight, first: Joined) {
        let mut ended = Vec::new();
        let mut next = Some(first);
        let deadline = Instant::now() + RECORD_GAP;
        while let Some(joined) = next {
            ended.extend(self.judge(flight, joined));
            next = timeout_at(deadline, flight.tasks.join_next_with_id())
                .await
                .unwrap_or_default();
        }
        while let Err(error) = self
            .store
            .finish_outbox(&self.owner, &ended, self.clock.now())
            .await
        {
            // Without a record the rows would be delivered again.
            tracing::warn!(%error, rows = ended.len(), "cannot record what was sent; trying again");
            sleep(RECORD_PAUSE).await;
        }
    }

    /// What follows from the end of an attempt; `None` after a defect, when the lease has to expire.
    fn judge(&self, flight: &mut Flight, joined: Joined) -> Option<(Row, Finish)> {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, Some(outcome)),
            Err(error) => {
                tracing::error!(%error, "a delivery panicked");
                (error.id(), None)
            }
        };
        let row = flight.rows.remove(&id)?;
        let outcome = outcome?;
        let now = self.clock.now();
        let (word, finish) = match outcome {
            Outcome::Sent => ("sent", Finish::Sent),
            Outcome::Failed { error, refused } => ("failed", Finish::Failed { error, refused }),
            Outcome::Dropped(reason) => {
                let reason = reason.to_owned();
                ("dropped", Finish::Dropped { reason })
            }
            Outcome::Retry { error, unreachable } => {
                flight.note(unreachable, now, &error);
                let first = row.attempted.unwrap_or(now);
                let jitter = rand::random();
                match next_attempt(row.attempts, first, now, self.lifetime, jitter) {
                    Some(due) => (
                        "retry",
                        Finish::Again {
                            due,
                            error: Some(error),
                        },
                    ),
                    None => (
                        "failed",
                        Finish::Failed {
                            error,
                            refused: false,
                        },
                    ),
                }
            }
        };
        if !matches!(finish, Finish::Again { .. }) {
            flight.failures = 0;
        }
        let channel = self.channel.as_str();
        metrics::counter!(TOTAL, "channel" => channel, "outcome" => word).increment(1);
        tracing::debug!(row = row.id, channel, kind = %row.kind, outcome = word, "delivery attempted");
        Some((row, finish))
    }

    async fn renew(&self) {
        let until = self.clock.now().plus(LEASE);
        if let Err(error) = self
            .store
            .renew_outbox(&self.owner, self.channel, until)
            .await
        {
            tracing::warn!(%error, "cannot renew leases of the outbox; rows may be sent twice");
        }
    }

    async fn drain(&self, mut flight: Flight) {
        let deadline = Instant::now() + DRAIN;
        while !flight.tasks.is_empty() {
            tokio::select! {
                Some(ended) = flight.tasks.join_next_with_id() => self.record(&mut flight, ended).await,
                () = sleep_until(deadline) => {
                    tracing::info!(rows = flight.tasks.len(), "deliveries are cut; they are tried again");
                    flight.tasks.shutdown().await;
                    return;
                }
            }
        }
    }
}

impl Flight {
    /// How many rows of each lane are under way.
    fn lanes(&self) -> HashMap<i64, u32> {
        let mut lanes = HashMap::new();
        for row in self.rows.values() {
            *lanes.entry(row.lane).or_default() += 1;
        }
        lanes
    }

    fn has(&self, row: RowId) -> bool {
        self.rows.values().any(|own| own.id == row)
    }

    /// Notes whether an attempt that failed has reached the server.
    fn note(&mut self, unreachable: bool, now: Timestamp, error: &str) {
        if !unreachable {
            self.failures = 0;
            return;
        }
        let grown = 2_u32.saturating_pow(self.failures);
        let pause = FIRST_PAUSE.saturating_mul(grown).min(LONGEST_PAUSE);
        self.paused_until = now.plus(pause);
        if self.failures == 0 {
            tracing::warn!(
                error,
                "the receiver cannot be reached; trying again and again"
            );
        }
        self.failures = self.failures.saturating_add(1);
    }
}
