//! A webhook's settings, as a request names them.

use serde::Deserialize;
use serde_json::Value;

use crate::context::Context;
use crate::domain::event::{EventId, Slug};
use crate::domain::invalid::Invalid;
use crate::domain::language::Language;
use crate::domain::webhook::{Format, Settings, Target, Topics};
use crate::http::field_value::{Check, FieldValue, JsonField};
use crate::http::find;
use crate::outbox::webhook::Unreachable;
use crate::problem::{Code, Problem};

/// All settings for a new webhook, any of them for a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields<'a> {
    #[serde(borrow)]
    url: FieldValue<'a>,
    events: JsonField,
    #[serde(borrow)]
    event: FieldValue<'a>,
    #[serde(borrow)]
    format: FieldValue<'a>,
    #[serde(borrow)]
    language: FieldValue<'a>,
    #[serde(borrow)]
    active: FieldValue<'a>,
}

/// Fails if an address that is not public is known to stand behind a target. A name without an
/// address now may get one later; each delivery looks again.
pub(in crate::http) async fn check_target(
    context: &Context,
    target: &Target,
) -> Result<(), Invalid> {
    match context.settings.webhooks.addresses(target).await {
        Ok(_) | Err(Unreachable::Unresolved) => Ok(()),
        Err(Unreachable::Forbidden(address)) => Err(Target::forbidden(address)),
    }
}

/// The settings of a new webhook.
pub(super) async fn new_settings(
    context: &Context,
    fields: &Fields<'_>,
) -> Result<Settings, Problem> {
    let mut check = Check::default();
    let url = fields.url.text(Target::FIELD).and_then(Target::parse);
    let target = check.take(url);
    let rest = Rest::of(context, fields, &mut check).await?;
    if let Some(target) = &target {
        check.take(check_target(context, target).await);
    }
    let Some(target) = target else {
        return Err(check.problem());
    };
    check.done()?;
    Ok(Settings {
        target,
        topics: rest.topics.unwrap_or_else(Topics::all),
        event: rest.about.or(None),
        format: rest.format.unwrap_or_default(),
        language: rest.language.unwrap_or_default(),
        active: rest.active.unwrap_or(true),
    })
}

/// The settings after a change; what is absent stays.
pub(super) async fn settings(
    context: &Context,
    fields: &Fields<'_>,
    before: &Settings,
) -> Result<Settings, Problem> {
    let mut check = Check::default();
    let target = match &fields.url {
        FieldValue::Absent => None,
        given => check.take(given.text(Target::FIELD).and_then(Target::parse)),
    };
    let rest = Rest::of(context, fields, &mut check).await?;
    if let Some(target) = &target {
        check.take(check_target(context, target).await);
    }
    check.done()?;
    Ok(Settings {
        target: target.unwrap_or_else(|| before.target.clone()),
        topics: rest.topics.unwrap_or_else(|| before.topics.clone()),
        event: rest.about.or(before.event),
        format: rest.format.unwrap_or(before.format),
        language: rest.language.unwrap_or(before.language),
        active: rest.active.unwrap_or(before.active),
    })
}

/// The settings besides the address, as far as they are given.
struct Rest {
    topics: Option<Topics>,
    about: About,
    format: Option<Format>,
    language: Option<Language>,
    active: Option<bool>,
}

impl Rest {
    async fn of(
        context: &Context,
        fields: &Fields<'_>,
        check: &mut Check,
    ) -> Result<Self, Problem> {
        let format = |word: Option<&str>| {
            let word = word.unwrap_or(Format::Standard.as_str());
            Format::parse(word).ok_or_else(Format::unknown)
        };
        let language = |tag: Option<&str>| {
            let tag = tag.unwrap_or(Language::English.tag());
            Language::parse(tag)
                .ok_or_else(|| Invalid::new("language", "unknown", "language must be en or zh-CN"))
        };
        Ok(Self {
            topics: check.take(topics(&fields.events)).flatten(),
            about: about(context, &fields.event, check).await?,
            format: check
                .take(fields.format.replacing(Format::FIELD, format))
                .flatten(),
            language: check
                .take(fields.language.replacing("language", language))
                .flatten(),
            active: check.take(fields.active.flag("active")).flatten(),
        })
    }
}

/// `null` is every type.
fn topics(field: &JsonField) -> Result<Option<Topics>, Invalid> {
    match field.get() {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Topics::all())),
        Some(Value::Array(words)) => {
            let words: Option<Vec<_>> = words.iter().map(Value::as_str).collect();
            Topics::parse(words.ok_or_else(Topics::unknown)?).map(Some)
        }
        Some(_) => Err(Topics::unknown()),
    }
}

/// The event that a request names.
#[derive(Debug, Clone, Copy)]
enum About {
    /// It names none.
    Unsaid,
    /// `null`.
    Everything,
    /// One event.
    One(EventId),
}

impl About {
    /// The setting after the request.
    fn or(self, before: Option<EventId>) -> Option<EventId> {
        match self {
            Self::Unsaid => before,
            Self::Everything => None,
            Self::One(event) => Some(event),
        }
    }
}

async fn about(
    context: &Context,
    field: &FieldValue<'_>,
    check: &mut Check,
) -> Result<About, Problem> {
    let slug = field.replacing("event", |slug| slug.map(named).transpose());
    match check.take(slug).flatten() {
        None => Ok(About::Unsaid),
        Some(None) => Ok(About::Everything),
        Some(Some(slug)) => match find::event(context, slug.as_str()).await {
            Ok(event) => Ok(About::One(event.id)),
            Err(problem) if problem.code() == Code::EventNotFound => {
                check.take::<()>(Err(no_event()));
                Ok(About::Unsaid)
            }
            Err(problem) => Err(problem),
        },
    }
}

fn named(slug: &str) -> Result<Slug, Invalid> {
    Slug::parse(slug).map_err(|_| no_event())
}

fn no_event() -> Invalid {
    Invalid::new(
        "event",
        "unknown",
        "event must be the slug of an event, or null for all",
    )
}
