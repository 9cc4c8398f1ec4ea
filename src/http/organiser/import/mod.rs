//! Adds many people from a file of comma-separated values (RFC 4180): all of them, or nobody.
//!
//! The file is checked line by line, then the event's writer decides about everybody in one
//! transaction. A dry run does the same and stores nothing.

mod columns;
mod lines;
mod sheet;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Semaphore;
use warp::reply::Response;

use self::sheet::Sheet;
use super::query;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared, blocking};
use crate::domain::access::Permission;
use crate::domain::command::{Answer, Applicant, Command, Imported, Refusal};
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::language::Language;
use crate::http::auth::Organiser;
use crate::http::body::{self, Unread};
use crate::http::registration::unexpected;
use crate::http::{auth, find, language, preconditions, reply};
use crate::problem::Problem;

/// The most people in a file. They are stored in one transaction, and everybody else of the event
/// waits for it: half a second at most, as measured.
pub(in crate::http) const ROWS_MAX: usize = 10_000;
/// The most mistakes in an answer. A file with more has another cause, such as a wrong column.
const ERRORS_MAX: usize = 10_000;

/// One file is parsed at a time, because parsing occupies a thread.
static PARSE_PERMIT: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// What an import did or, with mistakes or as a dry run, would do.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::http) struct Report {
    /// Lines with people.
    pub(in crate::http) rows: usize,
    /// Of them, those that get their places.
    pub(in crate::http) accepted: u32,
    /// Of them, those that wait.
    pub(in crate::http) waiting: u32,
    /// What is wrong, by line. If anything is, nobody is stored.
    pub(in crate::http) errors: Vec<LineError>,
    /// Whether the people are stored.
    pub(in crate::http) stored: bool,
}

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::http) struct LineError {
    /// The line in the file; the header is line 1.
    pub(in crate::http) line: u64,
    /// The field in the API, such as `email`; `null` for a whole line.
    pub(in crate::http) field: Option<String>,
    /// A problem code.
    pub(in crate::http) code: &'static str,
    /// A plain English sentence.
    pub(in crate::http) message: String,
    /// What is wrong with a cell or a header, for pages to translate.
    #[serde(skip)]
    pub(in crate::http) invalid: Option<Invalid>,
    /// The field's heading in the file, for pages; `None` if the file lacks it.
    #[serde(skip)]
    pub(in crate::http) heading: Option<String>,
    /// The start of the wrong cell, for pages.
    #[serde(skip)]
    pub(in crate::http) cell: Option<String>,
}

/// `POST /api/v1/events/{slug}/registrations/import`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let dry_run = query::Query::parse(&query)?.dry_run()?;
    let file = body.read_file(body::IMPORT_MAX, &head, "text/csv").await?;
    preconditions::require(&head.headers, &[event.position()])?;
    let language = language::preferred(&head.headers);
    let report = run(&context, &event, file, dry_run, &organiser, language).await?;
    Ok(reply::json(&report))
}

/// Imports a file, or tries to. The people's mails are in the organiser's `language`.
pub(in crate::http) async fn run(
    context: &Context,
    event: &Arc<Event>,
    file: Bytes,
    dry_run: bool,
    organiser: &Organiser,
    language: Language,
) -> Result<Report, Problem> {
    let Sheet {
        rows,
        lines,
        mut people,
        headings,
        mut errors,
    } = check(event, file).await?;
    for person in &mut people {
        person.language = language;
    }
    let cells: Vec<_> = people.iter().map(Cells::of).collect();
    let command = Command::Import {
        people,
        // Decided as well, so that the answer has every mistake.
        dry_run: dry_run || !errors.is_empty(),
        by: organiser.actor(),
    };
    let Imported {
        confirmed,
        waiting,
        refused,
        is_stored,
    } = match context.registrar.submit(event.id, command).await?? {
        Answer::Imported(imported) => imported,
        other => return Err(unexpected(&other)),
    };
    let refused = refused.into_iter();
    errors.extend(refused.map(|(index, refusal)| {
        let error = LineError::refused(lines[index], refusal);
        let cell = cells[index].of_field(error.field.as_deref());
        LineError { cell, ..error }
    }));
    errors.sort_by_key(|error| error.line);
    errors.truncate(ERRORS_MAX);
    for error in &mut errors {
        let field = error.field.as_deref().unwrap_or_default();
        error.heading = headings.get(field).cloned();
    }
    Ok(Report {
        rows,
        accepted: confirmed,
        waiting,
        errors,
        stored: is_stored,
    })
}

async fn check(event: &Arc<Event>, file: Bytes) -> Result<Sheet, Problem> {
    let defect = || Problem::from(crate::write_path::Failure::Internal);
    // The semaphore is never closed.
    let turn = Arc::clone(&PARSE_PERMIT).acquire_owned().await;
    let turn = turn.map_err(|_| defect())?;
    let event = Arc::clone(event);
    let checked = blocking::run(turn, move || {
        Sheet::read(&file, &event.questions, event.max_party_size)
    });
    checked.await.ok_or_else(defect)
}

/// The cells of a person that the writer may refuse.
struct Cells {
    email: Option<String>,
    party_size: u32,
}

impl Cells {
    fn of(person: &Applicant) -> Self {
        Self {
            email: person.email.as_ref().map(|email| email.as_str().to_owned()),
            party_size: person.party_size.get(),
        }
    }

    fn of_field(&self, field: Option<&str>) -> Option<String> {
        match field {
            Some("email") => self.email.clone(),
            Some("party_size") => Some(self.party_size.to_string()),
            _ => None,
        }
    }
}

impl LineError {
    fn refused(line: u64, refusal: Refusal) -> Self {
        let field = match &refusal {
            Refusal::AlreadyRegistered => Some("email".to_owned()),
            Refusal::EventFull { .. } => Some("party_size".to_owned()),
            Refusal::Invalid(invalid) => Some(invalid.field.to_string()),
            Refusal::EventClosed
            | Refusal::EventNotOpen { .. }
            | Refusal::IdempotencyMismatch
            | Refusal::RegistrationNotFound
            | Refusal::RegistrationCancelled
            | Refusal::RegistrationErased
            | Refusal::EventNotFound
            | Refusal::NotEmpty(_)
            | Refusal::ChangedMeanwhile => None,
        };
        let invalid = match &refusal {
            Refusal::Invalid(invalid) => Some(invalid.clone()),
            _ => None,
        };
        let problem = Problem::from(refusal);
        Self {
            line,
            field,
            invalid,
            heading: None,
            cell: None,
            code: problem.code().as_str(),
            message: problem.detail().to_owned(),
        }
    }
}
