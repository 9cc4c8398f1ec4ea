//! The capacity rail under the figure, as SVG path data. Fewer than 10 places are segments, up to
//! 100 places are ticks, more share 100 ticks. `js/rail.js` draws the same when the count changes.

use std::fmt::Write as _;

/// The most ticks: more would run into each other.
const TICKS: u32 = 100;
/// Fewer places than this are segments: so few ticks would look lost.
const FEW: u32 = 10;

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
        // The rail is full only when the event is, and empty only when nobody is registered.
        let share = |n: u32| match n {
            0 => 0,
            n => u32::try_from(u64::from(n) * u64::from(ticks) / u64::from(places))
                .unwrap_or(ticks)
                .max(1),
        };
        let (filled, limit) = (share(registered), share(capacity));
        Self {
            ticks,
            free: path(ticks, filled, ticks),
            taken: path(ticks, 0, filled.min(limit)),
            over: path(ticks, limit.min(filled), filled),
            needle: filled
                .checked_sub(1)
                .map(|last| {
                    if ticks < FEW {
                        format!("M{} 2V24", segment(ticks, last).1)
                    } else {
                        format!("M{last}.5 0V24")
                    }
                })
                .unwrap_or_default(),
        }
    }

    /// Whether the places are drawn as segments.
    pub(super) fn few(&self) -> bool {
        self.ticks < FEW
    }
}

/// Where a segment begins and ends: a gap of one hundredth of the rail to its neighbours, none at
/// the rail's edges.
fn segment(ticks: u32, place: u32) -> (String, String) {
    let half_gap = ticks * 5;
    let left = match place {
        0 => "0".to_owned(),
        _ => format!("{place}.{half_gap:03}"),
    };
    let right = if place + 1 == ticks {
        ticks.to_string()
    } else {
        format!("{place}.{:03}", 1_000 - half_gap)
    };
    (left, right)
}

/// Places `from..to` of a rail of `ticks`: segments, or ticks of which every fifth and tenth is
/// longer, as on a ruler.
fn path(ticks: u32, from: u32, to: u32) -> String {
    (from..to).fold(String::new(), |mut path, tick| {
        if ticks < FEW {
            // Writing into a string cannot fail.
            let (left, right) = segment(ticks, tick);
            let _ = write!(path, "M{left} 14H{right}");
            return path;
        }
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
    fn a_small_event_has_a_segment_for_each_place_from_edge_to_edge() {
        let rail = Rail::new(Some(2), 1);
        assert!(rail.few());
        assert_eq!(
            [rail.taken, rail.free, rail.needle],
            ["M0 14H0.990", "M1.010 14H2", "M0.990 2V24"]
        );
        assert!(!Rail::new(Some(10), 1).few());
    }

    #[test]
    fn ticks_are_shared_out_honestly() {
        for (capacity, registered, expected) in [
            (None, 7, [0, 0, 0, 0]),
            (Some(0), 0, [0, 0, 0, 0]),
            (Some(1), 0, [1, 0, 0, 0]),
            (Some(1), 1, [0, 1, 0, 1]),
            (Some(2), 1, [1, 1, 0, 1]),
            (Some(3), 2, [1, 2, 0, 1]),
            (Some(7), 7, [0, 7, 0, 1]),
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
