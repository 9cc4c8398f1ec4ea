//! Changes of an event's settings.

use super::clock::Timestamp;
use super::event::{Capacity, Event};
use super::mail::{MailKinds, RemindBefore};
use super::occasion::OccasionEdit;
use super::party::PartySize;
use super::proof_of_work::ProofOfWork;
use super::questions::Question;
use super::retention::EraseAfter;
use super::visibility::Visibility;

/// The settings that an organiser changes. `None` keeps a setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// See [`super::event::parse_title`].
    pub title: Option<String>,
    /// See [`super::event::parse_description`].
    pub description: Option<String>,
    /// How many may be confirmed.
    pub capacity: Option<Capacity>,
    /// Whether a full event has a waiting list.
    pub waitlist: Option<bool>,
    /// The largest party that may register.
    pub max_party_size: Option<PartySize>,
    /// When registration opens; `Some(None)` removes the time.
    pub opens_at: Option<Option<Timestamp>>,
    /// When registration closes; `Some(None)` removes the time.
    pub closes_at: Option<Option<Timestamp>>,
    /// When and where it takes place. Boxed: it is large, and a queue holds many commands.
    pub occasion: Box<OccasionEdit>,
    /// `true` closes the event, `false` opens it again.
    pub closed: Option<bool>,
    /// How long after its end registrations are kept; `Some(None)` for ever.
    pub erase_after: Option<Option<EraseAfter>>,
    /// Whether visitors need a proof of work.
    pub proof_of_work: Option<ProofOfWork>,
    /// Whether anybody may see how the counts developed.
    pub public_chart: Option<bool>,
    /// Who finds it.
    pub visibility: Option<Visibility>,
    /// `true` puts it away and closes it, `false` brings it back, still closed.
    pub archived: Option<bool>,
    /// How long before the start to remind; `Some(None)` for no reminder.
    pub remind_before: Option<Option<RemindBefore>>,
    /// Which mails are sent.
    pub mails: Option<MailKinds>,
    /// The questions, all of them.
    pub questions: Option<Vec<Question>>,
    /// The same settings as the organiser saw them. The edit is refused if somebody else has
    /// changed one of them to a third value. Other changes of the event do not matter.
    pub was: Option<Box<Edit>>,
}

impl Edit {
    /// Whether no setting is given.
    pub fn is_empty(&self) -> bool {
        let Self {
            title,
            description,
            capacity,
            waitlist,
            max_party_size,
            opens_at,
            closes_at,
            occasion,
            closed,
            erase_after,
            proof_of_work,
            public_chart,
            visibility,
            archived,
            remind_before,
            mails,
            questions,
            was: _,
        } = self;
        title.is_none()
            && description.is_none()
            && capacity.is_none()
            && waitlist.is_none()
            && max_party_size.is_none()
            && opens_at.is_none()
            && closes_at.is_none()
            && occasion.is_empty()
            && closed.is_none()
            && erase_after.is_none()
            && proof_of_work.is_none()
            && public_chart.is_none()
            && visibility.is_none()
            && archived.is_none()
            && remind_before.is_none()
            && mails.is_none()
            && questions.is_none()
    }

    /// The names of the settings that somebody else has changed to a third value, see
    /// [`Self::was`].
    pub fn conflicts(&self, event: &Event) -> Vec<&'static str> {
        let Some(was) = self.was.as_deref() else {
            return Vec::new();
        };
        let mut names = Vec::new();
        if clash(self.title.as_ref(), was.title.as_ref(), &event.title) {
            names.push("title");
        }
        let (new, seen) = (self.description.as_ref(), was.description.as_ref());
        if clash(new, seen, &event.description) {
            names.push("description");
        }
        if clash(
            self.capacity.as_ref(),
            was.capacity.as_ref(),
            &event.capacity,
        ) {
            names.push("capacity");
        }
        if clash(
            self.waitlist.as_ref(),
            was.waitlist.as_ref(),
            &event.waitlist,
        ) {
            names.push("waitlist");
        }
        let (new, seen) = (self.max_party_size.as_ref(), was.max_party_size.as_ref());
        if clash(new, seen, &event.max_party_size) {
            names.push("max_party_size");
        }
        if clash(
            self.opens_at.as_ref(),
            was.opens_at.as_ref(),
            &event.opens_at,
        ) {
            names.push("opens_at");
        }
        let (new, seen) = (self.closes_at.as_ref(), was.closes_at.as_ref());
        if clash(new, seen, &event.closes_at) {
            names.push("closes_at");
        }
        let (new, seen) = (self.erase_after.as_ref(), was.erase_after.as_ref());
        if clash(new, seen, &event.erase_after) {
            names.push(EraseAfter::FIELD);
        }
        let (new, seen) = (self.proof_of_work.as_ref(), was.proof_of_work.as_ref());
        if clash(new, seen, &event.proof_of_work) {
            names.push(ProofOfWork::FIELD);
        }
        let (new, seen) = (self.public_chart.as_ref(), was.public_chart.as_ref());
        if clash(new, seen, &event.public_chart) {
            names.push("public_chart");
        }
        let (new, seen) = (self.visibility.as_ref(), was.visibility.as_ref());
        if clash(new, seen, &event.visibility) {
            names.push(Visibility::FIELD);
        }
        let (new, seen) = (self.archived.as_ref(), was.archived.as_ref());
        if clash(new, seen, &event.archived) {
            names.push("archived");
        }
        let (new, seen) = (self.remind_before.as_ref(), was.remind_before.as_ref());
        if clash(new, seen, &event.mail.remind_before) {
            names.push(RemindBefore::FIELD);
        }
        let (new, seen) = (self.mails.as_ref(), was.mails.as_ref());
        if clash(new, seen, &event.mail.mails) {
            names.push(MailKinds::FIELD);
        }
        names.extend(self.occasion.conflicts(&was.occasion, &event.occasion));
        let (new, seen) = (self.questions.as_deref(), was.questions.as_deref());
        if clash(new, seen, event.questions.asked()) {
            names.push("questions");
        }
        names
    }
}

/// Whether a setting is neither what the organiser saw nor what the organiser wants.
pub(super) fn clash<T: PartialEq + ?Sized>(new: Option<&T>, was: Option<&T>, now: &T) -> bool {
    matches!((new, was), (Some(new), Some(was)) if now != was && now != new)
}

#[cfg(test)]
mod tests {
    use super::super::event::{NewEvent, Slug};
    use super::super::position::Epoch;
    use super::*;

    fn event(title: &str, places: i64) -> Event {
        let (slug, capacity) = (Slug::parse("gala"), Capacity::limited(places));
        let new = NewEvent::new(slug.unwrap(), title, capacity.unwrap());
        new.open(Epoch::draw(), Timestamp::default())
    }

    fn retitled(was: &str, new: &str) -> Edit {
        Edit {
            title: Some(new.to_owned()),
            was: Some(Box::new(Edit {
                title: Some(was.to_owned()),
                ..Edit::default()
            })),
            ..Edit::default()
        }
    }

    #[test]
    fn only_a_setting_that_somebody_else_changed_is_a_conflict() {
        let edit = retitled("Gala", "Ball");
        assert_eq!(edit.conflicts(&event("Gala", 5)), [""; 0]);
        assert_eq!(
            edit.conflicts(&event("Gala", 9)),
            [""; 0],
            "not edited here"
        );
        assert_eq!(edit.conflicts(&event("Dance", 5)), ["title"]);
        assert_eq!(
            edit.conflicts(&event("Ball", 5)),
            [""; 0],
            "both want the same"
        );
        let unseen = Edit {
            was: None,
            ..retitled("Gala", "Ball")
        };
        assert_eq!(unseen.conflicts(&event("Dance", 5)), [""; 0]);
        assert!(Edit::default().is_empty() && !edit.is_empty());
    }
}
