//! Finding people as people type: without accents and apostrophes, in any order of words.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use super::characters::{self, is_invisible};
use super::person::{Email, Name};

/// Registrations are numbered from 1.
const NO_NUMBER: u32 = 0;

/// What a search of registrations asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The registration's number, if the query was one: `No. 12`.
    pub number: Option<u32>,
    /// Folded words, all of which have to stand in the [`key`] or be the registration's number. A
    /// word with a hyphen has a space in it.
    pub words: Vec<String>,
}

impl Search {
    /// Reads a query; `None` if it shows nothing. A query that folds to nothing finds nobody.
    pub fn parse(query: &str) -> Option<Self> {
        let query = characters::trim(query);
        if query.is_empty() {
            return None;
        }
        let words = query
            .split_whitespace()
            .map(|word| folded(word).trim().to_owned());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        // No stored text holds NUL, and Postgres takes none as a parameter.
        let found = match number(&folded(query)) {
            _ if words.is_empty() || query.contains('\0') => (Some(NO_NUMBER), Vec::new()),
            Some(number) => (Some(number), Vec::new()),
            None => (None, words),
        };
        Some(Self {
            number: found.0,
            words: found.1,
        })
    }
}

/// The text in which the words of a [`Search`] are looked for.
pub fn key(name: &Name, email: &Email) -> String {
    let mut key = folded(name.as_str());
    key.push('\n');
    key.push_str(&folded(email.as_str()));
    if email.as_str().is_ascii() && !email.key().contains("xn--") {
        return key;
    }
    // An international domain is found in its own letters and as DNS has it.
    for form in [&email.readable(), email.key()] {
        key.push('\n');
        key.push_str(&folded(form));
    }
    key
}

/// `no. 12`, `#12`, `№ 12`, `12 号`: how pages and people write a registration's number.
fn number(folded: &str) -> Option<u32> {
    let text = folded.trim();
    let digits = ["number", "no.", "nr.", "no", "nr", "#", "编号", "第"]
        .into_iter()
        .find_map(|word| text.strip_prefix(word))
        .map(|rest| rest.strip_suffix('号').unwrap_or(rest))
        .or_else(|| text.strip_suffix('号'))?
        .trim_matches([' ', ':', '：']);
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// A text without case, accents, apostrophes and invisible characters; hyphens and white space are
/// spaces.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text
            .bytes()
            .filter(|b| !b"'`".contains(b))
            .map(plain)
            .collect();
    }
    // Before the compatibility forms: an acute accent that stands alone would become a space with
    // an accent.
    let kept = text
        .chars()
        .filter(|c| !is_apostrophe(*c) && !is_invisible(*c));
    let bare = kept.nfkd().filter(|c| !is_accent(*c));
    bare.flat_map(fold_case).flat_map(spelled).nfc().collect()
}

fn plain(b: u8) -> char {
    match b {
        b'-' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r' => ' ',
        b => char::from(b.to_ascii_lowercase()),
    }
}

/// Quotation marks and modifier letters that stand for an apostrophe.
fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{B4}'
            | '\u{2B9}'..='\u{2BF}'
            | '\u{2C8}'
            | '\u{5F3}'
            | '\u{2018}'..='\u{201B}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{A78B}'..='\u{A78C}'
            | '\u{FF07}'
            | '\u{FF40}'
    )
}

/// Marks that people leave out. Classes below 10 and between are letters of their script: viramas,
/// nuktas, voicing marks and the vowel signs of Thai, Lao and Tibetan (Unicode, section 4.3).
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..)
}

/// Simple case folding, one character at a time: a final sigma is a sigma, but `ß` is not `ss`.
pub(super) fn fold_case(c: char) -> impl Iterator<Item = char> {
    let mut upper = c.to_uppercase();
    let folded = match (upper.next(), upper.next()) {
        // The dotless i is a letter of its own.
        (Some(upper), None) if c != 'ı' => upper,
        _ => c,
    };
    folded.to_lowercase()
}

/// Letters with a stroke or of two letters, which Unicode does not take apart; dashes and white
/// space.
fn spelled(c: char) -> impl Iterator<Item = char> {
    let text = match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'þ' => "th",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => " ",
        c if c.is_whitespace() => " ",
        _ => "",
    };
    text.chars().chain(text.is_empty().then_some(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cases;

    fn finds(name: &str, email: &str, query: &str) -> bool {
        let key = key(&Name::parse(name).unwrap(), &Email::parse(email).unwrap());
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
    fn a_number_is_looked_for_as_a_number() {
        for query in [
            "No. 12",
            "no.12",
            "NO 12",
            "#12",
            "№ 12",
            "Ｎｏ. １２",
            "12 号",
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
