//! The fields of an event's details, in the form for a new event and in that for one that exists.

use crate::domain::occasion;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::http::pages::mistakes::Mistake;
use crate::text::Texts;

/// What the fields show.
#[derive(Debug)]
pub(in crate::http::pages) struct Details {
    /// Whether the event exists. If so, each field also says what it was.
    pub(in crate::http::pages) exists: bool,
    /// Whether they show what was typed instead of what is stored.
    pub(in crate::http::pages) is_refused: bool,
    pub(in crate::http::pages) title: Setting,
    pub(in crate::http::pages) description: Setting,
    pub(in crate::http::pages) opens_at: Setting,
    pub(in crate::http::pages) closes_at: Setting,
    pub(in crate::http::pages) max_party_size: Setting,
    pub(in crate::http::pages) erase_after: Setting,
    pub(in crate::http::pages) proof_of_work: Setting,
    pub(in crate::http::pages) visibility: Setting,
    pub(in crate::http::pages) starts_at: Setting,
    pub(in crate::http::pages) ends_at: Setting,
    pub(in crate::http::pages) time_zone: Setting,
    pub(in crate::http::pages) location: Setting,
    pub(in crate::http::pages) online_url: Setting,
    pub(in crate::http::pages) contact: Setting,
    pub(in crate::http::pages) waitlist: Tick,
    pub(in crate::http::pages) public_chart: Tick,
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
    is_refused: bool,
}

impl Field<'_> {
    /// Whether it still has its default value.
    pub(in crate::http::pages) fn is_fresh(&self) -> bool {
        !self.exists && !self.is_refused
    }

    /// The ids of the elements that explain it.
    pub(in crate::http::pages) fn described_by(&self) -> String {
        if self.has_hint {
            format!("{id}-hint {id}-error", id = self.id)
        } else {
            format!("{}-error", self.id)
        }
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

    /// For how many days registrations are kept.
    pub(in crate::http::pages) fn erase_after(&self) -> Field<'_> {
        self.field(EraseAfter::FIELD, "erase", &self.erase_after)
    }

    /// Whether visitors need a proof of work.
    pub(in crate::http::pages) fn proof(&self) -> Field<'_> {
        self.field(ProofOfWork::FIELD, "proof", &self.proof_of_work)
    }

    /// Who finds it.
    pub(in crate::http::pages) fn visibility(&self) -> Field<'_> {
        self.field(Visibility::FIELD, "visibility", &self.visibility)
    }

    pub(in crate::http::pages) fn moments(&self) -> [Field<'_>; 4] {
        [
            self.field("starts_at", "starts", &self.starts_at),
            self.field("ends_at", "ends", &self.ends_at),
            self.field("opens_at", "opens", &self.opens_at),
            self.field("closes_at", "closes", &self.closes_at),
        ]
    }

    /// When it takes place.
    pub(in crate::http::pages) fn usual_moments(&self) -> impl Iterator<Item = Field<'_>> {
        self.moments().into_iter().take(2)
    }

    /// When registration opens and closes. Most events open when they are made.
    pub(in crate::http::pages) fn rare_moments(&self) -> impl Iterator<Item = Field<'_>> {
        self.moments().into_iter().skip(2)
    }

    /// It comes before the moments, because it says what they mean.
    pub(in crate::http::pages) fn zone(&self) -> Field<'_> {
        self.field("time_zone", "time-zone", &self.time_zone)
    }

    /// The other fields for one line, each with its type and length.
    pub(in crate::http::pages) fn lines(&self) -> [(Field<'_>, &'static str, usize); 3] {
        let location = self.field("location", "location", &self.location);
        let online_url = self.field("online_url", "online-url", &self.online_url);
        let contact = self.field("contact", "contact", &self.contact);
        [
            (location, "text", occasion::LOCATION_MAX),
            (online_url, "url", occasion::ONLINE_URL_MAX),
            (contact, "text", occasion::CONTACT_MAX),
        ]
    }

    /// Whether one of the fields has a mistake that the form for a new event folds away.
    pub(in crate::http::pages) fn has_rare_mistakes(&self) -> bool {
        let rare = [
            &self.opens_at,
            &self.closes_at,
            &self.max_party_size,
            &self.erase_after,
            &self.proof_of_work,
            &self.online_url,
            &self.contact,
        ];
        rare.iter().any(|setting| setting.error.is_some())
    }

    /// What is wrong with them.
    pub(in crate::http::pages) fn mistakes(&self, t: Texts) -> Vec<Mistake> {
        let texts = [self.title(), self.description(), self.zone()];
        let lines = self.lines().map(|(field, _, _)| field);
        let fields = texts.into_iter().chain(self.moments()).chain(lines);
        fields
            .chain([
                self.visibility(),
                self.party(),
                self.erase_after(),
                self.proof(),
            ])
            .filter_map(|field| {
                let label = t.get(&field.label);
                Mistake::new(t, field.id, &label, field.setting.error.as_deref())
            })
            .collect()
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
            is_refused: self.is_refused,
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
    /// That somebody else changed it meanwhile, or what is wrong with it.
    pub(in crate::http::pages) error: Option<String>,
}

/// One setting's checkbox.
#[derive(Debug)]
pub(in crate::http::pages) struct Tick {
    /// Whether it is ticked.
    pub(in crate::http::pages) value: bool,
    /// What is true.
    pub(in crate::http::pages) now: bool,
}
