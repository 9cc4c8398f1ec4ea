//! The words of the pages: two Fluent catalogues inside the binary, and which of them a visitor reads.
//!
//! Owns the negotiation (the cookie `lang`, else `Accept-Language`, else English) and the few ways a template writes a value.
//! English stands in where the other catalogue lacks a message; a test keeps it from ever having to.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid};
use warp::http::HeaderMap;

use super::session::cookie_value;
use crate::negotiation;

fluent_templates::static_loader! {
    static CATALOGUES = {
        locales: "./web/locales",
        fallback_language: "en",
        customise: |bundle| {
            // Without the marks U+2068 and U+2069 around values: they would end up in titles, attributes and copied text.
            bundle.set_use_isolating(false);
            bundle.set_formatter(Some(|value, _| match value {
                FluentValue::Number(number) => Some(grouped(&number.as_string())),
                _ => None,
            }));
        },
    };
}

static ENGLISH: LanguageIdentifier = langid!("en");
static CHINESE: LanguageIdentifier = langid!("zh-CN");

/// The cookie in which a visitor's choice is kept.
pub(crate) const COOKIE: &str = "lang";

/// A language the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The BCP 47 tag, in the page, the cookie and `?lang=`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of exactly that tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        [Self::English, Self::Chinese]
            .into_iter()
            .find(|language| language.tag() == tag)
    }

    /// What a visitor reads best: the choice in the cookie, else the browser's settings, else English.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        cookie_value(headers, COOKIE)
            .and_then(Self::parse)
            .or_else(|| negotiation::language::preferred(headers, Self::of_range))
            .unwrap_or_default()
    }

    /// Any English and any Chinese; whoever reads another script of Chinese reads this one rather than English.
    fn of_range(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Chinese)
        } else if primary.eq_ignore_ascii_case("en") || primary == "*" {
            Some(Self::English)
        } else {
            None
        }
    }

    fn identifier(self) -> &'static LanguageIdentifier {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

/// The words of one answer, as its template asks for them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Texts {
    language: Language,
}

impl Texts {
    /// The words in `language`.
    pub(crate) fn new(language: Language) -> Self {
        Self { language }
    }

    /// The page's language, for its `lang` attribute.
    pub(crate) fn lang(self) -> &'static str {
        self.language.tag()
    }

    /// A message.
    pub(crate) fn get(self, key: impl AsRef<str>) -> String {
        self.format(key.as_ref(), &HashMap::new())
    }

    /// A message with one value.
    pub(crate) fn get1(
        self,
        key: impl AsRef<str>,
        name: &'static str,
        value: impl TextValue,
    ) -> String {
        self.format(
            key.as_ref(),
            &HashMap::from([(Cow::Borrowed(name), value.value())]),
        )
    }

    /// A message with two values.
    pub(crate) fn get2(
        self,
        key: impl AsRef<str>,
        first: &'static str,
        one: impl TextValue,
        second: &'static str,
        two: impl TextValue,
    ) -> String {
        self.format(
            key.as_ref(),
            &HashMap::from([
                (Cow::Borrowed(first), one.value()),
                (Cow::Borrowed(second), two.value()),
            ]),
        )
    }

    /// A message, if there is one of that name: for keys that come from outside.
    pub(crate) fn find(self, key: &str) -> Option<String> {
        self.look_up(key, &HashMap::new())
    }

    /// `2026-11-21T09:00:05.123Z` as `2026-11-21 09:00:05 UTC`: what a page says before the browser puts it into local time.
    #[expect(
        clippy::unused_self,
        reason = "templates call it beside the other texts"
    )]
    pub(crate) fn time(self, rfc3339: &str) -> String {
        match (rfc3339.get(..10), rfc3339.get(11..19)) {
            (Some(date), Some(time)) => format!("{date} {time} UTC"),
            _ => rfc3339.to_owned(),
        }
    }

    /// A number by itself, as [`grouped`] writes it.
    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        reason = "templates call it beside the other texts, with a reference to a field"
    )]
    pub(crate) fn number(self, value: &u32) -> String {
        grouped(&value.to_string())
    }

    fn format(self, key: &str, values: &Values) -> String {
        self.look_up(key, values).unwrap_or_else(|| {
            tracing::error!(
                key,
                language = self.language.tag(),
                "a text is missing or lacks a value"
            );
            key.to_owned()
        })
    }

    fn look_up(self, key: &str, values: &Values) -> Option<String> {
        [self.language, Language::English]
            .into_iter()
            .find_map(|language| {
                CATALOGUES
                    .lookup_single_language(language.identifier(), key, Some(values))
                    .ok()
            })
    }
}

/// `12500` as `12,500`, which both languages and the scripts write.
fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

type Values<'a> = HashMap<Cow<'static, str>, FluentValue<'a>>;

/// What a template may put into a message: its own fields and the results of calls.
pub(crate) trait TextValue {
    /// As Fluent takes it; numbers choose the plural form.
    fn value(&self) -> FluentValue<'_>;
}

impl TextValue for str {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}

impl TextValue for String {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

impl TextValue for u32 {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(*self)
    }
}

impl TextValue for u64 {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(*self)
    }
}

impl<T: TextValue + ?Sized> TextValue for &T {
    fn value(&self) -> FluentValue<'_> {
        (**self).value()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use warp::http::header;

    use super::*;

    fn language(accept: &str, cookie: Option<&str>) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        if let Some(cookie) = cookie {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        Language::of(&headers).tag()
    }

    #[test]
    fn the_browsers_settings_choose_the_language() {
        for (accept, expected) in [
            ("", "en"),
            ("en", "en"),
            ("en-GB,en;q=0.9", "en"),
            ("zh", "zh-CN"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("zh-Hans", "zh-CN"),
            ("ZH-hans-SG", "zh-CN"),
            ("zh-TW", "zh-CN"),
            ("en;q=0.8, zh-CN", "zh-CN"),
            ("zh;q=0.5,en;q=0.9", "en"),
            ("zh;q=0,en;q=0.1", "en"),
            ("zh;q=0", "en"),
            ("de,zh;q=0.7,en;q=0.3", "zh-CN"),
            ("de,fr;q=0.5", "en"),
            ("*", "en"),
            ("de, *;q=0.1", "en"),
            ("zho-not-a-range, zhx", "en"),
            (";q=1,,zh ; q=0.3", "zh-CN"),
            ("zh;q=much,en", "en"),
        ] {
            assert_eq!(language(accept, None), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_visitors_choice_wins() {
        assert_eq!(language("zh-CN", Some("lang=en")), "en");
        assert_eq!(language("en", Some("a=b; lang=zh-CN; c=d")), "zh-CN");
        assert_eq!(language("zh-CN", Some("lang=tlh")), "zh-CN");
        assert_eq!(language("zh-CN", Some("xlang=en")), "zh-CN");
    }

    #[test]
    fn values_are_written_as_readers_write_them() {
        let texts = Texts::default();
        assert_eq!(texts.number(&0), "0");
        assert_eq!(texts.number(&999), "999");
        assert_eq!(texts.number(&12_500), "12,500");
        assert_eq!(texts.number(&1_000_000), "1,000,000");
        assert_eq!(
            texts.time("2026-11-21T09:00:05.123Z"),
            "2026-11-21 09:00:05 UTC"
        );
        assert_eq!(texts.get1("count-remaining", "n", 1_u32), "1 place left");
        assert_eq!(
            texts.get1("count-remaining", "n", 6_796_u32),
            "6,796 places left"
        );
        // The scripts' word list asks for the singular by its name.
        assert_eq!(texts.get1("count-remaining", "n", "one"), "1 place left");
        assert_eq!(
            texts.get1("figure-of", "capacity", "<&>"),
            "/ <&>",
            "no isolation marks; escaping is the template's"
        );
    }

    fn catalogue(language: &str) -> String {
        fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("web/locales")
                .join(language)
                .join("main.ftl"),
        )
        .unwrap()
    }

    fn keys(catalogue: &str) -> BTreeSet<&str> {
        let starts = catalogue
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
        starts
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
            .collect()
    }

    fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("web")
                .join(folder),
        )
        .unwrap()
        {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(ending) {
                found.push((
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
        found
    }

    /// What stands between `before` and the next `"`.
    fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before)
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(key, _)| key))
    }

    #[test]
    fn both_catalogues_say_the_same() {
        assert_eq!(keys(&catalogue("en")), keys(&catalogue("zh-CN")));
    }

    #[test]
    fn every_key_that_is_asked_for_exists() {
        let english = catalogue("en");
        let known = keys(&english);
        for (name, template) in files("templates", "") {
            for key in ["t.get(\"", "t.get1(\"", "t.get2(\""]
                .into_iter()
                .flat_map(|call| quoted(&template, call))
            {
                assert!(known.contains(key), "{name} asks for {key}");
            }
        }
        for key in [
            "state-scheduled",
            "state-open",
            "state-full",
            "state-waitlist",
            "state-closed",
            "status-confirmed",
            "status-waiting",
            "status-cancelled",
        ] {
            assert!(known.contains(key), "{key}");
        }
        // The audit log's words, as `domain` and `store` write them.
        for word in [
            "by-visitor",
            "by-console",
            "by-token",
            "by-schedule",
            "did-create",
            "did-edit",
            "did-opened",
            "did-closed",
            "did-cancel",
            "did-announce",
        ] {
            assert!(known.contains(format!("audit-{word}").as_str()), "{word}");
        }
        for code in crate::problem::Code::ALL {
            for part in ["title", "meaning"] {
                let key = format!("problem-{}-{part}", code.as_str());
                assert!(known.contains(key.as_str()), "{key}");
            }
        }
    }

    #[test]
    fn every_word_the_scripts_say_is_in_their_list() {
        let listed: BTreeSet<String> = files("templates", ".html")
            .iter()
            .flat_map(|(_, text)| {
                quoted(text, "data-key=\"")
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        for (name, script) in files("js", ".js") {
            for key in quoted(&script, "say(\"") {
                assert!(listed.contains(key), "{name} says {key}");
            }
        }
    }
}
