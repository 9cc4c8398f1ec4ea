//! The registrations as CSV, for spreadsheets (RFC 4180), written piece by piece from one snapshot.

use std::borrow::Cow;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use unicode_normalization::UnicodeNormalization as _;
use warp::http::{HeaderValue, header};
use warp::reply::{Reply as _, Response};

use super::query::Query;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::http::{auth, find};
use crate::problem::Problem;
use crate::store::{Export, Listed};

/// Pieces that wait for a slow reader, beside those in the store.
const AHEAD: usize = 1;
/// Spreadsheets take a file for UTF-8 only if it begins with a byte order mark.
const BOM: &str = "\u{FEFF}";
const HEAD: [&str; 8] = [
    "number",
    "name",
    "email",
    "status",
    "waiting_position",
    "round",
    "at",
    "id",
];

/// `GET /api/v1/events/{slug}/registrations.csv`, with the list's filters.
pub(in crate::http) async fn get(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    auth::reader(&context, &head).await?;
    let event = find::event(&context, &slug).await?;
    let filter = Query::parse(&query)?.filter(&event)?;
    let name = format!(
        "attachment; filename=\"{}-round-{}.csv\"",
        event.slug, filter.round
    );
    let export = context.store.export(event.id, filter).await?;
    let (pieces, ready) = mpsc::channel(AHEAD);
    // A task of its own renders the rows. It ends with its reader.
    tokio::spawn(write(export, pieces));
    let mut response = warp::reply::stream(ReceiverStream::new(ready)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A slug is letters, digits and hyphens.
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(name).expect("a plain file name"),
    );
    Ok(response)
}

/// Why an export breaks off; the reader sees an incomplete answer, never one that only looks
/// complete.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off: {0}")]
struct Broken(String);

async fn write(mut export: Export, pieces: mpsc::Sender<Result<Bytes, Broken>>) {
    let mut text = format!("{BOM}{}\r\n", HEAD.join(","));
    while let Some(rows) = export.next().await {
        match rows {
            Ok(rows) => text.push_str(&render(&rows)),
            Err(error) => {
                let broken = Broken(Problem::from(error).detail().to_owned());
                let _ = pieces.send(Err(broken)).await;
                return;
            }
        }
        if pieces
            .send(Ok(std::mem::take(&mut text).into()))
            .await
            .is_err()
        {
            return;
        }
    }
}

fn render(rows: &[Listed]) -> String {
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for Listed {
        registration: row,
        waiting_position,
    } in rows
    {
        let (name, email) = (guarded(row.name.as_str()), guarded(row.email.as_str()));
        let waiting = waiting_position
            .map(|place| place.to_string())
            .unwrap_or_default();
        let (number, round) = (
            row.locator.number.to_string(),
            row.locator.round.to_string(),
        );
        let cells = [
            &number,
            name.as_ref(),
            email.as_ref(),
            row.status.as_str(),
            &waiting,
            &round,
            &row.at.to_string(),
            &row.locator.to_string(),
        ];
        // Every record has as many fields as the head, and writing to memory cannot fail.
        csv.write_record(cells).expect("a record in memory");
    }
    let bytes = csv.into_inner().expect("a buffer in memory");
    String::from_utf8(bytes).expect("what was written as text")
}

/// A spreadsheet runs a cell that begins like a formula (OWASP, CSV Injection); an apostrophe makes
/// it a text. Where the separator is another one than ours, a cell also begins inside of ours:
/// after a semicolon in most of Europe.
fn guarded(cell: &str) -> Cow<'_, str> {
    const SEPARATORS: [char; 6] = [',', ';', '\t', '|', '\r', '\n'];
    let risky = |from: &str| from.trim_start_matches(is_skipped).starts_with(is_formula);
    let begins = cell
        .match_indices(SEPARATORS)
        .map(|(at, separator)| at + separator.len());
    let begins: Vec<_> = std::iter::once(0)
        .chain(begins)
        .filter(|at| risky(&cell[*at..]))
        .collect();
    if begins.is_empty() {
        return Cow::Borrowed(cell);
    }
    let mut text = String::with_capacity(cell.len() + begins.len());
    let mut done = 0;
    for at in begins {
        text.push_str(&cell[done..at]);
        text.push('\'');
        done = at;
    }
    text.push_str(&cell[done..]);
    Cow::Owned(text)
}

/// What a spreadsheet drops before it looks at a cell: spaces, and quotation marks.
fn is_skipped(c: char) -> bool {
    c == '"' || (c.is_whitespace() && !matches!(c, '\t' | '\r' | '\n'))
}

/// What a formula begins with. Full-width and small forms count too: some programs fold them.
fn is_formula(c: char) -> bool {
    let folded = std::iter::once(c).nfkc().next();
    matches!(
        folded,
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{2212}')
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::person::{Email, Name};
    use crate::domain::registration::{Locator, Registration, Secret, Status};

    #[test]
    fn formulas_become_texts() {
        for risky in [
            "=1+1",
            "+49",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "=cmd|' /C calc'!A0",
            "\u{FF1D}1",
        ] {
            assert!(guarded(risky).starts_with('\''), "{risky:?}");
        }
        for plain in [
            "Ada",
            "",
            "a=b",
            "'quoted'",
            "李小龙",
            "Ada, Bob; Eve",
            "a - b",
        ] {
            assert_eq!(guarded(plain), plain);
        }
    }

    #[test]
    fn formulas_become_texts_wherever_a_cell_could_begin() {
        for (cell, text) in [
            ("Ada;=1+1", "Ada;'=1+1"),
            ("Ada\t+1", "Ada\t'+1"),
            ("Ada,@x", "Ada,'@x"),
            ("Ada|-1", "Ada|'-1"),
            ("a;; =1", "a;;' =1"),
            ("Ada;\"=1\"", "Ada;'\"=1\""),
            ("=1;\u{FF1D}2", "'=1;'\u{FF1D}2"),
            ("\u{FE66}1", "'\u{FE66}1"),
            ("\u{2212}1", "'\u{2212}1"),
            (" =1", "' =1"),
            ("a;\u{A0}=1", "a;'\u{A0}=1"),
        ] {
            assert_eq!(guarded(cell), text, "{cell:?}");
        }
    }

    #[test]
    fn cells_are_quoted_where_needed() {
        let registration = Registration {
            locator: Locator {
                event: 7,
                round: 2,
                number: 3,
            },
            secret: Secret::draw(),
            name: Name::parse("=HYPERLINK(\"x\"), Ada").unwrap(),
            email: Email::parse("ada@example.org").unwrap(),
            key: None,
            status: Status::Waiting,
            accepted_waiting: Some(5),
            accepted_revision: 9,
            revision: 9,
            at: Timestamp::from_millis(1_795_251_600_123),
        };
        let text = render(&[Listed {
            registration,
            waiting_position: Some(4),
        }]);
        assert_eq!(
            text,
            "3,\"'=HYPERLINK(\"\"x\"\"), Ada\",ada@example.org,waiting,4,2,2026-11-21T09:00:00.123Z,7-2-3\r\n"
        );
    }
}
