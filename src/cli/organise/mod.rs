//! What `headcount event` and `headcount people` share: a server, a token, and how answers and
//! refusals are shown.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Builder;

use super::client::address::Base;
use super::client::api::{Answer, Api, Call, Download};
use super::client::{retry_after, tls};
use super::{layers, value};
use crate::domain::clock::Clock;
use crate::domain::event::Slug;

pub(super) mod ask;
pub(super) mod table;

/// For a whole call. An export has this time for each piece instead.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Which server, and with which rights.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct ServerArgs {
    /// The server's address, e.g. https://events.example.org.
    #[arg(
        long,
        env = "HEADCOUNT_URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    url: String,
    /// A token that an owner has made, or the server's admin token. Other users of this machine can read
    /// the command line; the variable and the file keep it from them.
    #[arg(
        long,
        env = "HEADCOUNT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        global = true
    )]
    token: Option<String>,
    /// A file that holds the token.
    #[arg(long, env = "HEADCOUNT_TOKEN_FILE", value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Print the API's answer as JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Accept any TLS certificate, for self-signed ones.
    #[arg(long, global = true)]
    insecure: bool,
}

/// Why a command failed, in a line for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The command line asks for something impossible: exit code 2.
    Mistake(String),
    /// The server refused, or could not be reached: exit code 1.
    Refused(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

/// A server, and the token to send.
pub(super) struct Server {
    api: Api,
    base: Base,
    token: Option<String>,
}

impl Server {
    /// Sends a call. An error is the server's problem document in words.
    pub(super) async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let answer = self.api.send(&self.signed(call)).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(self.refused(&answer))
        }
    }

    /// Sends a call whose answer is JSON.
    pub(super) async fn json(&self, call: Call) -> Result<Value, Failure> {
        document(&self.send(call).await?)
    }

    /// Sends a call whose answer may have any length.
    pub(super) async fn download(&self, call: Call) -> Result<Download, Failure> {
        match self.api.download(&self.signed(call)).await? {
            Ok(download) => Ok(download),
            Err(answer) => Err(self.refused(&answer)),
        }
    }

    fn signed(&self, call: Call) -> Call {
        match &self.token {
            Some(token) => call.bearer(token),
            None => call,
        }
    }

    fn refused(&self, answer: &Answer) -> Failure {
        let problem: Option<Value> = answer.json().ok();
        let text = |name: &str| problem.as_ref().and_then(|problem| problem[name].as_str());
        let mut why = match (text("code"), text("detail")) {
            (Some(code), Some(detail)) => format!("{code}: {detail}"),
            _ => format!(
                "{} answers {}; is this the address of a Headcount server?",
                self.base.url(""),
                answer.status
            ),
        };
        if answer.status == StatusCode::UNAUTHORIZED {
            why += if self.token.is_some() {
                ". Check --token, HEADCOUNT_TOKEN or --token-file"
            } else {
                ". Give a token by --token, HEADCOUNT_TOKEN or --token-file"
            };
            why += &format!(
                "; an owner makes tokens at {}",
                self.base.url("admin/tokens")
            );
        }
        if let Some(wait) = retry_after(&answer.headers, Clock::System.now()) {
            why += &format!("; try again in {} s", wait.as_secs().max(1));
        }
        Failure::Refused(why)
    }
}

/// An answer as JSON.
pub(super) fn document(answer: &Answer) -> Result<Value, Failure> {
    let unexpected = "unexpected response; is this the address of a Headcount server?";
    let document = answer.json();
    document.map_err(|_| Failure::Refused(unexpected.to_owned()))
}

/// The address of an event in the API, or of what is below it.
pub(super) fn path(slug: &Slug, rest: &str) -> String {
    format!("api/v1/events/{slug}{rest}")
}

/// A call that changes something.
pub(super) fn write(method: Method, path: String, body: &impl Serialize) -> Call {
    Call::new(method, path).json(body)
}

/// Reads the short name of an event on the command line.
pub(super) fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|error| error.message)
}

/// Runs a command. It exits with 0, with 1 when the server refuses or does not answer, and with 2 for
/// mistaken options.
pub(super) fn run(
    command: &str,
    args: &ServerArgs,
    act: impl AsyncFnOnce(Server) -> Result<(), Failure>,
) -> ExitCode {
    let outcome = server(args).and_then(|server| {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
        runtime.block_on(act(server))
    });
    let (why, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => (why, 1),
        Err(Failure::Mistake(why)) => (why, 2),
    };
    value::complain(command, &why);
    ExitCode::from(code)
}

fn server(args: &ServerArgs) -> Result<Server, Failure> {
    let base = Base::parse(&args.url);
    let base = base.map_err(|error| Failure::Mistake(format!("--url: {error}")))?;
    let token = token(args)?;
    let tls = tls::config_for(&base, args.insecure).map_err(|error| format!("no TLS: {error}"))?;
    Ok(Server {
        api: Api::new(base.clone(), tls, CALL_TIMEOUT),
        base,
        token,
    })
}

fn token(args: &ServerArgs) -> Result<Option<String>, Failure> {
    let mistake = |why: String| Err(Failure::Mistake(why));
    let given = args.token.as_deref().map(str::trim);
    let file = args
        .token_file
        .as_ref()
        .filter(|file| !file.as_os_str().is_empty());
    let token = match (given.filter(|token| !token.is_empty()), file) {
        (Some(_), Some(_)) => {
            return mistake("a token and a token file are both given; keep one".to_owned());
        }
        (None, None) => return Ok(None),
        (Some(token), None) => token.to_owned(),
        (None, Some(file)) => match layers::read_text(file) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                return mistake(format!(
                    "--token-file: cannot read {}: {error}",
                    file.display()
                ));
            }
        },
    };
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return mistake("the token is empty, or has characters that no token has".to_owned());
    }
    Ok(Some(token))
}
