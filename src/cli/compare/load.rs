//! The load: people who register, at the same moments in every phase.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use indicatif::ProgressBar;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{Instant, sleep_until};

use super::lab::Lab;

/// The moments of registering: `rate` a second on average, independent of each other (a Poisson
/// process). They are the same for the same arguments, so that every transport gets the same bursts
/// and pauses.
pub(super) fn schedule(rate: f64, duration: Duration) -> Vec<Duration> {
    const SEED: u64 = 20_261_121;
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut moments = Vec::new();
    let mut at = 0.0;
    loop {
        // The gap between independent arrivals is exponential; 1 minus a number below 1 is never 0.
        at -= (1.0 - dice.random::<f64>()).ln() / rate;
        if at >= duration.as_secs_f64() {
            return moments;
        }
        moments.push(Duration::from_secs_f64(at));
    }
}

/// Registers people at their moments, whether or not earlier ones have their answers. Returns how
/// many had to retry.
pub(super) async fn people(
    lab: &Lab,
    schedule: &[Duration],
    progress: &ProgressBar,
) -> Result<usize, String> {
    let start = Instant::now();
    let (mut pending, mut delayed) = (FuturesUnordered::new(), 0);
    for &moment in schedule {
        loop {
            tokio::select! {
                () = sleep_until(start + moment) => break,
                Some(answer) = pending.next() => delayed += usize::from(answer?),
            }
        }
        pending.push(lab.register());
        progress.inc(1);
    }
    while let Some(answer) = pending.next().await {
        delayed += usize::from(answer?);
    }
    Ok(delayed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_comes_in_order_and_at_the_same_moment_in_every_run() {
        let moments = schedule(20.0, Duration::from_secs(100));
        assert!((1_800..2_200).contains(&moments.len()), "{}", moments.len());
        assert!(moments.is_sorted() && moments.last().unwrap() < &Duration::from_secs(100));
        assert_eq!(moments, schedule(20.0, Duration::from_secs(100)));
        assert_eq!(
            schedule(20.0, Duration::from_secs(5)),
            moments[..schedule(20.0, Duration::from_secs(5)).len()]
        );
    }
}
