//! The fields of an event's details, in the form for a new event and in that for one that exists.

use crate::domain::{occasion, zone};

/// What the fields show.
#[derive(Debug)]
pub(in crate::http::pages) struct Details {
    /// Whether the event exists. If so, each field also says what it was.
    pub(in crate::http::pages) exists: bool,
    pub(in crate::http::pages) title: Setting,
    pub(in crate::http::pages) description: Setting,
    pub(in crate::http::pages) opens_at: Setting,
    pub(in crate::http::pages) closes_at: Setting,
    pub(in crate::http::pages) max_party_size: Setting,
    pub(in crate::http::pages) starts_at: Setting,
    pub(in crate::http::pages) ends_at: Setting,
    pub(in crate::http::pages) time_zone: Setting,
    pub(in crate::http::pages) location: Setting,
    pub(in crate::http::pages) online_url: Setting,
    pub(in crate::http::pages) contact: Setting,
    pub(in crate::http::pages) waitlist: Tick,
}

/// A field that holds text, as the macros of `_fields.html` take it.
#[derive(Debug)]
pub(in crate::http::pages) struct Field<'a> {
    pub(in crate::http::pages) id: String,
    pub(in crate::http::pages) name: &'static str,
    /// The catalogue's key.
    pub(in crate::http::pages) label: String,
    pub(in crate::http::pages) setting: &'a Setting,
    pub(in crate::http::pages) exists: bool,
    has_hint: bool,
}

impl Field<'_> {
    /// The ids of the elements that explain it.
    pub(in crate::http::pages) fn described_by(&self) -> Option<String> {
        let hint = self.has_hint.then(|| format!("{}-hint", self.id));
        let clash = self.exists.then(|| format!("{}-clash", self.id));
        let ids: Vec<_> = hint.into_iter().chain(clash).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

impl Details {
    pub(in crate::http::pages) fn title(&self) -> Field<'_> {
        Field {
            has_hint: false,
            ..self.field("title", "title", &self.title)
        }
    }

    pub(in crate::http::pages) fn description(&self) -> Field<'_> {
        Field {
            has_hint: false,
            ..self.field("description", "description", &self.description)
        }
    }

    /// The largest party.
    pub(in crate::http::pages) fn party(&self) -> Field<'_> {
        self.field("max_party_size", "party", &self.max_party_size)
    }

    pub(in crate::http::pages) fn moments(&self) -> [Field<'_>; 4] {
        [
            self.field("starts_at", "starts", &self.starts_at),
            self.field("ends_at", "ends", &self.ends_at),
            self.field("opens_at", "opens", &self.opens_at),
            self.field("closes_at", "closes", &self.closes_at),
        ]
    }

    /// The fields for one line, each with its type and length.
    pub(in crate::http::pages) fn lines(&self) -> [(Field<'_>, &'static str, usize); 4] {
        let zone = self.field("time_zone", "time-zone", &self.time_zone);
        let location = self.field("location", "location", &self.location);
        let online_url = self.field("online_url", "online-url", &self.online_url);
        let contact = self.field("contact", "contact", &self.contact);
        [
            (zone, "text", zone::NAME_MAX),
            (location, "text", occasion::LOCATION_MAX),
            (online_url, "url", occasion::ONLINE_URL_MAX),
            (contact, "text", occasion::CONTACT_MAX),
        ]
    }

    fn field<'a>(&self, name: &'static str, key: &str, setting: &'a Setting) -> Field<'a> {
        let form = if self.exists { "edit" } else { "create" };
        Field {
            id: format!("{form}-{key}"),
            name,
            label: format!("edit-{key}"),
            setting,
            exists: self.exists,
            has_hint: true,
        }
    }
}

/// One setting's field.
#[derive(Debug, Default)]
pub(in crate::http::pages) struct Setting {
    /// The field's content.
    pub(in crate::http::pages) value: String,
    /// The current value.
    pub(in crate::http::pages) now: String,
    /// The same for the hidden field, which loses nothing.
    pub(in crate::http::pages) was: String,
    /// Somebody else changed it meanwhile.
    pub(in crate::http::pages) clashes: bool,
    /// It conflicts with another setting, or is not valid.
    pub(in crate::http::pages) is_wrong: bool,
}

/// One setting's checkbox.
#[derive(Debug)]
pub(in crate::http::pages) struct Tick {
    /// Whether it is ticked.
    pub(in crate::http::pages) value: bool,
    /// What is true.
    pub(in crate::http::pages) now: bool,
}
