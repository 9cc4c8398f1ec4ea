//! The registrations as CSV, for spreadsheets (RFC 4180), written piece by piece from one snapshot.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use warp::http::{HeaderValue, header};
use warp::reply::{Reply as _, Response};

use super::formula::guarded;
use super::query::Query;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::http::{auth, find};
use crate::problem::Problem;
use crate::store::{Export, Listed};

/// Pieces that wait for a slow reader, beside those in the store.
const AHEAD: usize = 1;
/// Spreadsheets read a file as UTF-8 only if it begins with a byte order mark.
const BOM: &str = "\u{FEFF}";
const HEAD: [&str; 9] = [
    "number",
    "name",
    "email",
    "status",
    "waiting_position",
    "round",
    "at",
    "id",
    "party_size",
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

/// Why an export stops early. Its reader gets an incomplete answer, not one that only looks
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
            &row.party_size.get().to_string(),
        ];
        // Every record has as many fields as the head, and writing to memory cannot fail.
        csv.write_record(cells).expect("a record in memory");
    }
    let bytes = csv.into_inner().expect("a buffer in memory");
    String::from_utf8(bytes).expect("what was written as text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::person::{Email, Name};
    use crate::domain::registration::{Locator, PartySize, Registration, Secret, Status};

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
            party_size: PartySize::parse("party_size", 4).unwrap(),
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
            "3,\"'=HYPERLINK(\"\"x\"\"), Ada\",ada@example.org,waiting,4,2,2026-11-21T09:00:00.123Z,7-2-3,4\r\n"
        );
    }
}
