//! One form for texts that people type in several ways.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use super::characters::{is_blank, is_invisible};

/// Punctuation that a search takes literally. All other punctuation is dropped.
const LITERAL: [char; 5] = ['#', '%', '&', '@', '_'];

/// The letters, digits and symbols of a text, without case and accents.
///
/// White space and punctuation are dropped, so `O’Brien`, `O Brien` and `OBrien` are equal, and so
/// are `J. R. R.` and `JRR`. Every decimal digit becomes an ASCII digit.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        let kept = text.bytes().map(char::from).filter(|c| is_kept(*c));
        return kept.map(|c| c.to_ascii_lowercase()).collect();
    }
    let visible = text.chars().filter(|c| !is_invisible(*c) && !is_blank(*c));
    let bare = visible.nfkd().filter(|c| !is_accent(*c));
    let plain = bare.flat_map(fold_case).flat_map(spelled);
    plain.filter(|c| is_kept(*c)).nfc().collect()
}

/// A text without case, but with its accents and punctuation.
pub(super) fn uncased(text: &str) -> String {
    text.nfkc().flat_map(fold_case).nfc().collect()
}

/// Simple case folding of one character. A final sigma becomes a sigma, but `ß` does not become
/// `ss`.
pub(super) fn fold_case(c: char) -> impl Iterator<Item = char> {
    let mut upper = c.to_uppercase();
    let folded = match (upper.next(), upper.next()) {
        // The dotless i is a letter of its own.
        (Some(upper), None) if c != 'ı' => upper,
        _ => c,
    };
    folded.to_lowercase()
}

fn is_kept(c: char) -> bool {
    if c.is_ascii_alphanumeric() || LITERAL.contains(&c) {
        return true;
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let dropped = GeneralCategoryGroup::Punctuation.contains(category)
        || c.is_whitespace()
        || is_apostrophe(c)
        || c == TATWEEL;
    !dropped
}

/// Stretches a line of Arabic text and has no meaning.
const TATWEEL: char = '\u{640}';

/// Letters and symbols that people use as an apostrophe. The real apostrophes are punctuation.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '`' | '\u{2B9}'..='\u{2BF}' | '\u{2C8}' | '\u{A78B}'..='\u{A78C}')
}

/// Marks that people leave out. The other combining classes are letters of their script: viramas,
/// nuktas, voicing marks and the vowel signs of Thai, Lao and Tibetan (Unicode, section 4.3).
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..)
}

/// Replaces letters that have no decomposition in Unicode, and digits of other scripts.
fn spelled(c: char) -> impl Iterator<Item = char> {
    let text = match c {
        // People type a degree sign for the ordinal indicator of "Nº".
        'ø' | '°' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'þ' => "th",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        // Persian keyboards have code points of their own, and people confuse final letters.
        'ٱ' => "ا",
        'ى' | 'ی' => "ي",
        'ک' => "ك",
        'ة' => "ه",
        _ => "",
    };
    let unchanged = text.is_empty().then(|| digit(c).unwrap_or(c));
    text.chars().chain(unchanged)
}

/// The ASCII digit of the same value as a decimal digit of another script. Unicode encodes each
/// set of ten digits in order and without gaps (section 4.6). Two sets may be neighbours.
fn digit(c: char) -> Option<char> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_decimal = |code: u32| categories.get32(code) == GeneralCategory::DecimalNumber;
    let code = u32::from(c);
    if c.is_ascii() || !is_decimal(code) {
        return None;
    }
    let before = (1..code).take_while(|n| is_decimal(code - n)).count();
    char::from_digit(u32::try_from(before % 10).ok()?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_digits_has_the_values_0_to_9() {
        let folded_digits = ('\u{80}'..=char::MAX)
            .filter(|c| {
                CodePointMapData::<GeneralCategory>::new().get(*c) == GeneralCategory::DecimalNumber
            })
            .map(|c| folded(c.encode_utf8(&mut [0; 4])));
        let digits: Vec<_> = folded_digits.collect();
        assert!(digits.len() >= 600, "{}", digits.len());
        for (n, digit) in digits.iter().enumerate() {
            assert_eq!(*digit, (n % 10).to_string(), "the {n}th digit");
        }
    }

    #[test]
    fn case_and_a_second_fold_change_nothing() {
        // Beyond are only ideographs, tags and private characters.
        for c in '\0'..='\u{1FFFF}' {
            let form = folded(c.encode_utf8(&mut [0; 4]));
            assert_eq!(folded(&form), form, "{c:?}");
            let (lower, upper) = (c.to_lowercase(), c.to_uppercase());
            let pair = lower.clone().eq([c]) && upper.clone().count() == 1;
            if pair && !form.is_empty() {
                assert_eq!(folded(&upper.to_string()), form, "{c:?}");
            }
        }
    }

    #[test]
    fn one_text_has_one_form_however_it_is_typed() {
        for (form, spellings) in [
            ("obrien", ["O’Brien", "O'Brien", "OBrien", "O Brien"]),
            (
                "jrrtolkien",
                [
                    "J.R.R. Tolkien",
                    "JRR Tolkien",
                    "J R R Tolkien",
                    "J.\u{A0}R.R.Tolkien",
                ],
            ),
            (
                "adalovelace",
                [
                    "Ada-Lovelace",
                    "Ada - Lovelace",
                    "Ada – Lovelace",
                    "Ada\u{2011}Lovelace",
                ],
            ),
            (
                "欧阳娜娜",
                ["欧阳·娜娜", "欧阳娜娜", "欧阳・娜娜", "欧阳 娜娜"],
            ),
            ("محمد", ["مُحَمَّد", "محمد", "محـــمد", "مـحـمـد"]),
            ("oneil", ["OʻNeil", "O`Neil", "O´Neil", "O‛Neil"]),
            (
                "thoedhtlae",
                ["ÞŒÐĦŦŁÆ", "þœðħŧłæ", "ThOeDHTLAe", "Þœ-ðħ-ŧłæ"],
            ),
            ("اكيه", ["ٱکیة", "اكيه", "أكىة", "إکي\u{640}ه"]),
            (
                "strasse",
                ["Straße", "STRASSE", "Stra\u{AD}ße", "ＳＴＲＡＳＳＥ"],
            ),
            ("no12", ["N° 12", "Nº12", "№ １２", "(No. ١٢)"]),
            (
                "a_b@100%&#",
                [
                    "A_b@100%&#",
                    "a_b @ 100% &#",
                    "a_b@１００％&#",
                    "á_b@100%&#",
                ],
            ),
        ] {
            for spelling in spellings {
                assert_eq!(folded(spelling), form, "{spelling:?}");
            }
        }
    }
}
