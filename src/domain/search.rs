//! Searches for registrations by words of a name or an email address, or by number.

use super::characters;
use super::fold::folded;
use super::person::{Email, Name};

/// Registrations are numbered from 1.
const NO_NUMBER: u32 = 0;

/// What a search of registrations asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The registration's number, if the query is one: `No. 12`.
    pub number: Option<u32>,
    /// Folded words. A registration is found if each word is part of its [`key`] or is its number.
    pub words: Vec<String>,
    /// Whether the words must be part of the name: for readers who see no addresses.
    pub names_only: bool,
}

impl Search {
    /// Reads a query; `None` if it shows nothing. A query without a letter, a digit or a symbol
    /// finds no registration.
    pub fn parse(query: &str) -> Option<Self> {
        let query = characters::trim(query);
        if query.is_empty() {
            return None;
        }
        let words = address(query).unwrap_or_else(|| {
            let words = query.split(is_between_words).map(folded);
            words.filter(|word| !word.is_empty()).collect()
        });
        // No stored text contains NUL, and Postgres refuses it in a parameter.
        let (number, words) = match number(&words) {
            _ if words.is_empty() || query.contains('\0') => (Some(NO_NUMBER), Vec::new()),
            Some(number) => (Some(number), Vec::new()),
            None => (None, words),
        };
        Some(Self {
            number,
            words,
            names_only: false,
        })
    }

    /// The same search, in names only.
    #[must_use]
    pub fn of_names(self) -> Self {
        Self {
            names_only: true,
            ..self
        }
    }
}

/// The text that contains the words of a [`Search`]: folded name and email address, each on its own
/// line.
///
/// Empty for an erased registration, which is found by its number only.
pub fn key(name: &Name, email: Option<&Email>) -> String {
    if name.as_str().is_empty() && email.is_none() {
        return String::new();
    }
    let mut key = folded(name.as_str());
    let Some(email) = email else {
        return key;
    };
    key.push('\n');
    key.push_str(&folded(email.as_str()));
    if email.as_str().is_ascii() && !email.key().contains("xn--") {
        return key;
    }
    // An international domain is found in its own letters and in its ASCII form.
    for form in [&email.readable(), email.key()] {
        key.push('\n');
        key.push_str(&folded(form));
    }
    key
}

/// The one word of a query that is a whole address, as it is pasted from a mail program or a link:
/// `"Ada" <ada@example.org>`, `mailto:ada@example.org`. Registering takes the same forms.
fn address(query: &str) -> Option<Vec<String>> {
    let address = Email::parse(query).ok()?;
    Some(vec![folded(address.as_str())])
}

/// White space, and the punctuation that people put between the parts of a name.
fn is_between_words(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            ',' | ';' | '/' | '|' | '،' | '؛' | '、' | '､' | '，' | '；' | '／' | '｜'
        )
}

/// Reads a registration's number as pages and people write it: `no. 12`, `#12`, `№ 12`, `12 号`.
/// The words are folded.
fn number(words: &[String]) -> Option<u32> {
    let has_digits = |word: &&String| word.contains(|c: char| c.is_ascii_digit());
    if words.iter().filter(has_digits).count() != 1 {
        return None;
    }
    let text = words.concat();
    let digits = match ["number", "num", "no", "nr", "#", "编号", "第"]
        .into_iter()
        .find_map(|word| text.strip_prefix(word))
    {
        Some(rest) => rest.strip_suffix(['号', '號']).unwrap_or(rest),
        None => text.strip_suffix(['号', '號'])?,
    };
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cases;

    fn finds(name: &str, email: &str, query: &str) -> bool {
        let key = key(
            &Name::parse(name).unwrap(),
            Some(&Email::parse(email).unwrap()),
        );
        Search::parse(query)
            .unwrap()
            .words
            .iter()
            .all(|word| key.contains(word))
    }

    #[test]
    fn people_are_found_as_they_are_typed() {
        for [name, query, found] in cases::read(include_str!("../../tests/cases/search.tsv")) {
            let (name, query) = (cases::text(&name), cases::text(&query));
            assert_eq!(
                finds(&name, "p@example.org", &query),
                found == "yes",
                "{name} {query}"
            );
        }
        for (name, query) in [
            ("Søren Ærø", "soren aero"),
            ("Đặng Thị", "dang thi"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Jean-Luc", "luc jean"),
            ("Anne Marie", "anne‑marie"),
            ("O’Neill", "oneill"),
            ("Straße", "STRASSE"),
            ("ΝΙΚΟΣ", "νικος"),
            ("Ａｄａ", "ada"),
            ("İpek Işık", "ipek isik"),
            ("مُحَمَّد", "محمد"),
            ("がぎ", "がぎ"),
            ("علی", "علي"),
            ("فاطمة", "فاطمه"),
        ] {
            assert!(finds(name, "p@example.org", query), "{name} {query}");
        }
        assert!(
            !finds("かき", "p@example.org", "がぎ"),
            "voicing is no accent"
        );
    }

    #[test]
    fn addresses_are_found_in_each_of_their_spellings() {
        for query in [
            "ada@bücher",
            "ada@bucher",
            "xn--bcher",
            "BU\u{308}CHER.example",
        ] {
            assert!(finds("A", "ada@xn--bcher-kva.example", query), "{query}");
            assert!(finds("A", "ada@bücher.example", query), "{query}");
        }
        assert!(finds("A", "o'neill-x@example.org", "o’neill-x@"));
    }

    #[test]
    fn a_pasted_address_finds_whom_it_registers() {
        let pasted = cases::read(include_str!("../../tests/cases/same-mailbox.tsv"));
        for [first, second, same, why] in pasted {
            let (first, second) = (cases::text(&first), cases::text(&second));
            let found = finds("Bo", &first, &second);
            // A search matches more than the same mailbox.
            assert!(found || same == "no", "{first} {second} {why}");
        }
        for query in [
            "<a@b.example>",
            "\"Ada\" <a@b.example>",
            "Somebody Else <a@b.example>",
            "mailto:a@b.example?subject=Hi",
            "a@b.example,",
            "(a@b.example)",
            "E-Mail: A@B.example",
        ] {
            assert!(finds("Bo", "a@b.example", query), "{query}");
            assert!(!finds("Bo", "ab@b.org", query), "{query}");
        }
        // A word that is not a whole address is searched for as it is.
        assert!(finds("Bo", "a@b.example", "a@b"));
        assert!(finds("Bo Li", "a@b.example", "bo a@b.example"));
        assert!(finds("Bo Li", "a@b.example", "@b.example li"));
    }

    #[test]
    fn a_number_is_looked_for_as_a_number() {
        for query in [
            "No. 12",
            "no.12",
            "NO 12",
            "#12",
            "№ 12",
            "Ｎｏ. １２",
            "N° 12",
            "Nº 12",
            "№12",
            "No.12.",
            "(no. 12)",
            "no. ١٢",
            "nr.12",
            "12 号",
            "第12号",
            "编号：12",
        ] {
            let search = Search::parse(query).unwrap();
            assert_eq!(
                (search.number, search.words.len()),
                (Some(12), 0),
                "{query}"
            );
        }
        for query in [
            "12",
            "No. 12 Ada",
            "No. 12, 13",
            "no",
            "No.",
            "Nora",
            "#",
            "No. 99999999999",
        ] {
            assert_eq!(Search::parse(query).unwrap().number, None, "{query}");
        }
        for nothing in ["", " \u{3000}", "\u{200B}"] {
            assert_eq!(Search::parse(nothing), None, "{nothing:?}");
        }
        for nobody in ["'", "-", "\0", "a\0b"] {
            assert_eq!(
                Search::parse(nobody).unwrap().number,
                Some(NO_NUMBER),
                "{nobody:?}"
            );
        }
    }
}
