//! The endless HTML document for an iframe (docs/protocol.md, section 6).

use std::fmt::Write as _;

use super::message::Body;

/// A push as markup: the same bytes for every watcher. `None` for what the document does not show.
pub(super) fn update(body: &Body, json: &str) -> Option<String> {
    match body {
        Body::Count(headcount) => {
            let mut out = String::with_capacity(json.len() * 2);
            out.push_str("<p data-count=\"");
            escape(json, &mut out);
            // Writing to a string cannot fail.
            let _ = write!(out, "\">{}", headcount.registered);
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
