//! What is wrong with a form of the console, at each of its fields.

use crate::domain::announcement;
use crate::domain::characters::described;
use crate::domain::event::{DESCRIPTION_MAX, PartySize, TITLE_MAX};
use crate::domain::invalid::Invalid;
use crate::domain::mail::RemindBefore;
use crate::domain::occasion::{CONTACT_MAX, LOCATION_MAX, ONLINE_URL_MAX};
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// The message at a field; `None` if there is nothing wrong with it.
pub(super) fn at(texts: Texts, problem: &Problem, field: &str) -> Option<String> {
    if field == "slug" && problem.code() == Code::SlugTaken {
        return Some(texts.get("problem-slug-taken-meaning"));
    }
    let mut mistakes = problem.mistakes().iter();
    let mistake = mistakes.find(|mistake| mistake.field == field)?;
    Some(message(texts, mistake))
}

fn message(texts: Texts, mistake: &Invalid) -> String {
    if let Some(c) = mistake.character {
        return texts.get1("error-character", "character", described(c));
    }
    let key = match (&*mistake.field, mistake.reason) {
        (field, "too-long") => {
            return texts.get1("error-answer-long", "max", longest(field));
        }
        ("max_party_size", _) => {
            return texts.get1("error-party_size-invalid", "most", PartySize::MAX);
        }
        (Visibility::FIELD, _) => "mistake-visibility",
        (EraseAfter::FIELD, "without-end") => "mistake-erase-alone",
        (EraseAfter::FIELD, _) => {
            return texts.get1("mistake-erase", "most", EraseAfter::MAX.to_string());
        }
        (RemindBefore::FIELD, _) => {
            return texts.get1("mistake-remind", "most", RemindBefore::MAX.to_string());
        }
        ("test_to", _) => "error-email-invalid",
        ("mail", "no-mail") => "mistake-no-mail",
        ("mail", _) => "mistake-mail-off",
        ("title", _) => "mistake-title",
        ("text", _) => "mistake-text",
        ("slug", _) => "mistake-slug",
        ("capacity", _) => "mistake-capacity",
        ("closes_at", "before-opening") => "mistake-closes",
        ("ends_at", "without-start") => "mistake-ends-alone",
        ("ends_at", "before-start") => "mistake-ends",
        ("starts_at" | "ends_at" | "opens_at" | "closes_at", _) => "mistake-moment",
        ("time_zone", _) => "mistake-zone",
        ("online_url", _) => "mistake-online-url",
        ("confirm", _) => "mistake-confirm",
        _ => "question-error-invalid",
    };
    texts.get(key)
}

/// The longest text of a field, in code points.
fn longest(field: &str) -> u64 {
    let max = match field {
        "description" => DESCRIPTION_MAX,
        "location" => LOCATION_MAX,
        "online_url" => ONLINE_URL_MAX,
        "contact" => CONTACT_MAX,
        "text" => announcement::MAX,
        _ => TITLE_MAX,
    };
    u64::try_from(max).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_words() {
        let texts = Texts::default();
        for (field, reason) in [
            ("title", "empty"),
            ("title", "too-long"),
            ("text", "empty"),
            ("slug", "malformed"),
            ("capacity", "out-of-range"),
            ("max_party_size", "out-of-range"),
            (EraseAfter::FIELD, "out-of-range"),
            (EraseAfter::FIELD, "without-end"),
            (RemindBefore::FIELD, "out-of-range"),
            ("test_to", "malformed"),
            ("mail", "no-mail"),
            ("mail", "switched-off"),
            ("starts_at", "malformed"),
            ("closes_at", "before-opening"),
            ("ends_at", "without-start"),
            ("ends_at", "before-start"),
            ("time_zone", "unknown"),
            ("online_url", "not-an-address"),
            ("confirm", "not-repeated"),
            ("another", "wrong"),
        ] {
            let problem = Problem::invalid(&[Invalid::new(field, reason, "")]);
            let words = at(texts, &problem, field).unwrap();
            assert!(words.ends_with('.'), "{field} {reason}: {words}");
            assert_eq!(at(texts, &problem, "other"), None);
        }
    }
}
