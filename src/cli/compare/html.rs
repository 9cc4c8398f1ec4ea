//! The report: one self-contained HTML file, light and dark.

use std::fmt::Write as _;

use super::outcome::Outcome;
use super::{plot, table, verdict};
use crate::wire::frame::escape;

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in oklab, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 74rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
ul.verdict { font-size: 1.1rem; padding-left: 1.2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; white-space: nowrap }
th, td { padding: .35rem .5rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
svg { width: 100%; height: auto }
i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em }
.ranking { padding-left: 1.8rem }
.ranking li { padding: .15rem 0 }
.ranking li > span:first-child { display: inline-block; width: 14rem }
.ranking li > .bar { display: inline-flex; width: calc(100% - 15rem) }
@media (max-width: 40rem) { .ranking li > .bar { width: 100% } }
.bar { display: flex; align-items: center; gap: .5rem }
.bar b { height: 1.1rem; min-width: 2px; border-radius: 2px }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem }
small { opacity: .75 }
";

/// The whole document.
pub(super) fn render(outcome: &Outcome) -> Result<String, String> {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n",
    );
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "<title>Headcount: the transports compared</title>\n<style>{STYLE}</style>\n\
         <h1>The transports compared</h1>\n"
    );
    let _ = writeln!(
        out,
        "<p><small>{} · {}</small></p>",
        text(&outcome.server),
        outcome.at
    );
    out.push_str("<ul class=\"verdict\">\n");
    for sentence in verdict::sentences(outcome) {
        let _ = writeln!(out, "<li>{}</li>", text(&sentence));
    }
    out.push_str("</ul>\n<h2>How old the number on the screen is, on average</h2>\n");
    ages(outcome, &mut out);
    out.push_str("<h2>How soon a change is shown</h2>\n");
    let _ = writeln!(out, "{}", plot::delays(&outcome.rows)?);
    legend(outcome, &mut out);
    out.push_str("<h2>All figures</h2>\n");
    figures(outcome, &mut out);
    for term in table::terms(outcome) {
        let _ = writeln!(out, "<p><small>{}</small></p>", text(&term));
    }
    out.push_str("</html>\n");
    Ok(out)
}

/// A ranking, the freshest first. Bars in HTML: their texts stay readable for screen readers and search.
fn ages(outcome: &Outcome, out: &mut String) {
    let mut rows: Vec<_> = outcome.rows.iter().enumerate().collect();
    rows.sort_by(|(_, a), (_, b)| a.mean_age_ms.total_cmp(&b.mean_age_ms));
    let longest = rows
        .last()
        .map_or(f64::MIN_POSITIVE, |(_, row)| row.mean_age_ms)
        .max(f64::MIN_POSITIVE);
    out.push_str("<ol class=\"ranking\">\n");
    for (index, row) in rows {
        let (width, colour) = (row.mean_age_ms / longest * 85.0, plot::colour(index));
        let _ = writeln!(
            out,
            "<li><span>{}</span><span class=\"bar\"><b \
            style=\"width:{width:.2}%;background:{colour}\"></b>{}</span></li>",
            text(&row.name),
            table::milliseconds(row.mean_age_ms)
        );
    }
    out.push_str("</ol>\n");
}

fn legend(outcome: &Outcome, out: &mut String) {
    out.push_str("<p class=\"legend\">");
    for (index, row) in outcome.rows.iter().enumerate() {
        let _ = write!(
            out,
            "<span><i style=\"background:{}\"></i>{}</span>",
            plot::colour(index),
            text(&row.name)
        );
    }
    out.push_str("</p>\n");
}

fn figures(outcome: &Outcome, out: &mut String) {
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for head in table::heads() {
        let _ = write!(out, "<th scope=\"col\">{head}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &outcome.rows {
        out.push_str("<tr>");
        for cell in table::cells(row) {
            let _ = write!(out, "<td>{}</td>", text(&cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    escape(raw, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_alone_and_escapes_what_it_is_given() {
        let mut outcome = verdict::example();
        outcome.rows[1].mean_age_ms = 0.3;
        let html = render(&outcome).unwrap();
        assert!(html.contains("Poll every 1s &lt;b&gt;") && !html.contains("1s <b>"));
        for outside in ["src=", "href=", "@import", "url(", "<script"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert_eq!(html.matches("<svg").count(), 1);
        let ranking = html.split("<ol class=\"ranking\">").nth(1).unwrap();
        let at = |name: &str| ranking.find(name).unwrap();
        assert!(at("WebSocket") < at("Server-sent events"));
        assert!(at("Server-sent events") < at("Poll every 1s"));
        assert_eq!(html.matches("<tr>").count(), 4);
    }
}
