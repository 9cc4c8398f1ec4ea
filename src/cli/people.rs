//! `headcount people`: registrations of an event, over the API.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::client::api::{Call, Download};
use super::organise::ask::confirm;
use super::organise::table::{cell, table};
use super::organise::{self, Failure, Server, ServerArgs, document, path, slug, write};
use super::value::print;
use crate::domain::event::Slug;
use crate::domain::registration::Locator;
use crate::store::Order;

/// Lines of a page. A page of the largest answers fits into what a call may take.
const PAGE: &str = "200";

/// Lists, adds, cancels and exports the registrations of an event.
#[derive(Debug, Args)]
pub(super) struct PeopleArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List registrations.
    List {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        #[command(flatten)]
        filter: Filter,
    },
    /// Add somebody by hand, also to a closed event.
    Add {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// The person's email address.
        #[arg(long)]
        email: Option<String>,
        /// How many people it is for.
        #[arg(long, value_name = "N", default_value_t = 1)]
        party_size: u32,
        /// The answer to a question by its key, e.g. diet=vegan. The value is JSON, or else text.
        #[arg(long = "answer", value_name = "KEY=VALUE", value_parser = answer)]
        answers: Vec<(String, Value)>,
        /// Confirm past the capacity and those who wait.
        #[arg(long)]
        over_capacity: bool,
    },
    /// Cancel a registration; its place goes to the registration that waits longest.
    Cancel {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        /// The registration's number in the current round, or its id.
        registration: String,
        /// Do not ask first.
        #[arg(long, short)]
        yes: bool,
    },
    /// Write registrations as CSV, for spreadsheets.
    Export {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        #[command(flatten)]
        filter: Filter,
        /// Write to this file; it appears when it is whole.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which registrations.
#[derive(Debug, Default, Args)]
struct Filter {
    /// Only those with these words in the name or the address, or with a number such as `No. 12`.
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    /// Only those with this status.
    #[arg(long, value_parser = ["confirmed", "waiting", "cancelled"])]
    status: Option<String>,
    /// Another round than the current one.
    #[arg(long, value_name = "N")]
    round: Option<u32>,
    /// The order; a hyphen reverses it.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true, value_parser = orders())]
    sort: Option<String>,
}

fn orders() -> PossibleValuesParser {
    PossibleValuesParser::new(Order::ALL.map(|(word, _)| word))
}

fn answer(given: &str) -> Result<(String, Value), String> {
    let (key, value) = given
        .split_once('=')
        .ok_or("an answer is written as KEY=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

impl Filter {
    fn query(&self, more: &[(&str, &str)]) -> String {
        let round = self.round.map(|round| round.to_string());
        let own = [
            ("q", self.q.as_deref()),
            ("status", self.status.as_deref()),
            ("round", round.as_deref()),
            ("sort", self.sort.as_deref()),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(own.chain(more.iter().copied())).finish()
    }
}

/// Exits with 0, with 1 when the server refuses or does not answer, and with 2 for mistaken options.
pub(super) fn run(args: &PeopleArgs) -> ExitCode {
    organise::run("people", &args.server, async |server| {
        act(&server, &args.action, args.server.json).await
    })
}

async fn act(server: &Server, action: &Action, is_json: bool) -> Result<(), Failure> {
    match action {
        Action::List { slug, filter } => {
            let rows = all(server, slug, filter).await?;
            let text = if is_json {
                let total = rows.len();
                format!("{}\n", json!({ "registrations": rows, "total": total }))
            } else {
                list(&rows)
            };
            print(text.as_bytes());
            Ok(())
        }
        Action::Add {
            slug,
            name,
            email,
            party_size,
            answers,
            over_capacity,
        } => {
            let answers: Map<String, Value> = answers.iter().cloned().collect();
            let person = json!({
                "name": name,
                "email": email,
                "party_size": party_size,
                "answers": answers,
                "over_capacity": over_capacity,
            });
            let call = write(Method::POST, path(slug, "/registrations/add"), &person);
            outcome(server, call, is_json).await
        }
        Action::Cancel {
            slug,
            registration,
            yes,
        } => {
            let row = find(server, slug, registration).await?;
            let (number, name, id) = (&row["number"], cell(&row["name"]), cell(&row["id"]));
            let question = format!("Cancel No. {number}, {name}, {}?", cell(&row["status"]));
            confirm(&question, *yes)?;
            let path = path(slug, &format!("/registrations/{id}"));
            outcome(server, Call::new(Method::DELETE, path), is_json).await
        }
        Action::Export {
            slug,
            filter,
            output,
        } => {
            let query = filter.query(&[]);
            let call = Call::get(path(slug, &format!("/registrations.csv?{query}")));
            let download = server.download(call).await?;
            match output {
                Some(file) => save(download, file).await,
                // Nobody may be reading any more, as with `| head`.
                None => copy(download, &mut io::stdout(), true, "standard output").await,
            }
        }
    }
}

/// Sends a call about one registration, and shows what became of it.
async fn outcome(server: &Server, call: Call, is_json: bool) -> Result<(), Failure> {
    let answer = server.send(call).await?;
    let text = if is_json {
        answer.text() + "\n"
    } else {
        one(&document(&answer)?)
    };
    print(text.as_bytes());
    Ok(())
}

/// Every page of a list.
async fn all(server: &Server, slug: &Slug, filter: &Filter) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let query = filter.query(&[("limit", PAGE), ("after", &after)]);
        let call = Call::get(path(slug, &format!("/registrations?{query}")));
        let mut page = server.json(call).await?;
        if let Some(found) = page["registrations"].as_array_mut() {
            rows.append(found);
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return Ok(rows),
        }
    }
}

/// The registration with this number in the current round, or with this id.
async fn find(server: &Server, slug: &Slug, given: &str) -> Result<Value, Failure> {
    let locator = given.parse::<Locator>().ok();
    let number = match locator {
        Some(locator) => locator.number,
        None => given.trim_start_matches('#').parse().map_err(|_| {
            let why = format!("{given:?} is neither a registration's number nor its id");
            Failure::Mistake(why)
        })?,
    };
    let filter = Filter {
        q: Some(format!("No. {number}")),
        round: locator.map(|locator| locator.round),
        ..Filter::default()
    };
    let is_it = |row: &Value| match locator {
        Some(_) => row["id"] == given,
        None => row["number"] == number,
    };
    let found = all(server, slug, &filter).await?.into_iter().find(is_it);
    found.ok_or_else(|| Failure::Refused(format!("there is no registration {given} at {slug}")))
}

fn list(rows: &[Value]) -> String {
    let columns = [
        ("NUMBER", "number"),
        ("STATUS", "status"),
        ("PEOPLE", "party_size"),
        ("NAME", "name"),
        ("EMAIL", "email"),
        ("ID", "id"),
    ];
    let mut lines = vec![columns.map(|(head, _)| head.to_owned()).to_vec()];
    lines.extend(
        rows.iter()
            .map(|row| columns.map(|(_, name)| cell(&row[name])).to_vec()),
    );
    table(&lines)
}

/// What became of one registration, and the private link of a new one.
fn one(row: &Value) -> String {
    let mut line = format!("No. {}", cell(&row["number"]));
    if row["name"].is_string() {
        line += &format!(", {}", cell(&row["name"]));
    }
    line += &format!(": {}", cell(&row["status"]));
    if let Some(position) = row["waiting_position"].as_u64() {
        line += &format!(", {position}. on the waiting list");
    }
    line.push('\n');
    if row["links"]["page"].is_string() {
        line += &format!("Their private link: {}\n", cell(&row["links"]["page"]));
    }
    line
}

/// Writes beside the file, and renames it when everything has arrived.
async fn save(download: Download, file: &Path) -> Result<(), Failure> {
    let mut part = file.as_os_str().to_owned();
    part.push(".partial");
    let part = PathBuf::from(part);
    let failed = |error: io::Error| format!("cannot write {}: {error}", file.display());
    // For its owner only: it holds people's data.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut out = options.open(&part).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!(
            "{} is there already: another export writes it, or one was killed; delete it",
            part.display()
        ),
        _ => failed(error),
    })?;
    let whole = copy(download, &mut out, false, &part.display().to_string()).await;
    let stored = whole.and_then(|()| {
        out.sync_all()
            .and_then(|()| fs::rename(&part, file))
            .map_err(|error| failed(error).into())
    });
    if stored.is_err() {
        let _ = fs::remove_file(&part);
    }
    stored
}

/// Writes each piece as it arrives. `may_leave`: whether the reader of `out` may go before the end.
async fn copy(
    mut download: Download,
    out: &mut impl Write,
    may_leave: bool,
    name: &str,
) -> Result<(), Failure> {
    while let Some(piece) = download.piece().await? {
        match out.write_all(&piece) {
            Ok(()) => {}
            Err(error) if may_leave && error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(format!("cannot write {name}: {error}").into()),
        }
    }
    out.flush()
        .map_err(|error| format!("cannot write {name}: {error}").into())
}
