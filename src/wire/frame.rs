//! The endless HTML document for an iframe (docs/protocol.md, section 6).

use std::fmt::Write as _;

use super::message::Body;

/// Keeps the connection alive: white space between two paragraphs.
pub const HEARTBEAT: &[u8] = b"\n";
/// What stands before the first count is at least this long: browsers show nothing, and some proxies pass nothing on, before
/// about a kilobyte.
const PADDING: usize = 1_536;

/// `:last-child` shows nothing while the document is still open; a paragraph that has one behind it is an old one either
/// way. Without `:has()` the paragraphs lie on top of each other, the newest uppermost.
const STYLE: &str = "\
html,body{height:100%;margin:0}\
body{display:grid;place-content:center;font:600 clamp(1.25rem,12vmin,6rem)/1.1 system-ui,sans-serif;font-variant-numeric:tabular-nums}\
p{margin:0;white-space:nowrap;text-align:center}\
.stale{opacity:.55}\
.over{font-size:clamp(.875rem,6vmin,1.5rem);font-weight:400;white-space:normal;padding:.5em}\
p:has(+ p){display:none}\
@supports not selector(p:has(+ p)){p{grid-area:1/1;background:Canvas}}";

/// Tells the parent the newest count, whichever origin it is of, and removes the older ones. Removing them wakes the
/// observer again, hence the comparison.
const SCRIPT: &str = "\
(()=>{let last;const tell=()=>{const all=document.querySelectorAll('p[data-count]'),newest=all[all.length-1];\
if(!newest||newest===last)return;last=newest;for(const p of all)if(p!==newest)p.remove();\
if(parent!==window)parent.postMessage({type:'count',data:JSON.parse(newest.dataset.count)},'*')};\
new MutationObserver(tell).observe(document,{childList:true,subtree:true})})()";

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

    /// The query that asks for it again, without a cursor: a document that begins with nothing to show would stay blank.
    fn query(self) -> &'static str {
        match self {
            Self::System => "?",
            Self::Light => "?theme=light",
            Self::Dark => "?theme=dark",
        }
    }
}

/// What stands before the counts; the only part that is a watcher's own. `nonce` must be fit for an attribute.
pub fn head(title: &str, nonce: &str, theme: Theme, refresh_s: u64) -> String {
    let mut out = String::with_capacity(PADDING + 512);
    let (query, color_scheme) = (theme.query(), theme.color_scheme());
    // Writing to a string cannot fail. A refresh counts from the end of the document.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"und\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"{refresh_s};url={query}\"><title>"
    );
    escape(title, &mut out);
    let _ = write!(
        out,
        "</title><style nonce=\"{nonce}\">:root{{color-scheme:{color_scheme}}}{STYLE}</style><script nonce=\"{nonce}\">{SCRIPT}</script></head>\n\
         <body aria-live=\"polite\">"
    );
    let missing = PADDING.saturating_sub(out.len());
    let _ = writeln!(out, "<!--{:missing$}-->", "");
    out
}

/// The last paragraph of a document whose event is no more, in that language.
pub fn over(language: &str, text: &str) -> String {
    let mut out = format!("<p class=\"over\" lang=\"{language}\">");
    escape(text, &mut out);
    out.push_str("</p>\n");
    out
}

/// A whole document that says no more than that, and is not loaded again. `nonce` must be fit for an attribute.
pub fn document_over(language: &str, text: &str, nonce: &str, theme: Theme) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>"
    );
    escape(text, &mut out);
    let (color_scheme, over) = (theme.color_scheme(), over(language, text));
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "</title><style nonce=\"{nonce}\">:root{{color-scheme:{color_scheme}}}{STYLE}</style></head>\n<body>{over}</body></html>\n"
    );
    out
}

/// A push as markup: the same bytes for every watcher. `None` for what the document does not show.
pub(super) fn update(body: &Body, json: &str) -> Option<String> {
    match body {
        Body::Count(headcount) => {
            let mut out = String::with_capacity(json.len() * 2);
            out.push_str("<p data-count=\"");
            escape(json, &mut out);
            // Writing to a string cannot fail.
            let stale = if headcount.stale_since.is_some() {
                " class=\"stale\""
            } else {
                ""
            };
            let _ = write!(out, "\"{stale}>{}", headcount.registered);
            if let Some(capacity) = headcount.capacity.get() {
                let _ = write!(out, " / {capacity}");
            }
            out.push_str("</p>\n");
            Some(out)
        }
        Body::Watching(_) | Body::Notice { .. } | Body::Stale(_) | Body::Bye { .. } => None,
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

    #[test]
    fn nothing_breaks_out_of_its_attribute() {
        let mut out = String::new();
        escape("\"><script>'&", &mut out);
        assert_eq!(out, "&quot;&gt;&lt;script&gt;&#39;&amp;");
    }

    #[test]
    fn the_end_is_said_and_not_loaded_again() {
        let document = document_over("en", "No <more>", "abc", Theme::Light);
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
    fn the_head_is_long_enough_and_carries_one_nonce() {
        let head = head("<Gala>", "abc", Theme::Dark, 5);
        assert!(head.len() >= PADDING, "{}", head.len());
        assert!(head.contains("<title>&lt;Gala&gt;</title>"));
        assert!(head.contains("content=\"5;url=?theme=dark\""));
        assert_eq!(head.matches("nonce=\"abc\"").count(), 2);
        assert!(
            !head.contains("<p"),
            "a count would be found where there is none"
        );
    }
}
