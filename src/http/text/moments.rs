//! Dates and times in words: in the event's zone, whose name they give.

use super::{Language, Texts};
use crate::domain::clock::Timestamp;
use crate::domain::local_time::LocalTime;
use crate::domain::occasion::Occasion;
use crate::domain::zone::Zone;

impl Texts {
    /// `Sat 12 Dec 2026, 19:00 CET`.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates call it with a reference to a field"
    )]
    pub(crate) fn moment(self, at: &Timestamp, zone: &Zone) -> String {
        let local = LocalTime::of(*at, zone);
        self.named(&self.day_and_clock(&local), &local)
    }

    /// `Sat 12 Dec 2026, 19:00–22:00 CET`, or with two days, or with the start alone; `None`
    /// without a start.
    pub(crate) fn when(self, occasion: &Occasion) -> Option<String> {
        let zone = &occasion.time_zone;
        let starts_at = occasion.starts_at?;
        let Some(ends_at) = occasion.ends_at else {
            return Some(self.moment(&starts_at, zone));
        };
        let (starts, ends) = (LocalTime::of(starts_at, zone), LocalTime::of(ends_at, zone));
        let first = self.day_and_clock(&starts);
        let same_zone = starts.zone() == ends.zone();
        Some(if same_zone && starts.is_on_the_day_of(&ends) {
            self.named(&format!("{first}–{}", ends.clock()), &ends)
        } else {
            // The clocks change in between: each end has its own name.
            let first = if same_zone {
                first
            } else {
                self.named(&first, &starts)
            };
            let last = self.named(&self.day_and_clock(&ends), &ends);
            format!("{first} – {last}")
        })
    }

    fn day_and_clock(self, local: &LocalTime) -> String {
        let (day, clock) = (self.day(local), local.clock());
        match self.language {
            Language::English => format!("{day}, {clock}"),
            Language::Chinese => format!("{day}{clock}"),
        }
    }

    fn named(self, text: &str, local: &LocalTime) -> String {
        let zone = local.zone();
        match self.language {
            Language::English => format!("{text} {zone}"),
            Language::Chinese => format!("{text}（{zone}）"),
        }
    }

    fn day(self, local: &LocalTime) -> String {
        let (year, month, day) = (local.year(), local.month(), local.day());
        let weekday = self.get(format!("weekday-{}", local.weekday() + 1));
        match self.language {
            Language::English => {
                let month = self.get(format!("month-{month}"));
                format!("{weekday} {day} {month} {year}")
            }
            Language::Chinese => format!("{year}年{month}月{day}日（{weekday}）"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(language: Language, zone: &str, starts_at: &str, ends_at: Option<&str>) -> String {
        let occasion = Occasion {
            starts_at: Some(starts_at.parse().unwrap()),
            ends_at: ends_at.map(|at| at.parse().unwrap()),
            time_zone: Zone::parse(zone).unwrap(),
            ..Occasion::default()
        };
        Texts::new(language).when(&occasion).unwrap()
    }

    #[test]
    fn an_event_is_said_in_its_zone_and_names_it() {
        use Language::{Chinese, English};
        let (start, end) = ("2026-12-12T18:00:00Z", Some("2026-12-12T21:00:00Z"));
        let night = ("2026-10-24T20:00:00Z", Some("2026-10-25T03:00:00Z"));
        for (language, zone, starts_at, ends_at, expected) in [
            (
                English,
                "Europe/Berlin",
                start,
                end,
                "Sat 12 Dec 2026, 19:00–22:00 CET",
            ),
            (
                English,
                "Europe/Berlin",
                start,
                None,
                "Sat 12 Dec 2026, 19:00 CET",
            ),
            (
                English,
                "Asia/Shanghai",
                "2026-12-12T15:00:00Z",
                Some("2026-12-12T17:00:00Z"),
                "Sat 12 Dec 2026, 23:00 – Sun 13 Dec 2026, 01:00 CST",
            ),
            (
                English,
                "Europe/Berlin",
                night.0,
                night.1,
                "Sat 24 Oct 2026, 22:00 CEST – Sun 25 Oct 2026, 04:00 CET",
            ),
            (
                Chinese,
                "Europe/Berlin",
                start,
                end,
                "2026年12月12日（周六）19:00–22:00（CET）",
            ),
            (
                Chinese,
                "America/Sao_Paulo",
                start,
                None,
                "2026年12月12日（周六）15:00（UTC-03:00）",
            ),
        ] {
            assert_eq!(when(language, zone, starts_at, ends_at), expected);
        }
        assert_eq!(Texts::default().when(&Occasion::default()), None);
    }
}
