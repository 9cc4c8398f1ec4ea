//! The registrations as CSV, for spreadsheets (RFC 4180), written piece by piece from one snapshot.

use std::borrow::Cow;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use warp::http::{HeaderValue, header};
use warp::reply::{Reply as _, Response};

use super::formula::guarded;
use super::query::Query;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::domain::person::Email;
use crate::domain::questions::{Answer, Key, Questions};
use crate::domain::registration::AddedBy;
use crate::http::{auth, find};
use crate::problem::Problem;
use crate::store::{Export, Listed};
use crate::trace;

/// Pieces that wait for a slow reader, beside those in the store.
const AHEAD: usize = 1;
/// Spreadsheets read a file as UTF-8 only if it begins with a byte order mark.
const BOM: &str = "\u{FEFF}";
const HEAD: [&str; 10] = [
    "number",
    "name",
    "email",
    "status",
    "waiting_position",
    "round",
    "at",
    "id",
    "party_size",
    "added_by",
];

/// `GET /api/v1/events/{slug}/registrations.csv`, with the list's filters.
pub(in crate::http) async fn get(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    let reader = auth::reader(&context, &head, Permission::Read.on(&slug)).await?;
    let shows_addresses = reader.has(Permission::ReadAddresses.on(&slug));
    let event = find::event(&context, &slug).await?;
    let filter = Query::parse(&query)?.filter(&event)?;
    let name = format!(
        "attachment; filename=\"{}-round-{}.csv\"",
        event.slug, filter.round
    );
    let filter = if shows_addresses {
        filter
    } else {
        filter.of_names()
    };
    let columns = Columns {
        shows_addresses,
        ..Columns::of(&event.questions)
    };
    let export = context.store.export(event.id, filter).await?;
    let (pieces, ready) = mpsc::channel(AHEAD);
    // A task of its own renders the rows. It ends with its reader.
    trace::spawn(write(export, columns, pieces));
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

/// The columns that differ from file to file.
#[derive(Debug, Default)]
struct Columns {
    /// One for each question, also for those that were removed.
    questions: Vec<(Key, String)>,
    /// Whether the column of addresses is filled.
    shows_addresses: bool,
}

impl Columns {
    fn of(questions: &Questions) -> Self {
        let mut columns = Vec::new();
        for question in questions.known() {
            let label = question.label.as_str();
            let is_taken = HEAD.contains(&label)
                || columns
                    .iter()
                    .any(|(_, header): &(Key, String)| header == label);
            // Programs read a cell by its header.
            let header = if is_taken {
                format!("{label} ({})", question.key)
            } else {
                label.to_owned()
            };
            columns.push((question.key.clone(), header));
        }
        Self {
            questions: columns,
            shows_addresses: true,
        }
    }

    fn head(&self) -> String {
        let labels = self.questions.iter().map(|(_, label)| guarded(label));
        let fixed = HEAD.map(Cow::Borrowed).into_iter();
        lines([fixed.chain(labels)])
    }
}

/// Records in CSV.
fn lines<'a, R>(records: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = Cow<'a, str>>,
{
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for record in records {
        let cells = record.into_iter();
        // Every record has as many fields as the head, and writing to memory cannot fail.
        csv.write_record(cells.map(Cow::into_owned))
            .expect("a record in memory");
    }
    let bytes = csv.into_inner().expect("a buffer in memory");
    String::from_utf8(bytes).expect("what was written as text")
}

async fn write(mut export: Export, columns: Columns, pieces: mpsc::Sender<Result<Bytes, Broken>>) {
    let mut text = format!("{BOM}{}", columns.head());
    while let Some(rows) = export.next().await {
        match rows {
            Ok(rows) => text.push_str(&render(&rows, &columns)),
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

fn render(rows: &[Listed], columns: &Columns) -> String {
    lines(rows.iter().map(|listed| record(listed, columns)))
}

fn record<'a>(listed: &'a Listed, columns: &'a Columns) -> impl Iterator<Item = Cow<'a, str>> {
    let row = &listed.registration;
    let address = row.email.as_ref().filter(|_| columns.shows_addresses);
    let waiting = listed.waiting_position.map(|place| place.to_string());
    let fixed = [
        row.locator.number.to_string().into(),
        guarded(row.name.as_str()),
        guarded(address.map_or("", Email::as_str)),
        row.status.as_str().into(),
        waiting.unwrap_or_default().into(),
        row.locator.round.to_string().into(),
        row.at.to_string().into(),
        row.locator.to_string().into(),
        row.party_size.get().to_string().into(),
        row.added_by.map_or("", AddedBy::as_str).into(),
    ];
    let keys = columns.questions.iter().map(|(key, _)| key);
    fixed
        .into_iter()
        .chain(keys.map(|key| row.answers.get(key).map_or("".into(), cell)))
}

fn cell(answer: &Answer) -> Cow<'_, str> {
    match answer {
        Answer::Text(_) | Answer::Options(_) => guarded(&answer.to_string()).into_owned().into(),
        // A number with a sign begins like a formula and is none.
        Answer::Flag(_) | Answer::Number(_) => answer.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::language::Language;
    use crate::domain::person::Name;
    use crate::domain::questions::Unanswered;
    use crate::domain::registration::{Locator, PartySize, Registration, Secret, Status};

    #[test]
    fn cells_are_quoted_where_needed() {
        let questions = Questions::new(
            Questions::parse(&serde_json::json!([
                { "key": "diet", "label": "=Diet, \"vegan\"?", "kind": "choices", "options": ["+no", "yes"] },
                { "key": "age", "label": "name", "kind": "number" },
                { "key": "ok", "label": "OK", "kind": "checkbox" },
                { "key": "note", "label": "OK", "kind": "long-text" },
            ]))
            .unwrap(),
        );
        let sent = [
            ("diet", serde_json::json!(["yes", "+no"])),
            ("age", serde_json::json!(-3.5)),
            ("ok", serde_json::json!(true)),
        ];
        let sent = sent.into_iter().map(|(key, value)| (key.into(), value));
        let answers = questions
            .answered(&sent.collect(), Unanswered::Refused)
            .unwrap();
        let columns = Columns::of(&questions);
        assert_eq!(
            columns.head(),
            "number,name,email,status,waiting_position,round,at,id,party_size,added_by,\"'=Diet, \"\"vegan\"\"?\",name (age),OK,OK (note)\r\n"
        );
        let registration = Registration {
            locator: Locator {
                event: 7,
                round: 2,
                number: 3,
            },
            secret: Secret::draw(),
            name: Name::parse("=HYPERLINK(\"x\"), Ada").unwrap(),
            email: Some(Email::parse("ada@example.org").unwrap()),
            party_size: PartySize::parse("party_size", 4).unwrap(),
            key: None,
            answers,
            status: Status::Waiting,
            accepted_waiting: Some(5),
            accepted_revision: 9,
            revision: 9,
            at: Timestamp::from_millis(1_795_251_600_123),
            added_by: Some(AddedBy::Token),
            erased_at: None,
            language: Language::default(),
            email_proven_at: None,
            unsubscribed_at: None,
            renamed_at: None,
        };
        let listed = Listed {
            registration,
            waiting_position: Some(4),
        };
        let text = render(&[listed], &columns);
        assert_eq!(
            text,
            "3,\"'=HYPERLINK(\"\"x\"\"), Ada\",ada@example.org,waiting,4,2,2026-11-21T09:00:00.123Z,7-2-3,4,token,'+no|yes,-3.5,true,\r\n"
        );
    }
}
