//! Dates and times in words: in the event's zone, whose name they give.

use super::Texts;
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
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
        let same_day = starts.is_on_the_day_of(&ends);
        let last = if same_day {
            ends.clock()
        } else {
            self.day_and_clock(&ends)
        };
        let last = self.named(&last, &ends);
        Some(if starts.zone() != ends.zone() {
            // The clocks change in between: each end has its own name.
            format!("{} – {last}", self.named(&first, &starts))
        } else if same_day {
            format!("{first}–{last}")
        } else {
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

    /// `12 Dec`.
    pub(crate) fn short_day(self, local: &LocalTime) -> String {
        let (month, day) = (local.month(), local.day());
        match self.language {
            Language::English => format!("{day} {}", self.get(format!("month-{month}"))),
            Language::Chinese => format!("{month}月{day}日"),
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

    /// `web/js/dates.js` reads the same table (`tests/web/dates.test.mjs`).
    #[test]
    fn a_page_and_its_scripts_write_times_alike() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/dates.json");
        let table: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let rows = table.as_array().unwrap();
        assert!(rows.len() > 9);
        for row in rows {
            let text = |name: &str| row[name].as_str().unwrap();
            let language = Language::parse(text("language")).unwrap();
            let said = when(language, text("zone"), text("starts"), row["ends"].as_str());
            assert_eq!(said, text("said"));
        }
        assert_eq!(Texts::default().when(&Occasion::default()), None);
    }
}
