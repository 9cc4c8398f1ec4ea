//! `headcount event`: events of a running server, over the API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::client::api::Call;
use super::organise::ask::ask;
use super::organise::table::{cell, table};
use super::organise::{self, Failure, Server, ServerArgs, document, path, slug, write};
use super::value::print;
use crate::domain::event::Slug;

mod settings;

use settings::Settings;

/// Lists, shows and changes the events of a running server.
#[derive(Debug, Args)]
pub(super) struct EventArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all events.
    List,
    /// Show one event.
    Show {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
    },
    /// Create an event; needs a title and a capacity.
    Create {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Change settings of an event.
    Set {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Close an event: nobody can register until it is opened again.
    Close {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
    },
    /// Open a closed event again.
    Open {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
    },
    /// Archive this round's registrations, and open the next round at zero.
    Reset {
        /// The event's short name.
        #[arg(value_parser = slug)]
        slug: Slug,
        /// The event's short name again, instead of typing it when asked.
        #[arg(long, value_name = "SLUG")]
        confirm: Option<String>,
        /// The new round's capacity: a number, or `none`; unchanged unless given.
        #[arg(long, value_name = "N", value_parser = settings::limit)]
        capacity: Option<Value>,
    },
}

/// Exits with 0, with 1 when the server refuses or does not answer, and with 2 for mistaken options.
pub(super) fn run(args: &EventArgs) -> ExitCode {
    organise::run("event", &args.server, async |server| {
        act(&server, &args.action, args.server.json).await
    })
}

async fn act(server: &Server, action: &Action, is_json: bool) -> Result<(), Failure> {
    let (call, shown): (Call, fn(&Value) -> String) = match action {
        Action::List => (Call::get("api/v1/events"), list),
        Action::Show { slug } => (Call::get(path(slug, "/details")), show),
        Action::Create { slug, settings } => (create(slug, settings.given())?, show),
        Action::Set { slug, settings } => {
            let settings = settings.given();
            if settings.is_empty() {
                let why = "event set needs a setting, e.g. --capacity 50; --help lists them";
                return Err(Failure::Mistake(why.to_owned()));
            }
            (edit(slug, &settings.into()), show)
        }
        Action::Close { slug } => (edit(slug, &json!({ "closed": true })), line),
        Action::Open { slug } => (edit(slug, &json!({ "closed": false })), line),
        Action::Reset {
            slug,
            confirm,
            capacity,
        } => {
            let mut reset =
                json!({ "confirm": confirmed(server, slug, confirm.as_deref()).await? });
            if let Some(capacity) = capacity {
                reset["capacity"] = capacity.clone();
            }
            (write(Method::POST, path(slug, "/reset"), &reset), line)
        }
    };
    let answer = server.send(call).await?;
    let text = if is_json {
        answer.text() + "\n"
    } else {
        shown(&document(&answer)?)
    };
    print(text.as_bytes());
    Ok(())
}

fn create(slug: &Slug, mut settings: Map<String, Value>) -> Result<Call, Failure> {
    if !settings.contains_key("title") || !settings.contains_key("capacity") {
        let why = "event create needs --title, and --capacity as a number or none";
        return Err(Failure::Mistake(why.to_owned()));
    }
    settings.insert("slug".to_owned(), slug.as_str().into());
    Ok(write(Method::POST, "api/v1/events".to_owned(), &settings))
}

fn edit(slug: &Slug, settings: &Value) -> Call {
    write(Method::PATCH, path(slug, ""), settings)
}

/// The short name, repeated; it is asked for unless it is given.
async fn confirmed(server: &Server, slug: &Slug, given: Option<&str>) -> Result<String, Failure> {
    let typed = if let Some(given) = given {
        given.to_owned()
    } else {
        let event = server.json(Call::get(path(slug, "/details"))).await?;
        let question = format!(
            "Resetting {slug} archives the {} registered people of round {} and begins at zero. \
            Type {slug} to go on:",
            cell(&event["registered"]),
            cell(&event["round"]),
        );
        ask(&question, &format!("--confirm {slug}"))?
    };
    if typed == slug.as_str() {
        return Ok(typed);
    }
    let why = format!("{typed:?} is not {slug}; nothing was changed");
    Err(match given {
        Some(_) => Failure::Mistake(format!("--confirm: {why}")),
        None => Failure::Refused(why),
    })
}

fn list(events: &Value) -> String {
    let head = ["SLUG", "STATE", "REGISTERED", "WAITING", "TITLE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for event in events["events"].as_array().into_iter().flatten() {
        let waiting = cell(&event["waiting"]);
        let (slug, state, title) = (&event["event"], &event["state"], &event["title"]);
        rows.push(vec![
            cell(slug),
            cell(state),
            places(event),
            waiting,
            cell(title),
        ]);
    }
    table(&rows)
}

fn places(event: &Value) -> String {
    match &event["capacity"] {
        Value::Null => cell(&event["registered"]),
        capacity => format!("{} / {capacity}", event["registered"]),
    }
}

/// What became of an event.
fn line(event: &Value) -> String {
    format!(
        "{}: {}, round {}, {} registered, {} waiting\n",
        cell(&event["event"]),
        cell(&event["state"]),
        cell(&event["round"]),
        places(event),
        cell(&event["waiting"]),
    )
}

/// What most readers look for; the other members follow by name.
const FIRST: [&str; 8] = [
    "event",
    "title",
    "state",
    "registered",
    "capacity",
    "remaining",
    "waiting",
    "round",
];

/// Every setting and counter that has a value, one a line.
fn show(event: &Value) -> String {
    let Some(members) = event.as_object() else {
        return String::new();
    };
    let first = FIRST.iter().filter_map(|name| members.get_key_value(*name));
    let others = members
        .iter()
        .filter(|(name, _)| !FIRST.contains(&name.as_str()));
    let shown = first
        .chain(others)
        .map(|(name, value)| vec![name.clone(), cell(value)]);
    let rows: Vec<_> = shown.filter(|row| !row[1].is_empty()).collect();
    table(&rows)
}
