//! Where the values of options come from.
//!
//! A flag wins over its variable, the variable over a file that `<VARIABLE>_FILE` names (secrets
//! only), that over a systemd credential, that over the configuration file, and that over the
//! default. The lower layers become defaults of the command line, so clap decides what wins and the
//! rest of the program reads one struct. Mistakes are collected here and reported with all others.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use serde_json::{Map, Value};

use super::serve::ServeArgs;
use crate::domain::quoted::{may_hold_secret, shown_path, shown_secret_path};
use crate::outbox::mail::SmtpUrl;
use crate::store::DatabaseUrl;

/// Options that hold a secret: a file may hold it as well.
const SECRETS: [&str; 5] = [
    "admin_password",
    "admin_token",
    "database_url",
    "notify_database_url",
    "smtp_url",
];
/// Options that name a file: a credential is such a file.
const FILES: [&str; 2] = ["tls_cert", "tls_key"];
/// The longest configuration file or secret, in bytes.
const TEXT_MAX: u64 = 1024 * 1024;
/// The option that names the configuration file.
const CONFIG: &str = "config";

/// What was read beside the command line and the environment.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// What is wrong with it, in words.
    pub(crate) mistakes: Vec<String>,
    /// The options that have a value, in the order of the help.
    pub(super) settings: Vec<Setting>,
}

/// An option that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Its name in a configuration file.
    pub(super) name: String,
    /// Its value as text; a secret is masked.
    pub(super) value: String,
    /// Whether it is a switch.
    pub(super) is_switch: bool,
    /// Where the value comes from.
    pub(super) origin: String,
}

/// One value below the environment.
#[derive(Debug, PartialEq, Eq)]
struct Layered {
    value: String,
    origin: String,
}

/// The environment: the process's own, or a test's.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether the command has `--config`.
pub(super) fn takes_a_file(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == CONFIG)
}

/// Whether the option belongs into a configuration file and the help.
pub(super) fn is_in_files(arg: &Arg) -> bool {
    known(arg).is_some() && !arg.is_hide_set()
}

/// An option of a command.
struct Known {
    id: String,
    variable: String,
    has_default: bool,
}

/// The command with the lower layers as defaults of its options, and where each option's value comes
/// from, by its id. `matches` is what the command line and the environment alone give.
pub(super) fn apply(
    mut command: Command,
    matches: &ArgMatches,
    environment: Environment<'_>,
    mistakes: &mut Vec<String>,
) -> (Command, Vec<(String, String)>) {
    let known: Vec<Known> = command.get_arguments().filter_map(known).collect();
    let path = matches
        .get_one::<String>(CONFIG)
        .filter(|path| !path.is_empty());
    let mut file = match path {
        Some(path) => read(Path::new(path), mistakes),
        None => BTreeMap::new(),
    };
    let mut origins = Vec::new();
    for Known {
        id,
        variable,
        has_default,
    } in known
    {
        let from_file = file.remove(&id);
        let below = secret(&id, &variable, environment, mistakes).or(from_file);
        let is_set = environment(&variable).is_some_and(|value| !value.trim().is_empty());
        let origin = match (matches.value_source(&id), below) {
            (Some(ValueSource::CommandLine), _) => "flag".to_owned(),
            (Some(ValueSource::EnvVariable), _) if is_set || has_default => variable,
            (_, Some(Layered { value, origin })) => {
                command = command.mut_arg(&id, |arg| {
                    // An empty variable counts as not set.
                    arg.env(Resettable::Reset).default_value(value)
                });
                origin
            }
            (_, None) if has_default => "default".to_owned(),
            (_, None) => continue,
        };
        origins.push((id, origin));
    }
    // A command may know fewer options than the server.
    let serve = ServeArgs::augment_args(Command::new("serve"));
    let is_option = |id: &str| serve.get_arguments().any(|arg| arg.get_id() == id);
    let unknown = file.keys().filter(|id| !is_option(id));
    mistakes.extend(unknown.map(|id| {
        let path = path.map_or("", String::as_str);
        format!("{path}: there is no option {}", option(id))
    }));
    (command, origins)
}

fn known(arg: &Arg) -> Option<Known> {
    let variable = arg.get_env()?.to_str()?.to_owned();
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    (arg.get_id() != CONFIG).then(|| Known {
        id: arg.get_id().to_string(),
        variable,
        has_default: is_switch || !arg.get_default_values().is_empty(),
    })
}

/// The options of a command that have a value, with their masked values.
pub(super) fn settings(matches: &ArgMatches, origins: Vec<(String, String)>) -> Vec<Setting> {
    let setting = |(id, origin): (String, String)| {
        let switch = matches.try_get_one::<bool>(&id).ok().flatten();
        let value = match switch {
            Some(switch) => switch.to_string(),
            None => matches.get_raw(&id)?.next()?.to_string_lossy().into_owned(),
        };
        Some(Setting {
            value: masked(&id, value),
            is_switch: switch.is_some(),
            name: option(&id),
            origin,
        })
    };
    origins.into_iter().filter_map(setting).collect()
}

/// A secret shows nothing, not even its length; the address of a database only its password.
fn masked(id: &str, value: String) -> String {
    const MASK: &str = "********";
    match id {
        "admin_password" | "admin_token" => MASK.to_owned(),
        "database_url" | "notify_database_url" => value
            .parse::<DatabaseUrl>()
            .map_or_else(|_| MASK.to_owned(), |url| url.to_string()),
        "smtp_url" => value
            .parse::<SmtpUrl>()
            .map_or_else(|_| MASK.to_owned(), |url| url.to_string()),
        // Mistakes, which must not show a password.
        "public_url" | "otlp_endpoint" | "acme_directory" if value.contains(['@', '?', '#']) => {
            MASK.to_owned()
        }
        _ if may_hold_secret(&value) => MASK.to_owned(),
        _ => value,
    }
}

/// `admin_password` is `admin-password` in a file.
pub(super) fn option(id: &str) -> String {
    id.replace('_', "-")
}

/// Reads a whole file of text. A device may have no end.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(TEXT_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_MAX {
        return Err(io::Error::other("the file is too large"));
    }
    Ok(text)
}

/// The values of the configuration file, by option.
fn read(path: &Path, mistakes: &mut Vec<String>) -> BTreeMap<String, Layered> {
    let shown = shown_path(path);
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) => {
            mistakes.push(format!("--config: cannot read {shown}: {error}"));
            return BTreeMap::new();
        }
    };
    let table: Map<String, Value> = match basic_toml::from_str(&text) {
        Ok(table) => table,
        Err(error) => {
            mistakes.push(format!("{shown}: {error}"));
            return BTreeMap::new();
        }
    };
    let mut values = BTreeMap::new();
    for (key, value) in table {
        match plain(&value) {
            Some(value) => {
                let origin = shown.clone();
                values.insert(key.replace('-', "_"), Layered { value, origin });
            }
            // The value may be a secret.
            None => mistakes.push(format!(
                "{shown}: {key} must be text, a number, true or false, or a list of texts"
            )),
        }
    }
    values
}

/// A value as a flag would take it; the values of a list are separated by commas.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// The value of a file whose name comes from `<VARIABLE>_FILE` or from systemd; `None` for options
/// that are no secret.
fn secret(
    id: &str,
    variable: &str,
    environment: Environment<'_>,
    mistakes: &mut Vec<String>,
) -> Option<Layered> {
    let (is_secret, is_file) = (SECRETS.contains(&id), FILES.contains(&id));
    if !is_secret && !is_file {
        return None;
    }
    let credential = environment("CREDENTIALS_DIRECTORY")
        .map(|folder| PathBuf::from(folder).join(option(id)))
        .filter(|path| path.is_file());
    if is_file {
        let path = credential?;
        return Some(Layered {
            value: path.to_str()?.to_owned(),
            origin: "credential".to_owned(),
        });
    }
    let by_file = format!("{variable}_FILE");
    let named = environment(&by_file).filter(|path| !path.trim().is_empty());
    if named.is_some() && environment(variable).is_some_and(|value| !value.is_empty()) {
        mistakes.push(format!("{variable} and {by_file} are both set; keep one"));
    }
    let (path, origin) = match (named, credential) {
        (Some(path), _) => (PathBuf::from(&path), by_file),
        (None, Some(path)) => (path, "credential".to_owned()),
        (None, None) => return None,
    };
    match read_text(&path) {
        // The password would be drawn, as if none were wanted.
        Ok(text) if text.trim_end_matches(['\r', '\n']).is_empty() => {
            mistakes.push(format!("{origin}: {} is empty", shown_secret_path(&path)));
            None
        }
        // Editors and `echo` end a file with a line feed.
        Ok(text) => Some(Layered {
            value: text.trim_end_matches(['\r', '\n']).to_owned(),
            origin,
        }),
        Err(error) => {
            mistakes.push(format!(
                "{origin}: cannot read {}: {error}",
                shown_secret_path(&path)
            ));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_variable_and_every_secret_is_masked() {
        let serve = ServeArgs::augment_args(Command::new("serve"));
        let ids = |wanted: fn(&Arg) -> bool| -> Vec<&str> {
            let found = serve.get_arguments().filter(|arg| wanted(arg));
            found.map(|arg| arg.get_id().as_str()).collect()
        };
        assert_eq!(
            ids(|arg| arg.get_env().is_none()),
            Vec::<&str>::new(),
            "a configuration file sets options that have a variable"
        );
        let mut secrets = ids(Arg::is_hide_env_values_set);
        secrets.sort_unstable();
        assert_eq!(secrets, SECRETS);
        for id in secrets {
            let value = "postgres://ada:hunter22@db.example.org/headcount".to_owned();
            assert!(!masked(id, value).contains("hunter22"), "{id}");
        }
        let smtp = "smtps://ada:hunter22@mail.example.org".to_owned();
        assert_eq!(masked("smtp_url", smtp), "smtps://mail.example.org:465");
        assert!(
            !masked("public_url", "https://ada:hunter22@example.org".to_owned())
                .contains("hunter22")
        );
    }
}
