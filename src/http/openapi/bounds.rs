//! The bounds of members and parameters, taken from the constants with which they are parsed. So no
//! number is written twice; utoipa's attributes take literals only.
//!
//! A length counts code points after trimming (docs/protocol.md, section 8), so the server takes
//! white space around it besides.

use serde_json::{Value, json};

use crate::domain::account;
use crate::domain::announcement;
use crate::domain::event::{self, Capacity, PartySize, Slug};
use crate::domain::invalid::{HOSTILE, OF_SEVERAL_LINES};
use crate::domain::mail::{MailKinds, RemindBefore};
use crate::domain::occasion;
use crate::domain::person::{Email, Name};
use crate::domain::position::Epoch;
use crate::domain::questions;
use crate::domain::registration::{IdempotencyKey, Secret, Status};
use crate::domain::retention::EraseAfter;
use crate::domain::series::Step;
use crate::domain::webhook::Target;
use crate::domain::zone;
use crate::http::organiser::{LIMIT_MAX, import};
use crate::stats::series::POINTS_MAX;
use crate::store::Order;
use crate::transport::changes;

/// Keywords of JSON Schema.
type Bound = Value;

/// Adds its bounds to every schema of the document, and a schema to every parameter.
pub(super) fn apply(document: &mut Value) {
    for (name, schema) in members(document.pointer_mut("/components/schemas")) {
        bind(name, schema);
    }
    for (path, methods) in members(document.get_mut("paths")) {
        for (_, operation) in members(Some(methods)) {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                parameter["schema"] = of_parameter(path, name);
            }
        }
    }
}

fn members(object: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    object.and_then(Value::as_object_mut).into_iter().flatten()
}

fn bind(name: &str, schema: &mut Value) {
    for part in schema
        .get_mut("allOf")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        bind(name, part);
    }
    for (member, described) in members(schema.get_mut("properties")) {
        add(described, of_member(name, member));
    }
}

fn add(schema: &mut Value, bound: Option<Bound>) {
    if let (Some(schema), Some(Value::Object(bound))) = (schema.as_object_mut(), bound) {
        schema.extend(bound);
    }
}

/// One word has one meaning in the whole API, except in a problem.
fn of_member(schema: &str, member: &str) -> Option<Bound> {
    match member {
        "type" | "title" | "status" | "detail" if schema == "Problem" => None,
        _ if OF_OWNER.contains(&schema) => of_owner(schema, member),
        "slug" | "event" | "confirm" => Some(slug()),
        "position" => Some(json!({ "pattern": position() })),
        "capacity" | "remaining" => Some(json!({ "minimum": 0, "maximum": Capacity::MAX })),
        "party_size" | "max_party_size" => Some(json!({ "minimum": 1, "maximum": PartySize::MAX })),
        "title" => Some(line(event::TITLE_MAX)),
        "description" => Some(text(0, event::DESCRIPTION_MAX, &OF_SEVERAL_LINES)),
        "location" => Some(text(0, occasion::LOCATION_MAX, &[])),
        "contact" => Some(text(0, occasion::CONTACT_MAX, &[])),
        "online_url" => {
            Some(json!({ "maxLength": occasion::ONLINE_URL_MAX, "pattern": "^https?://" }))
        }
        "time_zone" => Some(json!({ "minLength": 1, "maxLength": zone::NAME_MAX })),
        "remind_hours_before" => {
            Some(json!({ "minimum": RemindBefore::MIN, "maximum": RemindBefore::MAX }))
        }
        "mails" => Some(json!({ "maxItems": MailKinds::SWITCHES.len() })),
        "erase_after_days" => {
            Some(json!({ "minimum": EraseAfter::MIN, "maximum": EraseAfter::MAX }))
        }
        // An erased registration has no name.
        "name" if matches!(schema, "Registration" | "Row") => {
            Some(text(0, Name::MAX, &OF_SEVERAL_LINES))
        }
        "name" => Some(text(1, Name::MAX, &OF_SEVERAL_LINES)),
        "email" => Some(json!({ "minLength": 3, "maxLength": Email::MAX, "pattern": email() })),
        "text" => Some(line(announcement::MAX)),
        "token" => Some(json!({ "pattern": token() })),
        "id" if matches!(schema, "Webhook" | "Delivery") => None,
        "url" => Some(json!({ "maxLength": Target::MAX, "pattern": "^https?:" })),
        "id" => Some(json!({ "pattern": format!("^{LOCATOR}$") })),
        "key" => Some(json!({ "pattern": format!("^{}$", key()) })),
        "label" => Some(line(questions::LABEL_MAX)),
        "help" => Some(text(0, questions::HELP_MAX, &[])),
        "options" => Some(json!({
            "maxItems": questions::OPTIONS.end(),
            "items": add_to(json!({ "type": "string" }), line(questions::OPTION_MAX)),
        })),
        "questions" => Some(json!({ "maxItems": questions::MAX })),
        "changes" => Some(json!({ "maxItems": changes::LONGEST_PAGE })),
        "rows" | "accepted" if schema == "ImportReport" => {
            Some(json!({ "minimum": 0, "maximum": import::ROWS_MAX }))
        }
        "points" => Some(json!({ "maxItems": POINTS_MAX })),
        "registrations" | "entries" => Some(json!({ "maxItems": LIMIT_MAX })),
        _ => None,
    }
}

/// Schemas of accounts, tokens and sessions, where some words mean something else.
const OF_OWNER: [&str; 6] = [
    "Account",
    "NewAccount",
    "AccountEdit",
    "Token",
    "NewToken",
    "Session",
];

fn of_owner(schema: &str, member: &str) -> Option<Bound> {
    match member {
        "id" if schema == "Session" => Some(json!({ "pattern": SESSION_ID })),
        "id" => Some(json!({ "pattern": ROW_ID })),
        "name" => Some(line(account::NAME_MAX)),
        "event" => Some(slug()),
        "scopes" => Some(json!({ "minItems": 1 })),
        "token" => Some(json!({ "pattern": "^hc_[0-9a-f]{64}$" })),
        _ => None,
    }
}

/// The schema of a parameter of the path, the query or the head. What the server never refuses has
/// no bound.
fn of_parameter(path: &str, name: &str) -> Value {
    let mut schema = match name {
        // A number above the maximum is not an error.
        "limit" | "round" => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        "wait" => json!({ "type": "integer", "minimum": 0 }),
        "after" if path.ends_with("/audit") || path.ends_with("/deliveries") => {
            json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX })
        }
        "after" if path.contains("/registrations") => {
            json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
        }
        "dry_run" => json!({ "type": "boolean" }),
        "status" => json!({ "type": "string", "enum": Status::ALL.map(Status::as_str) }),
        "from" | "to" => json!({ "type": "string", "format": "date-time" }),
        "step" => json!({ "type": "string", "enum": Step::ALL.map(Step::as_str) }),
        "sort" => json!({ "type": "string", "enum": Order::ALL.map(|(word, _)| word) }),
        _ => json!({ "type": "string" }),
    };
    add(
        &mut schema,
        match name {
            "slug" | "confirm" => Some(slug()),
            "token" => Some(json!({ "pattern": token() })),
            "id" if path.contains("/accounts/") || path.contains("/tokens/") => {
                Some(json!({ "pattern": ROW_ID }))
            }
            "id" if path.contains("/sessions/") => Some(json!({ "pattern": SESSION_ID })),
            "id" => Some(json!({ "pattern": format!("^{LOCATOR}$") })),
            "Idempotency-Key" => Some(text(1, IdempotencyKey::MAX, &[])),
            _ => None,
        },
    );
    schema
}

/// Three whole numbers from 1, without leading zeros.
const LOCATOR: &str = "[1-9][0-9]*-[1-9][0-9]*-[1-9][0-9]*";

/// The key of an account or a token; 0 is the account `owner`.
const ROW_ID: &str = "^(0|[1-9][0-9]*)$";
/// The beginning of a session's digest.
const SESSION_ID: &str = "^[0-9a-f]{16}$";

fn slug() -> Bound {
    json!({ "minLength": 1, "maxLength": Slug::MAX, "pattern": "^[a-z0-9-]+$" })
}

fn key() -> String {
    format!("[a-z][a-z0-9_]{{0,{}}}", questions::Key::MAX - 1)
}

fn add_to(mut schema: Value, bound: Bound) -> Value {
    add(&mut schema, Some(bound));
    schema
}

fn position() -> String {
    format!(
        "^[a-z0-9]{{{},{}}}-(0|[1-9][0-9]*)$",
        Epoch::LENGTH.start(),
        Epoch::LENGTH.end()
    )
}

fn token() -> String {
    format!("^{LOCATOR}-[A-Za-z0-9]{{{}}}$", Secret::LENGTH)
}

/// The ASCII characters that no domain has: all but letters, digits, hyphen, dot and low line.
const PUNCTUATION: &str = r"\u0021-\u002c\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u007e";

/// An address: a local part without separators, an `@`, and a domain. No label of the domain has a
/// hyphen at either end, or is too long. The root's dot may follow. It accepts more
/// international domains than UTS 46 does.
fn email() -> String {
    let never = format!(
        r"\s{}{}",
        Email::SEPARATORS.map(escape).concat(),
        hostile(&[])
    );
    let (local, inner, outer) = (
        format!("[^{never}]"),
        format!(r"[^{never}{PUNCTUATION}\.]"),
        format!(
            "[^{never}{PUNCTUATION}{}]",
            Email::JOINTS.map(escape).concat()
        ),
    );
    let label = format!("{outer}({inner}{{0,{}}}{outer})?", Email::LABEL_MAX - 2);
    format!(r"^{local}+@{label}(\.{label})*\.?$")
}

fn line(max: usize) -> Bound {
    text(1, max, &[])
}

fn text(min: usize, max: usize, allowed: &[char]) -> Bound {
    json!({ "minLength": min, "maxLength": max, "pattern": format!("^[^{}]*$", hostile(allowed)) })
}

/// The members of a character class that no text may have, `allowed` apart.
fn hostile(allowed: &[char]) -> String {
    let mut class = String::new();
    for (first, last) in HOSTILE {
        let mut from = first;
        for c in (first..=last).filter(|c| allowed.contains(c)) {
            range(
                &mut class,
                from,
                char::from_u32(u32::from(c) - 1).filter(|before| *before >= from),
            );
            from = char::from_u32(u32::from(c) + 1).unwrap_or(c);
        }
        range(&mut class, from, Some(last).filter(|last| *last >= from));
    }
    class
}

fn range(class: &mut String, first: char, last: Option<char>) {
    let Some(last) = last else { return };
    class.push_str(&escape(first));
    if last > first {
        class.push('-');
        class.push_str(&escape(last));
    }
}

/// Any character of the basic plane, as ECMA-262 and its kin read it inside and outside of a class.
fn escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::*;
    use crate::domain::invalid::Invalid;

    /// Rust's own notation of the same expression.
    fn generated(bound: &Bound) -> impl Strategy<Value = String> + use<> {
        let pattern = bound["pattern"]
            .as_str()
            .unwrap()
            .trim_start_matches('^')
            .trim_end_matches('$');
        let mut parts = pattern.split("\\u");
        let mut rust = parts.next().unwrap().to_owned();
        for part in parts {
            rust += &format!("\\x{{{}}}{}", &part[..4], &part[4..]);
        }
        let (min, max) = (
            bound["minLength"].as_u64().unwrap_or(0),
            bound["maxLength"].as_u64().unwrap_or(1_000),
        );
        let fits = move |text: &String| (min..=max).contains(&(text.chars().count() as u64));
        string_regex(&rust)
            .unwrap()
            .prop_filter("of that length", fits)
    }

    fn member(name: &str) -> Bound {
        of_member("", name).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_described_is_taken(
            slug in generated(&member("slug")), position in generated(&member("position")), token in generated(&member("token")),
            email in generated(&member("email")), key in generated(&of_parameter("", "Idempotency-Key")),
            location in generated(&member("location")),
            name in generated(&member("name")), title in generated(&member("title")), description in generated(&member("description")),
        ) {
            prop_assert!(Slug::parse(&slug).is_ok());
            // A pattern cannot say which international domains there are.
            prop_assert!(!email.is_ascii() || Email::parse(&email).is_ok(), "{email:?}");
            prop_assert!(IdempotencyKey::parse(&key).is_ok());
            // Nor what shows, and how long a text is once its letters are composed.
            for refused in [Name::parse(&name).err(), event::parse_title(&title).err()] {
                let beyond = |refused: &Invalid| matches!(refused.reason, "empty" | "too-long");
                prop_assert!(refused.as_ref().is_none_or(beyond), "{refused:?}");
            }
            prop_assert!(occasion::parse_location(&location).is_ok(), "{location:?}");
            prop_assert!(event::parse_description(&description).is_ok(), "{description:?}");
            let _ = (position, token);
        }
    }

    #[test]
    fn a_class_leaves_out_what_is_allowed() {
        assert!(hostile(&[]).starts_with(r"\u0000-\u001f\u007f-\u009f\u061c\u200e-\u200f"));
        assert!(
            hostile(&OF_SEVERAL_LINES)
                .starts_with(r"\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f")
        );
    }
}
