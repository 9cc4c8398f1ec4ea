//! Unicode properties of single characters: whether they show something, and whether they change
//! how their neighbours look.

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, PrependedConcatenationMark, Script,
    VariationSelector,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::char::is_combining_mark;

/// Symbols that look like empty space: the empty Braille cell, the null notehead, two hieroglyphic
/// blanks, and the object replacement character.
const BLANK: [char; 5] = [
    '\u{2800}',
    '\u{1D159}',
    '\u{13441}',
    '\u{13442}',
    '\u{FFFC}',
];
/// Bidirectional overrides. They reverse letters, so that a text looks like another one (Unicode TR
/// 36, section 2.10.5).
const OVERRIDES: [char; 2] = ['\u{202D}', '\u{202E}'];
/// Zero width non-joiner and joiner. Many scripts need them, and they join emoji.
pub(super) const JOINERS: [char; 2] = ['\u{200C}', '\u{200D}'];

/// Whether a character is invisible in every context (`Default_Ignorable_Code_Point`).
pub(crate) fn is_invisible(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a character looks like empty space although it is a symbol.
pub(crate) fn is_blank(c: char) -> bool {
    BLANK.contains(&c)
}

/// Whether a character reverses the direction of the letters that follow.
pub(super) fn is_override(c: char) -> bool {
    OVERRIDES.contains(&c)
}

/// Whether letters of scripts are mixed that look alike, such as a Cyrillic `о` among Latin letters
/// (Unicode TS 39, section 5.2: not even highly restrictive). Latin letters may stand among those of
/// Chinese, Japanese and Korean, where they are usual.
pub(super) fn mixes_scripts(text: &str) -> bool {
    const USUAL_TOGETHER: [&[Script]; 3] = [
        &[
            Script::Latin,
            Script::Han,
            Script::Hiragana,
            Script::Katakana,
        ],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    let scripts = CodePointMapData::<Script>::new();
    let mut found: Vec<Script> = text.chars().map(|c| scripts.get(c)).collect();
    // Digits, punctuation and accents belong to every script.
    found.retain(|script| *script != Script::Common && *script != Script::Inherited);
    let is_one = found.windows(2).all(|pair| pair[0] == pair[1]);
    let is_usual = |usual: &&[Script]| found.iter().all(|script| usual.contains(script));
    !is_one && !USUAL_TOGETHER.iter().any(is_usual)
}

/// Whether a reader sees anything. A text of only marks, white space, invisible, private or
/// unassigned characters shows nothing.
pub(super) fn shows_something(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_ascii_graphic() || (!c.is_ascii() && has_ink(c)))
}

fn has_ink(c: char) -> bool {
    use GeneralCategory as Category;
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        Category::Control
        | Category::NonspacingMark
        | Category::SpacingMark
        | Category::EnclosingMark
        | Category::SpaceSeparator
        | Category::LineSeparator
        | Category::ParagraphSeparator
        // Fonts show an empty box at best. Noncharacters are unassigned.
        | Category::PrivateUse
        | Category::Surrogate
        | Category::Unassigned => false,
        // Signs for years, verses and totals, which span the digits that follow.
        Category::Format => CodePointSetData::new::<PrependedConcatenationMark>().contains(c),
        _ => !is_invisible(c) && !is_blank(c),
    }
}

/// Removes white space and invisible characters around a text; they are often pasted with it.
///
/// Overrides stay, so that a parser refuses them. Characters that belong to the last visible one
/// stay as well: a joiner after a mark, a variation selector, the tags of a flag.
pub(super) fn trim(text: &str) -> &str {
    let text = text
        .trim_start_matches(|c: char| c.is_whitespace() || (is_invisible(c) && !is_override(c)));
    let mut end = text.len();
    for (at, c) in text.char_indices().rev() {
        if !(c.is_whitespace() || (is_invisible(c) && !belongs_to(c, &text[..at]))) {
            break;
        }
        end = at;
    }
    &text[..end]
}

/// Whether an invisible character at the end of a text changes how `before` looks.
fn belongs_to(c: char, before: &str) -> bool {
    let tag = ('\u{E0020}'..='\u{E007F}').contains(&c);
    let variation = CodePointSetData::new::<VariationSelector>().contains(c);
    let joined = JOINERS.contains(&c) && before.chars().next_back().is_some_and(is_combining_mark);
    is_override(c) || tag || variation || joined
}

/// Names a character for a person who has to find it: `U+202E RIGHT-TO-LEFT OVERRIDE`.
pub fn described(c: char) -> String {
    let code = u32::from(c);
    match name(c) {
        Some(name) => format!("U+{code:04X} {name}"),
        // A visible character needs no name.
        None if shows_something(c.encode_utf8(&mut [0; 4])) => format!("U+{code:04X} ({c})"),
        None => format!("U+{code:04X}"),
    }
}

/// The Unicode names of the invisible characters that a text may be refused for, and of those that
/// separate addresses.
fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '\0'..='\u{1F}' => CONTROLS[c as usize],
        ' ' => "SPACE",
        '"' => "QUOTATION MARK",
        '(' => "LEFT PARENTHESIS",
        ')' => "RIGHT PARENTHESIS",
        ',' => "COMMA",
        ':' => "COLON",
        ';' => "SEMICOLON",
        '<' => "LESS-THAN SIGN",
        '>' => "GREATER-THAN SIGN",
        '@' => "COMMERCIAL AT",
        '[' => "LEFT SQUARE BRACKET",
        '\\' => "REVERSE SOLIDUS",
        ']' => "RIGHT SQUARE BRACKET",
        '\u{7F}' => "DELETE",
        '\u{80}'..='\u{9F}' => "CONTROL",
        '\u{A0}' => "NO-BREAK SPACE",
        '\u{AD}' => "SOFT HYPHEN",
        '\u{34F}' => "COMBINING GRAPHEME JOINER",
        '\u{61C}' => "ARABIC LETTER MARK",
        '\u{1680}' => "OGHAM SPACE MARK",
        '\u{2000}' => "EN QUAD",
        '\u{2001}' => "EM QUAD",
        '\u{2002}' => "EN SPACE",
        '\u{2003}' => "EM SPACE",
        '\u{2004}' => "THREE-PER-EM SPACE",
        '\u{2005}' => "FOUR-PER-EM SPACE",
        '\u{2006}' => "SIX-PER-EM SPACE",
        '\u{2007}' => "FIGURE SPACE",
        '\u{2008}' => "PUNCTUATION SPACE",
        '\u{2009}' => "THIN SPACE",
        '\u{200A}' => "HAIR SPACE",
        '\u{200B}' => "ZERO WIDTH SPACE",
        '\u{200C}' => "ZERO WIDTH NON-JOINER",
        '\u{200D}' => "ZERO WIDTH JOINER",
        '\u{200E}' => "LEFT-TO-RIGHT MARK",
        '\u{200F}' => "RIGHT-TO-LEFT MARK",
        '\u{2028}' => "LINE SEPARATOR",
        '\u{2029}' => "PARAGRAPH SEPARATOR",
        '\u{202A}' => "LEFT-TO-RIGHT EMBEDDING",
        '\u{202B}' => "RIGHT-TO-LEFT EMBEDDING",
        '\u{202C}' => "POP DIRECTIONAL FORMATTING",
        '\u{202D}' => "LEFT-TO-RIGHT OVERRIDE",
        '\u{202E}' => "RIGHT-TO-LEFT OVERRIDE",
        '\u{202F}' => "NARROW NO-BREAK SPACE",
        '\u{205F}' => "MEDIUM MATHEMATICAL SPACE",
        '\u{2066}' => "LEFT-TO-RIGHT ISOLATE",
        '\u{2067}' => "RIGHT-TO-LEFT ISOLATE",
        '\u{2068}' => "FIRST STRONG ISOLATE",
        '\u{2069}' => "POP DIRECTIONAL ISOLATE",
        '\u{3000}' => "IDEOGRAPHIC SPACE",
        '\u{FEFF}' => "ZERO WIDTH NO-BREAK SPACE",
        _ => return None,
    })
}

/// Control characters have no names. These are the formal aliases of U+0000 to U+001F
/// (NameAliases.txt).
const CONTROLS: [&str; 32] = [
    "NULL",
    "START OF HEADING",
    "START OF TEXT",
    "END OF TEXT",
    "END OF TRANSMISSION",
    "ENQUIRY",
    "ACKNOWLEDGE",
    "ALERT",
    "BACKSPACE",
    "CHARACTER TABULATION",
    "LINE FEED",
    "LINE TABULATION",
    "FORM FEED",
    "CARRIAGE RETURN",
    "SHIFT OUT",
    "SHIFT IN",
    "DATA LINK ESCAPE",
    "DEVICE CONTROL ONE",
    "DEVICE CONTROL TWO",
    "DEVICE CONTROL THREE",
    "DEVICE CONTROL FOUR",
    "NEGATIVE ACKNOWLEDGE",
    "SYNCHRONOUS IDLE",
    "END OF TRANSMISSION BLOCK",
    "CANCEL",
    "END OF MEDIUM",
    "SUBSTITUTE",
    "ESCAPE",
    "INFORMATION SEPARATOR FOUR",
    "INFORMATION SEPARATOR THREE",
    "INFORMATION SEPARATOR TWO",
    "INFORMATION SEPARATOR ONE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_nothing_but_invisible_characters_shows_nothing() {
        for nothing in [
            "",
            " \t",
            "\u{200B}",
            "\u{3164}",
            "\u{115F}\u{1160}",
            "\u{FFA0}",
            "\u{2800}",
            "\u{FE0F}",
            "\u{E0041}",
            "\u{180E}",
            "\u{2066}\u{2069}",
            "\u{301}",
            "\u{903}",
            "\u{20DD}",
            "\u{E000}\u{10FFFD}",
            "\u{FFFE}\u{1FFFF}",
            "\u{378}",
            "\u{FFF9}\u{FFFB}",
        ] {
            assert!(!shows_something(nothing), "{nothing:?}");
        }
        for something in [
            "a",
            ".",
            "李",
            "\u{200B}é",
            "👩‍👩‍👧",
            "ي",
            "\u{600}",
            "\u{70F}",
            "\u{110BD}",
            "\u{FFFD}",
        ] {
            assert!(shows_something(something), "{something:?}");
        }
    }

    #[test]
    fn invisible_characters_are_trimmed_unless_they_belong_to_a_visible_one() {
        for (typed, kept) in [
            ("\u{2068}أحمد\u{2069}", "أحمد"),
            ("\u{202A} Ada \u{202C}\u{200E}", "Ada"),
            ("\u{FEFF}Ada\u{200D}", "Ada"),
            ("☺\u{FE0F}", "☺\u{FE0F}"),
            ("മോഹന\u{D4D}\u{200D}", "മോഹന\u{D4D}\u{200D}"),
            ("\u{202E}adA\u{202C}", "\u{202E}adA"),
            ("Ada\u{202E}", "Ada\u{202E}"),
            ("🏴\u{E0067}\u{E007F}", "🏴\u{E0067}\u{E007F}"),
            ("\u{200B}", ""),
        ] {
            assert_eq!(trim(typed), kept, "{typed:?}");
        }
    }

    #[test]
    fn every_invisible_character_that_is_refused_has_a_name() {
        use crate::domain::email::Email;
        use crate::domain::invalid::is_hostile;
        let refused =
            |c: &char| is_hostile(*c) || c.is_whitespace() || Email::SEPARATORS.contains(c);
        for c in ('\0'..=char::MAX).filter(refused) {
            let code = format!("U+{:04X} ", u32::from(c));
            let named = described(c);
            let name = named.strip_prefix(&code).unwrap_or_default();
            assert!(
                name.starts_with(|c: char| c.is_ascii_uppercase()),
                "{named}"
            );
        }
    }

    #[test]
    fn a_character_is_named_by_code_point_and_name() {
        assert_eq!(described('\u{202E}'), "U+202E RIGHT-TO-LEFT OVERRIDE");
        assert_eq!(described('\u{7}'), "U+0007 ALERT");
        assert_eq!(described('⒈'), "U+2488 (⒈)");
        assert_eq!(described('\u{E0041}'), "U+E0041");
    }
}
