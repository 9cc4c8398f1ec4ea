//! The words of pages and mails: two Fluent catalogues inside the binary.
//!
//! Owns the few ways a template writes a value. A message that the other catalogue lacks is shown in English; a test
//! checks that none is missing.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid};

use crate::domain::language::Language;
use crate::wire::digits::grouped;

fluent_templates::static_loader! {
    static CATALOGUES = {
        locales: "./web/locales",
        fallback_language: "en",
        customise: |bundle| {
            // Without the marks U+2068 and U+2069 around values: they would end up in titles,
            // attributes and copied text.
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

/// Stands for the value of [`Texts::around_time`]; the scripts' templates use it as well.
const TIME_GOES_HERE: &str = "%time";

/// The texts of one answer, as its template asks for them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Texts {
    language: Language,
}

impl Texts {
    /// The words in `language`.
    pub(crate) fn new(language: Language) -> Self {
        Self { language }
    }

    /// Their language.
    pub(crate) fn language(self) -> Language {
        self.language
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

    /// A message with three values.
    pub(crate) fn get3(
        self,
        key: impl AsRef<str>,
        values: [(&'static str, &dyn TextValue); 3],
    ) -> String {
        let values = values.map(|(name, value)| (Cow::Borrowed(name), value.value()));
        self.format(key.as_ref(), &HashMap::from(values))
    }

    /// What stands between two sentences: nothing in Chinese, whose full stop has its own space.
    pub(crate) fn gap(self) -> &'static str {
        match self.language {
            Language::English => " ",
            Language::Chinese => "",
        }
    }

    /// A message in two halves: what stands before its `time` and what stands after it, so that a
    /// template can put an element between them.
    pub(crate) fn around_time(self, key: impl AsRef<str>) -> (String, String) {
        self.around(key, "time")
    }

    /// The same around the value of that name.
    pub(crate) fn around(self, key: impl AsRef<str>, name: &'static str) -> (String, String) {
        let text = self.get1(key, name, TIME_GOES_HERE);
        match text.split_once(TIME_GOES_HERE) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (text, String::new()),
        }
    }

    /// A message, if there is one of that name: for keys that come from outside.
    pub(crate) fn find(self, key: &str) -> Option<String> {
        self.look_up(key, &HashMap::new())
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

    /// `4` as `4th` where the language has ordinals; else the number.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates call it beside the other texts, with a reference to a field"
    )]
    pub(crate) fn ordinal(self, value: &u32) -> String {
        let number = self.number(value);
        match self.language {
            Language::English => number + english_suffix(*value),
            Language::Chinese => number,
        }
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
        if self.language == Language::Chinese {
            let marked = spacing::mark(values);
            let found = CATALOGUES.lookup_single_language(&CHINESE, key, Some(&marked));
            if let Ok(text) = found {
                return Some(spacing::close_up(&text));
            }
        }
        CATALOGUES
            .lookup_single_language(&ENGLISH, key, Some(values))
            .ok()
    }
}

/// 1st, 2nd, 3rd, 4th; 11th, 12th, 13th.
fn english_suffix(number: u32) -> &'static str {
    match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        (_, _) => "th",
    }
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

pub(crate) mod calendar;
mod moments;
mod spacing;
pub(crate) mod standing;

#[cfg(test)]
mod tests;
