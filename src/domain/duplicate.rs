//! A new event with the settings of another one.

use super::event::{Event, NewEvent, Slug};
use super::occasion::Occasion;
use super::visibility::Visibility;

/// What differs from the event that is duplicated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The new event's name in URLs.
    pub slug: Slug,
    /// Its title; `None` for the same.
    pub title: Option<String>,
    /// Whether the four times are kept. Otherwise there are none: most copies are for another day.
    pub keep_times: bool,
    /// Who finds it. A draft unless said otherwise, so that nobody registers before it is checked.
    pub visibility: Visibility,
}

impl Duplicate {
    /// The settings and questions of `event`. People, announcements and the archive are not copied.
    pub fn of(self, event: &Event) -> NewEvent {
        let times = |at| if self.keep_times { at } else { None };
        NewEvent {
            slug: self.slug,
            title: self.title.unwrap_or_else(|| event.title.clone()),
            description: event.description.clone(),
            capacity: event.capacity,
            waitlist: event.waitlist,
            max_party_size: event.max_party_size,
            opens_at: times(event.opens_at),
            closes_at: times(event.closes_at),
            occasion: Occasion {
                starts_at: times(event.occasion.starts_at),
                ends_at: times(event.occasion.ends_at),
                ..Occasion::clone(&event.occasion)
            },
            questions: event.questions.asked().to_vec(),
            erase_after: event.erase_after,
            proof_of_work: event.proof_of_work,
            public_chart: event.public_chart,
            visibility: self.visibility,
            archived: false,
            mail: event.mail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::Timestamp;
    use super::super::event::Capacity;
    use super::super::position::Epoch;
    use super::*;

    #[test]
    fn settings_are_copied_and_times_only_on_request() {
        let at = |ms| Some(Timestamp::from_millis(ms));
        let slug = |text| Slug::parse(text).unwrap();
        let original = NewEvent {
            description: "Bring a coat.".to_owned(),
            opens_at: at(1),
            closes_at: at(2),
            occasion: Occasion {
                starts_at: at(3),
                ends_at: at(4),
                location: "Town hall".to_owned(),
                ..Occasion::default()
            },
            archived: true,
            ..NewEvent::new(slug("gala"), "Gala", Capacity::limited(9).unwrap())
        };
        let event = original.clone().open(Epoch::draw(), Timestamp::default());
        let copy = |keep_times| {
            let duplicate = Duplicate {
                slug: slug("ball"),
                title: None,
                keep_times,
                visibility: Visibility::Draft,
            };
            duplicate.of(&event)
        };
        let kept = NewEvent {
            slug: slug("ball"),
            visibility: Visibility::Draft,
            archived: false,
            ..original
        };
        assert_eq!(copy(true), kept);
        let occasion = Occasion {
            starts_at: None,
            ends_at: None,
            ..kept.occasion.clone()
        };
        let emptied = NewEvent {
            opens_at: None,
            closes_at: None,
            occasion,
            ..kept
        };
        assert_eq!(copy(false), emptied);
    }
}
