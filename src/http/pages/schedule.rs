//! When registration opens and closes, in words: a moment that has passed is not announced as one to
//! come, nor one that comes to an event which is closed, archived or a draft: it changes nothing then.
//! `web/js/schedule.js` does the same while the page is open.

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
    is_awaited: bool,
}

impl MomentView {
    fn new(
        field: &'static str,
        [future, past]: [&'static str; 2],
        at: Option<Timestamp>,
        now: Timestamp,
        is_awaited: bool,
    ) -> Self {
        Self {
            is_awaited,
            field,
            future,
            past,
            at,
            is_past: at.is_some_and(|at| at <= now),
        }
    }

    /// Whether there is anything to say.
    pub(super) fn is_shown(&self) -> bool {
        self.at.is_some() && (self.is_past || self.is_awaited)
    }

    /// The message that is true now.
    pub(super) fn key(&self) -> &'static str {
        if self.is_past { self.past } else { self.future }
    }
}

/// Both moments as a page of `now` shows them. `awaited`: whether registration opens and closes by itself.
pub(super) fn moments(
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
    now: Timestamp,
    awaited: bool,
) -> [MomentView; 2] {
    [
        MomentView::new(
            "opens_at",
            ["event-opens", "event-opened"],
            opens_at,
            now,
            awaited,
        ),
        MomentView::new(
            "closes_at",
            ["event-closes", "event-closed"],
            closes_at,
            now,
            awaited,
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
            let shown = moments(at(5), at(9), Timestamp::from_millis(now), true);
            assert_eq!(shown.each_ref().map(MomentView::key), keys, "at {now}");
            assert!(shown.iter().all(MomentView::is_shown));
        }
        let [opens, _] = moments(None, None, Timestamp::from_millis(0), true);
        assert!(opens.at.is_none() && !opens.is_shown());
    }

    #[test]
    fn what_no_longer_comes_is_not_announced() {
        let at = |ms| Some(Timestamp::from_millis(ms));
        for (now, shown) in [(0, [false, false]), (5, [true, false]), (9, [true, true])] {
            let closed = moments(at(5), at(9), Timestamp::from_millis(now), false);
            assert_eq!(closed.map(|moment| moment.is_shown()), shown, "at {now}");
        }
    }
}
