//! When registration opens and closes, in words: a moment that has passed is not announced as one to
//! come. `web/js/schedule.js` does the same while the page is open.

use crate::domain::clock::Timestamp;

/// When registration opens or closes.
#[derive(Debug)]
pub(super) struct MomentView {
    /// Its field in the details.
    pub(super) field: &'static str,
    /// The message before the moment.
    pub(super) future: &'static str,
    /// The message after it.
    pub(super) past: &'static str,
    pub(super) at: Option<Timestamp>,
    is_past: bool,
}

impl MomentView {
    fn new(
        field: &'static str,
        [future, past]: [&'static str; 2],
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            field,
            future,
            past,
            at,
            is_past: at.is_some_and(|at| at <= now),
        }
    }

    /// The message that is true now.
    pub(super) fn key(&self) -> &'static str {
        if self.is_past { self.past } else { self.future }
    }
}

/// Both moments as a page of `now` shows them.
pub(super) fn moments(
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
    now: Timestamp,
) -> [MomentView; 2] {
    [
        MomentView::new("opens_at", ["event-opens", "event-opened"], opens_at, now),
        MomentView::new(
            "closes_at",
            ["event-closes", "event-closed"],
            closes_at,
            now,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_past_from_that_moment_on() {
        let at = |ms| Some(Timestamp::from_millis(ms));
        for (now, keys) in [
            (0, ["event-opens", "event-closes"]),
            (5, ["event-opened", "event-closes"]),
            (9, ["event-opened", "event-closed"]),
        ] {
            let shown = moments(at(5), at(9), Timestamp::from_millis(now));
            assert_eq!(shown.map(|moment| moment.key()), keys, "at {now}");
        }
        assert!(
            moments(None, None, Timestamp::from_millis(0))[0]
                .at
                .is_none()
        );
    }
}
