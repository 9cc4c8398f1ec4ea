//! Turns a mail to everybody into one mail for each registration.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Deliver, Outcome};
use crate::domain::clock::Clock;
use crate::domain::outbox::Row;
use crate::store::Store;

/// Delivers the channel of fan-outs.
#[derive(Debug)]
pub struct Spread {
    /// The database.
    pub store: Store,
    /// The present moment.
    pub clock: Clock,
}

impl Deliver for Spread {
    fn deliver<'a>(&'a self, row: &'a Row) -> BoxFuture<'a, Outcome> {
        async {
            // Each portion is a transaction of its own: registrations get their turn between two.
            let mut progress = Some(row.progress);
            while let Some(after) = progress {
                match self.store.spread_outbox(row, after, self.clock.now()).await {
                    Ok(next) => progress = next,
                    Err(error) => {
                        return Outcome::Retry {
                            error: error.to_string(),
                            unreachable: false,
                        };
                    }
                }
            }
            Outcome::Sent
        }
        .boxed()
    }
}
