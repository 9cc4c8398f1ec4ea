//! The capacity rail under the figure: one tick a place up to 100 places, else 100 ticks, as SVG path data. `js/rail.js`
//! draws the same when the count changes.

use std::fmt::Write as _;

/// The most ticks: more are no longer told apart.
const TICKS: u32 = 100;

/// The rail's four paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rail {
    /// How many ticks there are, which is the width of the drawing.
    pub(super) ticks: u32,
    /// Free places.
    pub(super) free: String,
    /// Taken places.
    pub(super) taken: String,
    /// Registrations above a capacity that was lowered.
    pub(super) over: String,
    /// The mark at the last one.
    pub(super) needle: String,
}

impl Rail {
    /// The rail of `registered` against `capacity`; empty without a limit.
    pub(super) fn new(capacity: Option<u32>, registered: u32) -> Self {
        let Some(capacity) = capacity else {
            return Self::default();
        };
        let places = capacity.max(registered);
        if places == 0 {
            return Self::default();
        }
        let ticks = places.min(TICKS);
        // Never full before it is full, never empty once somebody is in.
        let share = |n: u32| match n {
            0 => 0,
            n => u32::try_from(u64::from(n) * u64::from(ticks) / u64::from(places))
                .unwrap_or(ticks)
                .max(1),
        };
        let (filled, limit) = (share(registered), share(capacity));
        Self {
            ticks,
            free: path(filled, ticks),
            taken: path(0, filled.min(limit)),
            over: path(limit.min(filled), filled),
            needle: filled
                .checked_sub(1)
                .map(|last| format!("M{last}.5 0V24"))
                .unwrap_or_default(),
        }
    }
}

/// Ticks `from..to`, every fifth and tenth longer, as on a ruler.
fn path(from: u32, to: u32) -> String {
    (from..to).fold(String::new(), |mut path, tick| {
        let top = match tick + 1 {
            n if n.is_multiple_of(10) => 2,
            n if n.is_multiple_of(5) => 5,
            _ => 8,
        };
        // Writing into a string cannot fail.
        let _ = write!(path, "M{tick}.5 {top}V20");
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(capacity: Option<u32>, registered: u32) -> [usize; 4] {
        let rail = Rail::new(capacity, registered);
        [rail.free, rail.taken, rail.over, rail.needle].map(|path| path.matches('M').count())
    }

    #[test]
    fn ticks_are_shared_out_honestly() {
        for (capacity, registered, expected) in [
            (None, 7, [0, 0, 0, 0]),
            (Some(0), 0, [0, 0, 0, 0]),
            (Some(10), 0, [10, 0, 0, 0]),
            (Some(10), 10, [0, 10, 0, 1]),
            (Some(4), 6, [0, 4, 2, 1]),
            (Some(0), 3, [0, 0, 3, 1]),
            (Some(1_000_000), 1, [99, 1, 0, 1]),
            (Some(1_000_000), 999_999, [1, 99, 0, 1]),
        ] {
            assert_eq!(
                drawn(capacity, registered),
                expected,
                "{registered} of {capacity:?}"
            );
        }
    }
}
