//! The endless HTML document for an iframe (docs/protocol.md, section 6).

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use super::digits::grouped;
use super::message::Payload;

/// Keeps the connection alive. An element, not white space: it restarts the style's silence timer,
/// which works without JavaScript, and a script sees it.
pub const HEARTBEAT: &[u8] = b"<i></i>\n";
/// Minimum length of the document up to the first count. Browsers show nothing, and some proxies
/// forward nothing, before about a kilobyte.
const PADDING: usize = 1_536;
/// A document that receives nothing for this long beyond the heartbeat says that it is stale.
const SILENCE: Duration = Duration::from_secs(20);

static STYLE: LazyLock<String> = LazyLock::new(|| {
    compact(include_str!("../../web/frame/frame.css"))
        .replace('\n', "")
        .replace(" {", "{")
        .replace(": ", ":")
        .replace(";}", "}")
});
static SCRIPT: LazyLock<String> =
    LazyLock::new(|| compact(include_str!("../../web/frame/frame.js")));

/// Removes comment lines and indentation: every watcher downloads this text.
fn compact(source: &str) -> String {
    let mut comment = false;
    let mut out = String::with_capacity(source.len());
    for line in source.lines().map(str::trim) {
        let starts = line.starts_with("/*");
        comment |= starts;
        if !comment && !line.starts_with("//") && !line.is_empty() {
            out.push_str(line);
            out.push('\n');
        }
        comment &= !line.ends_with("*/");
    }
    out
}

/// Which colours the document is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the visitor's system has it.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The theme of that word; the system's for any other.
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    fn color_scheme(self) -> &'static str {
        match self {
            Self::System => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The query that asks for it again, without a cursor: a document that begins with nothing to
    /// show would stay blank.
    fn query(self) -> &'static str {
        match self {
            Self::System => "?",
            Self::Light => "?theme=light",
            Self::Dark => "?theme=dark",
        }
    }
}

/// What the part before the counts is made of.
#[derive(Debug)]
pub struct Head<'a> {
    /// The event's title.
    pub title: &'a str,
    /// The CSP nonce: letters and digits.
    pub nonce: &'a str,
    /// The colours.
    pub theme: Theme,
    /// Seconds from the end of the document until it loads again.
    pub refresh_s: u64,
    /// The longest pause between two things sent.
    pub heartbeat: Duration,
    /// The BCP 47 tag of the visitor's language.
    pub language: &'a str,
    /// The sentence for a document that has gone silent, in that language.
    pub stale: &'a str,
}

/// Renders the part before the counts, the only part that differs between watchers.
///
/// The refresh is for browsers without JavaScript and counts from the end of the document. With
/// JavaScript the script asks first whether the server is there.
pub fn head(head: &Head<'_>) -> String {
    let Head {
        title,
        nonce,
        theme,
        refresh_s,
        heartbeat,
        language,
        stale,
    } = *head;
    let mut out = String::with_capacity(STYLE.len() + SCRIPT.len() + 1_024);
    let (again, color_scheme) = (theme.query(), theme.color_scheme());
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"{language}\" data-heartbeat=\"{}\" \
         data-refresh=\"{refresh_s}\" data-again=\"{again}\">\
         <head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <noscript><meta http-equiv=\"refresh\" content=\"{refresh_s}; url={again}\"></noscript><title>",
        heartbeat.as_secs_f64()
    );
    escape(title, &mut out);
    let _ = write!(
        out,
        "</title><style nonce=\"{nonce}\">:root{{color-scheme:{color_scheme};--silence:{}s;--stale:\"",
        (heartbeat + SILENCE).as_secs_f64()
    );
    escape_css(stale, &mut out);
    let _ = write!(
        out,
        "\"}}{}</style><script nonce=\"{nonce}\">\n{}</script></head>\n<body aria-live=\"polite\">",
        *STYLE, *SCRIPT
    );
    let missing = PADDING.saturating_sub(out.len());
    if missing > 0 {
        let _ = write!(out, "<!--{:missing$}-->", "");
    }
    out.push('\n');
    out
}

/// The last paragraph of a document whose event is no more, in that language.
pub fn gone(language: &str, text: &str) -> String {
    let mut out = format!("<p class=\"over\" lang=\"{language}\">");
    escape(text, &mut out);
    out.push_str("</p>\n");
    out
}

/// A whole document that says no more than that, and is not loaded again. `nonce` must be fit for
/// an attribute.
pub fn gone_document(language: &str, text: &str, nonce: &str, theme: Theme) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>"
    );
    escape(text, &mut out);
    let (color_scheme, gone) = (theme.color_scheme(), gone(language, text));
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "</title><style nonce=\"{nonce}\">:root{{color-scheme:{color_scheme}}}{}</style></head>\n\
         <body>{gone}</body></html>\n",
        *STYLE
    );
    out
}

/// A push as markup: the same bytes for every watcher. `None` for what the document does not show.
pub(super) fn update(payload: &Payload, json: &str) -> Option<String> {
    match payload {
        Payload::Count(headcount) => {
            let mut out = String::with_capacity(json.len() * 2);
            out.push_str("<p data-count=\"");
            escape(json, &mut out);
            // Writing to a string cannot fail.
            let stale = if headcount.stale_since.is_some() {
                " class=\"stale\""
            } else {
                ""
            };
            let _ = write!(
                out,
                "\"{stale}>{}",
                grouped(&headcount.registered.to_string())
            );
            if let Some(capacity) = headcount.capacity.get() {
                let _ = write!(out, " / {}", grouped(&capacity.to_string()));
            }
            out.push_str("</p>\n");
            Some(out)
        }
        Payload::Watching(_)
        | Payload::Notice { .. }
        | Payload::Details { .. }
        | Payload::Stale(_)
        | Payload::Bye { .. } => None,
    }
}

/// Writes text into a double-quoted CSS string inside a `<style>`: everything special as a code
/// point (CSS Syntax 3, section 4.3.7).
fn escape_css(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '<' | '>' | '&') || c.is_control() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\{:x} ", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Writes text into a double-quoted attribute or an element.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::event::{Capacity, Event, NewEvent, Slug};
    use crate::domain::position::Position;

    #[test]
    fn nothing_breaks_out_of_its_attribute() {
        let mut out = String::new();
        escape("\"><script>'&", &mut out);
        assert_eq!(out, "&quot;&gt;&lt;script&gt;&#39;&amp;");
    }

    #[test]
    fn the_end_is_said_and_not_loaded_again() {
        let document = gone_document("en", "No <more>", "abc", Theme::Light);
        assert!(
            document.contains("<p class=\"over\" lang=\"en\">No &lt;more&gt;</p>")
                && document.contains("color-scheme:light")
        );
        assert!(
            !document.contains("refresh") && !document.contains("<script"),
            "{document}"
        );
    }

    #[test]
    fn thousands_are_grouped_with_and_without_a_limit() {
        for (capacity, text) in [
            (Capacity::UNLIMITED, ">1,234</p>"),
            (Capacity::limited(20_000).unwrap(), ">1,234 / 20,000</p>"),
        ] {
            let new = NewEvent::new(Slug::parse("gala").unwrap(), "Gala", capacity);
            let position: Position = "q7f2k9-128".parse().unwrap();
            let event = Event {
                registered: 1_234,
                ..new.open(position.epoch, Timestamp::from_millis(0))
            };
            let markup = update(&Payload::Count(event.headcount()), "{}").unwrap();
            assert!(markup.contains(text), "{markup}");
        }
    }

    fn sample(stale: &str) -> String {
        head(&Head {
            title: "<Gala>",
            nonce: "abc",
            theme: Theme::Dark,
            refresh_s: 5,
            heartbeat: Duration::from_millis(2_500),
            language: "en",
            stale,
        })
    }

    #[test]
    fn the_head_is_long_enough_and_carries_one_nonce() {
        let head = sample("Not live");
        assert!(head.len() >= PADDING, "{}", head.len());
        assert!(head.contains("<title>&lt;Gala&gt;</title>"));
        assert!(head.contains("content=\"5; url=?theme=dark\""));
        assert_eq!(head.matches("nonce=\"abc\"").count(), 2);
        assert!(
            !head.contains("<p"),
            "a count would be found where there is none"
        );
    }

    #[test]
    fn a_silent_document_says_so_twenty_seconds_after_a_missed_heartbeat() {
        let head = sample("Not live");
        assert!(
            head.contains("data-heartbeat=\"2.5\"")
                && head.contains("--silence:22.5s;--stale:\"Not live\"}")
        );
        assert!(String::from_utf8_lossy(HEARTBEAT).starts_with("<i>"));
    }

    #[test]
    fn a_sentence_cannot_leave_its_style() {
        let head = sample("\"}</style>\\\n");
        assert_eq!(head.matches("</style>").count(), 1);
        assert!(
            head.contains("--stale:\"\\22 }\\3c /style\\3e \\5c \\a \"}"),
            "{head}"
        );
    }

    #[test]
    fn style_and_script_are_sent_without_their_comments() {
        for text in [&*STYLE, &*SCRIPT] {
            assert!(
                !text.contains("/*") && !text.contains("\n//") && !text.contains("  "),
                "{text}"
            );
        }
        assert!(STYLE.contains("p:has(+ p){display:none}") && STYLE.contains("@keyframes silent"));
        assert!(SCRIPT.starts_with("(() => {\n") && SCRIPT.ends_with("})();\n"));
    }
}
