//! A count as a line for people. Pure.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::cli::client::count::Count;
use crate::domain::clock::Timestamp;

/// `14:03:05`, in that zone.
pub(super) fn time(at: Timestamp, zone: TimeZone) -> String {
    let at =
        jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(zone).strftime("%H:%M:%S").to_string()
}

/// `  97 / 100  open       (+1)  registered`: aligned as long as no number grows by a digit.
pub(super) fn describe(previous: Option<&Count>, count: &Count) -> String {
    let capacity = count
        .capacity
        .map_or_else(|| "∞".to_owned(), |capacity| capacity.to_string());
    let width = capacity.chars().count().max(3);
    let mut line = format!(
        "{:>width$} / {capacity:<3}  {:<9}",
        count.registered,
        printable(&count.state)
    );
    let what = match previous {
        None => with_waiting(String::from("now"), count),
        Some(previous) => {
            let difference = i64::from(count.registered) - i64::from(previous.registered);
            let _ = write!(
                line,
                "  {:>6}",
                if difference == 0 {
                    String::new()
                } else {
                    format!("({difference:+})")
                }
            );
            change(previous, count, difference)
        }
    };
    let _ = write!(line, "  {what}");
    line
}

/// What happened between two counts, the most important first. There are several things when
/// revisions were skipped.
fn change(previous: &Count, count: &Count, difference: i64) -> String {
    let mut what = Vec::new();
    if count.round > previous.round {
        what.push(format!("reset, round {}", count.round));
    } else if count.round < previous.round {
        what.push(format!("reset undone, round {}", count.round));
    } else if difference != 0 {
        what.push(
            if difference > 0 {
                "registered"
            } else {
                "cancelled"
            }
            .to_owned(),
        );
    }
    if count.capacity != previous.capacity {
        what.push(count.capacity.map_or_else(
            || "no limit any more".to_owned(),
            |capacity| format!("capacity {capacity}"),
        ));
    }
    if count.state != previous.state {
        what.push(format!("now {}", printable(&count.state)));
    }
    if count.waiting != previous.waiting {
        what.push(waiting(count));
    }
    // A change of the title or the schedule alone, or a cancellation whose place was taken at once.
    if what.is_empty() {
        "changed".to_owned()
    } else {
        what.join(", ")
    }
}

/// While people wait, free places are too few for the group that is next.
fn waiting(count: &Count) -> String {
    let free = count
        .capacity
        .map_or(0, |places| places.saturating_sub(count.registered));
    if count.waiting > 0 && free > 0 {
        format!("{} waiting, {free} free", count.waiting)
    } else {
        format!("{} waiting", count.waiting)
    }
}

fn with_waiting(mut what: String, count: &Count) -> String {
    if count.waiting > 0 {
        let _ = write!(what, ", {}", waiting(count));
    }
    what
}

/// Without control characters: a server's text must not control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::count::example;

    fn after(change: impl FnOnce(&mut Count)) -> String {
        let (previous, _) = example(1, 97);
        let mut count = previous.clone();
        change(&mut count);
        describe(Some(&previous), &count)
    }

    #[test]
    fn says_what_has_happened() {
        assert_eq!(
            describe(None, &example(1, 97).0),
            " 97 / 100  open       now"
        );
        assert_eq!(
            after(|count| count.registered = 98),
            " 98 / 100  open         (+1)  registered"
        );
        assert_eq!(
            after(|count| count.registered = 92),
            " 92 / 100  open         (-5)  cancelled"
        );
        assert_eq!(
            after(|count| count.capacity = Some(120)),
            " 97 / 120  open               capacity 120"
        );
        assert_eq!(
            after(|count| count.capacity = None),
            " 97 / ∞    open               no limit any more"
        );
        assert_eq!(
            after(|count| (count.state, count.registered) = ("full".into(), 100)),
            "100 / 100  full         (+3)  registered, now full"
        );
        assert_eq!(
            after(|count| (count.round, count.registered) = (2, 0)),
            "  0 / 100  open        (-97)  reset, round 2"
        );
        assert_eq!(
            after(|count| (count.waiting, count.registered) = (4, 100)),
            "100 / 100  open         (+3)  registered, 4 waiting"
        );
        assert_eq!(
            after(|count| count.waiting = 4),
            " 97 / 100  open               4 waiting, 3 free"
        );
        assert_eq!(after(|_| ()), " 97 / 100  open               changed");
    }

    #[test]
    fn time_is_the_readers() {
        let at = Timestamp::from_millis(1_795_251_600_123);
        assert_eq!(time(at, TimeZone::UTC), "09:00:00");
        assert_eq!(time(at, TimeZone::fixed(jiff::tz::offset(8))), "17:00:00");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{9b}d"), "a [2Jb  c d");
    }
}
