//! Delay and age: compares what a watcher showed with the change log. Pure.
//!
//! **Delay** of a change: from its commit to the first moment at which the watcher shows it *or a
//! later one*. Every change counts, also one that was skipped because a later one overtook it.
//! Otherwise an interval poll, which shows only the newest, would seem as fast as a push.
//!
//! **Age** at a moment `t`: `t` minus the commit of the oldest change that is not shown yet, and 0
//! while the newest is shown. It is how long the screen has been outdated.
//!
//! The mean age ranks the transports. It covers the moments in which the screen is outdated, and the
//! ten seconds after each change. So a quiet hour, in which no screen gets better or worse, does not
//! hide an outage. `web/js/compare/age.js` computes the same; `tests/cases/ages.json` tests both
//! against the same figures.
//!
//! The classical age of information is `t` minus the commit of the state that *is* shown. It also
//! grows while nothing changes, so it would measure the event and not the transport. If changes come
//! much more often than an interval poll asks, its mean age is half its interval. With fewer changes
//! it is less, because the screen is then right most of the time.

/// A committed change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) revision: i64,
    /// Microseconds of the server's clock.
    pub(super) at: i64,
}

/// A watcher shows a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) revision: i64,
    /// Microseconds of the server's clock.
    pub(super) at: i64,
}

/// Each change's delay in microseconds, up to the last revision that the watcher showed. Both lists
/// are in order of revision.
pub(super) fn delays(commits: &[Commit], sights: &[Sight]) -> impl Iterator<Item = u64> {
    let mut sights = sights.iter().peekable();
    commits.iter().map_while(move |commit| {
        while sights
            .next_if(|sight| sight.revision < commit.revision)
            .is_some()
        {}
        let seen = sights.peek()?;
        // Commit times are whole milliseconds, and two machines' clocks differ a little: cut a
        // negative delay to 0.
        Some(u64::try_from(seen.at - commit.at).unwrap_or(0))
    })
}

/// After a change, time counts for this long even if the screen is right (microseconds).
const AFTERWARDS_US: i64 = 10_000_000;

/// The mean age in microseconds from `from` to `to`, over the moments that count. The time before
/// the first count does not count. `None` if no moment counts.
pub(super) fn mean_age(commits: &[Commit], sights: &[Sight], from: i64, to: i64) -> Option<f64> {
    let (mut integral, mut time, mut next) = (0.0, 0, 0);
    for (index, sight) in sights.iter().enumerate() {
        let begin = sight.at.max(from);
        let end = sights
            .get(index + 1)
            .map_or(to, |following| following.at)
            .min(to);
        if end <= begin {
            continue;
        }
        while commits
            .get(next)
            .is_some_and(|commit| commit.revision <= sight.revision)
        {
            next += 1;
        }
        let missing = commits.get(next).filter(|missing| missing.at < end);
        // The screen is right until here.
        let turn = missing.map_or(end, |missing| missing.at.max(begin));
        if let Some(newest) = next.checked_sub(1).and_then(|last| commits.get(last)) {
            time += (turn.min(newest.at + AFTERWARDS_US) - begin.max(newest.at)).max(0);
        }
        // From here the age grows by a second a second.
        if let Some(missing) = missing {
            time += end - turn;
            let (low, high) = (seconds(turn - missing.at), seconds(end - missing.at));
            integral += (high * high - low * low) / 2.0;
        }
    }
    (time > 0).then(|| integral / seconds(time) * 1e6)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 285 years of microseconds"
)]
fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: i64 = 1_000_000;

    fn commits(at: &[i64]) -> Vec<Commit> {
        at.iter()
            .zip(1..)
            .map(|(&at, revision)| Commit { revision, at })
            .collect()
    }

    fn sights(list: &[(i64, i64)]) -> Vec<Sight> {
        list.iter()
            .map(|&(at, revision)| Sight { revision, at })
            .collect()
    }

    /// A line of `tests/cases/ages.json`; times in milliseconds, changes as `[revision, at]`.
    #[derive(serde::Deserialize)]
    struct Case {
        what: String,
        commits: Vec<(i64, i64)>,
        sights: Vec<(i64, i64)>,
        from: i64,
        to: i64,
        mean: Option<f64>,
    }

    #[test]
    fn the_mean_age_is_that_of_the_browsers_page() {
        const MS: i64 = 1_000;
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../../tests/cases/ages.json")).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let commits: Vec<Commit> = case
                .commits
                .iter()
                .map(|&(revision, at)| Commit {
                    revision,
                    at: at * MS,
                })
                .collect();
            let sights: Vec<Sight> = case
                .sights
                .iter()
                .map(|&(revision, at)| Sight {
                    revision,
                    at: at * MS,
                })
                .collect();
            let mean = mean_age(&commits, &sights, case.from * MS, case.to * MS);
            match (mean.map(|us| us / 1e3), case.mean) {
                (Some(mean), Some(expected)) => assert!(
                    (mean - expected).abs() < 1e-6,
                    "{}: {mean} instead of {expected}",
                    case.what
                ),
                (mean, expected) => assert_eq!(mean, expected, "{}", case.what),
            }
        }
    }

    #[test]
    fn an_interval_polls_mean_age_is_about_half_its_interval() {
        // 20 changes a second for a minute, asked for once a second.
        let committed: Vec<i64> = (0..1200).map(|n| n * S / 20).collect();
        let seen: Vec<(i64, i64)> = (0..60).map(|n| (n * S + S / 40, n * 20 + 1)).collect();
        let age = mean_age(&commits(&committed), &sights(&seen), 0, 60 * S).unwrap();
        assert!((450_000.0..500_000.0).contains(&age), "{age}");
    }

    #[test]
    fn a_skipped_change_is_as_late_as_the_one_that_overtook_it() {
        let list = |committed: &[i64], seen: &[(i64, i64)]| {
            delays(&commits(committed), &sights(seen)).collect::<Vec<_>>()
        };
        assert_eq!(list(&[0, 10, 20], &[(3, 1), (27, 3)]), [3, 17, 7]);
        assert_eq!(list(&[0, 10, 20], &[(3, 1)]), [3]);
        assert_eq!(list(&[5], &[(3, 1)]), [0]);
        assert_eq!(list(&[0], &[]), [0u64; 0]);
    }

    proptest! {
        /// The integral against a sum of small steps.
        #[test]
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        fn age_is_what_a_slow_count_says(
            gaps in proptest::collection::vec(0..40i64, 1..12),
            lags in proptest::collection::vec((0..40i64, 1..4usize), 0..12),
        ) {
            let mut at = 0;
            let committed: Vec<Commit> = gaps
                .iter()
                .zip(1..)
                .map(|(gap, revision)| {
                    at += gap;
                    Commit { revision, at }
                })
                .collect();
            let (mut now, mut next, mut seen) = (0, 0, vec![Sight { revision: 0, at: 0 }]);
            for (lag, skip) in lags {
                next = (next + skip).min(committed.len());
                now = (now + lag).max(committed[next - 1].at);
                seen.push(Sight { revision: committed[next - 1].revision, at: now });
            }
            let to = 500;
            let afterwards = AFTERWARDS_US as f64;
            let (mut area, mut time) = (0.0, 0.0);
            for tenth in 0..to * 10 {
                let t = (tenth as f64 + 0.5) / 10.0;
                let shown = seen.iter().rev().find(|sight| sight.at as f64 <= t).unwrap().revision;
                let missing = committed.iter().find(|commit| commit.revision > shown);
                let age = missing.map_or(0.0, |commit| (t - commit.at as f64).max(0.0));
                let recent = committed
                    .iter()
                    .any(|commit| (0.0..afterwards).contains(&(t - commit.at as f64)));
                if age > 0.0 || recent {
                    area += age / 10.0;
                    time += 0.1;
                }
            }
            let mean = area / time;
            let age = mean_age(&committed, &seen, 0, to).unwrap();
            prop_assert!((age - mean).abs() < 0.01, "{age} {mean}");
        }
    }
}
