//! The entries of calendar files: of an event, and of a person's registration.

use super::Texts;
use super::standing::Standing;
use crate::domain::event::{Event, PartySize};
use crate::domain::registration::Registration;
use crate::wire::calendar::{Entry, Status};

/// An event as everybody sees it; `None` if it has no start. `page` is its address.
pub(crate) fn of_event(event: &Event, page: String) -> Option<Entry> {
    let occasion = &event.occasion;
    Some(Entry {
        // The epoch makes it unique among all installations, and does not depend on the address.
        uid: format!("{}-{}@headcount", event.slug, event.epoch.as_str()),
        sequence: i64::from(event.edits),
        stamp: event.edited_at.unwrap_or(event.at),
        starts_at: occasion.starts_at?,
        ends_at: occasion.ends_at,
        zone: occasion.time_zone.clone(),
        summary: event.title.clone(),
        description: event.description.clone(),
        location: occasion.location.clone(),
        contact: occasion.contact.clone(),
        url: page,
        status: Status::Confirmed,
    })
}

/// A registration as its owner sees it, with the private `link`; `None` if the event has no start.
/// It has nothing that the person typed.
pub(crate) fn of_registration(
    t: Texts,
    event: &Event,
    row: &Registration,
    link: String,
) -> Option<Entry> {
    let entry = of_event(event, String::new())?;
    let standing = Standing::new(row, event);
    let online = event.online_url_of(row.locator.round, row.status);
    let mut description = vec![t.get(standing.key()), t.own_number(row), link.clone()];
    description.extend(online.map(str::to_owned));
    if !event.description.is_empty() {
        description.extend([String::new(), event.description.clone()]);
    }
    Some(Entry {
        uid: format!("{}-{}", row.locator, entry.uid),
        // Every change of a registration that a calendar shows is a revision of its event.
        sequence: event.revision,
        stamp: event.at,
        description: description.join("\n"),
        location: match online {
            Some(url) if entry.location.is_empty() => url.to_owned(),
            Some(_) | None => entry.location,
        },
        url: link,
        status: match standing {
            Standing::Confirmed => Status::Confirmed,
            Standing::Waiting => Status::Tentative,
            Standing::Cancelled | Standing::Archived => Status::Cancelled,
        },
        ..entry
    })
}

impl Texts {
    /// `No. 12`, or `No. 12 · 3 people`.
    pub(crate) fn own_number(self, row: &Registration) -> String {
        let number = self.get1("registration-number", "number", row.locator.number);
        if row.party_size > PartySize::ONE {
            let people = self.get1("registration-people", "n", row.party_size.get());
            format!("{number} · {people}")
        } else {
            number
        }
    }
}
