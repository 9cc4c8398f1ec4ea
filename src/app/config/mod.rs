//! The configuration. Everything is read and checked before anything is opened, and all mistakes
//! are reported at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use super::acme;
use super::options::{
    address, at_least_one, budget, duration, folder, is_wide, networks, public_url, secret,
    time_zone, whole,
};
use super::otlp;
use crate::cli::ServeArgs;
use crate::context::Hidden;
use crate::domain::quoted::quoted;
use crate::domain::zone::Zone;
use crate::http::auth::TOKEN_PREFIX;
use crate::outbox::mail;
use crate::outbox::webhook::{Guard, Resolver};
use crate::server::Tls;
use crate::store::DatabaseUrl;
use crate::store::outbox::Budget;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Config {
    /// `--listen`.
    pub listen: SocketAddr,
    /// `--database-url`.
    pub database: DatabaseUrl,
    /// `--notify-database-url`.
    pub notify_database: Option<DatabaseUrl>,
    /// `--admin-password`.
    pub admin_password: Option<Hidden>,
    /// `--admin-token`.
    pub admin_token: Option<Hidden>,
    /// `--public-url` without a trailing slash.
    pub public_url: Option<String>,
    /// `--smtp-url`, `--mail-from`, `--mail-per-event` and `--mail-per-hour`.
    pub mail: Option<mail::Settings>,
    /// `--webhook-allow`: which addresses webhooks may lead to.
    pub webhooks: Guard,
    /// `--time-zone`, of new events.
    pub time_zone: Zone,
    /// `--trusted-proxies`.
    pub trusted_proxies: Vec<IpNet>,
    /// What `--tls-cert` and `--tls-key` hold, or the certificate of `--acme-domains`.
    pub tls: Option<Tls>,
    /// `--acme-domains`, `--acme-contact`, `--acme-directory` and `--acme-folder`.
    pub acme: Option<acme::Settings>,
    /// `--webtransport-listen`.
    pub webtransport_listen: Option<SocketAddr>,
    /// `--metrics-listen`.
    pub metrics_listen: Option<SocketAddr>,
    /// `--publish-interval`.
    pub publish_interval: Duration,
    /// `--heartbeat`.
    pub heartbeat: Duration,
    /// `--max-connections`.
    pub max_connections: usize,
    /// `--max-connections-per-ip`.
    pub max_connections_per_ip: usize,
    /// `--register-rate-per-ip`, a minute; 0 is off.
    pub register_rate_per_ip: u32,
    /// `--drain`.
    pub drain: Duration,
    /// `--backup-to`, `--backup-every` and `--backup-keep`.
    pub backups: Option<Backups>,
    /// `--log-format` and `--log`.
    pub log: Log,
    /// `--otlp-endpoint`.
    pub otlp_endpoint: Option<String>,
    /// Not `--no-welcome-event`.
    pub welcome_event: bool,
    /// `--no-lab` turns it off: whether visitors may open the event `lab`, and the program keeps it
    /// small.
    pub lab: bool,
    /// Not `--no-handoff`.
    pub handoff: bool,
}

/// How to log.
#[derive(Debug, Clone)]
pub struct Log {
    /// `--log-format json`.
    pub json: bool,
    /// `--log`.
    pub filter: String,
}

/// Regular backups.
#[derive(Debug, Clone)]
pub struct Backups {
    /// `--backup-to`.
    pub folder: PathBuf,
    /// `--backup-every`.
    pub every: Duration,
    /// `--backup-keep`.
    pub keep: usize,
}

/// Collects mistakes while it reads.
struct Reader {
    mistakes: Vec<String>,
}

impl Reader {
    /// The value, or a stand-in with the mistake noted. The caller fails before it uses a stand-in.
    fn read<T>(&mut self, flag: &str, value: Result<T, String>, stand_in: T) -> T {
        value.unwrap_or_else(|mistake| {
            self.mistakes.push(format!("{flag}: {mistake}"));
            stand_in
        })
    }

    fn optional<T>(
        &mut self,
        flag: &str,
        text: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        // An empty variable means "not set": a compose file writes HEADCOUNT_PUBLIC_URL= for that.
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        let value = parse(text).map(Some);
        self.read(flag, value, None)
    }
}

impl Reader {
    /// The options of mail; `None` without `--smtp-url`.
    fn mail(&mut self, args: &ServeArgs, public_url: Option<&str>) -> Option<mail::Settings> {
        let budget = Budget {
            per_event: self.read("--mail-per-event", budget(&args.mail_per_event), 0),
            total: self.read("--mail-per-hour", budget(&args.mail_per_hour), 0),
        };
        let from = args.mail_from.as_deref();
        let from = self.optional("--mail-from", from, mail::Sender::parse);
        let server = self.optional("--smtp-url", args.smtp_url.as_deref(), str::parse)?;
        let needed = "it needs --public-url, because mails have links".to_owned();
        let public_url = public_url.map(str::to_owned).ok_or(needed);
        let public_url = self.read("--smtp-url", public_url.map(Some), None)?;
        let from = match from {
            Some(from) => from,
            None => self.read("--mail-from", mail::Sender::of(&public_url).map(Some), None)?,
        };
        Some(mail::Settings {
            server,
            from,
            budget,
            public_url,
        })
    }
}

impl Reader {
    /// The options of ACME; `None` without `--acme-domains`.
    fn acme(&mut self, args: &ServeArgs) -> Option<acme::Settings> {
        let contact = args.acme_contact.as_deref();
        let contact = self.optional("--acme-contact", contact, acme::contact);
        let directory = acme::directory(&args.acme_directory);
        let directory = self.read("--acme-directory", directory, String::new());
        let names = self.optional("--acme-domains", args.acme_domains.as_deref(), acme::names)?;
        Some(acme::Settings {
            names,
            contact,
            directory,
            folder: PathBuf::from(&args.acme_folder),
        })
    }

    /// The certificate, from files or from the folder of ACME.
    fn tls(&mut self, args: &ServeArgs, acme: Option<&acme::Settings>) -> Option<Tls> {
        let cert = args.tls_cert.as_deref().filter(|path| !path.is_empty());
        let key = args.tls_key.as_deref().filter(|path| !path.is_empty());
        let (flag, loaded) = match (cert, key, acme) {
            (None, None, None) => return None,
            (None, None, Some(acme)) => ("--acme-domains", acme.tls()),
            (Some(cert), Some(key), None) => (
                "--tls-cert, --tls-key",
                Tls::from_files(Path::new(cert), Path::new(key)).map_err(|error| error.to_string()),
            ),
            (Some(_), None, _) => (
                "--tls-key",
                Err("it is missing; --tls-cert needs it".into()),
            ),
            (None, Some(_), _) => (
                "--tls-cert",
                Err("it is missing; --tls-key needs it".into()),
            ),
            (Some(_), Some(_), Some(_)) => (
                "--acme-domains",
                Err("leave it out, or --tls-cert and --tls-key".into()),
            ),
        };
        self.read(flag, loaded.map(Some), None)
    }
}

/// A shorter secret gets a warning.
const SHORT_SECRET: usize = 8;

impl Config {
    /// Checks every option; the error holds all mistakes, in plain words.
    pub fn read(args: &ServeArgs) -> Result<Self, Vec<String>> {
        const NEVER: Duration = Duration::ZERO;
        let mut reader = Reader {
            mistakes: args.layers.mistakes.clone(),
        };
        let database = args
            .database_url
            .parse::<DatabaseUrl>()
            .map_err(|error| error.to_string());
        let database = reader.read("--database-url", database.map(Some), None);
        let notify_database = reader.optional(
            "--notify-database-url",
            args.notify_database_url.as_deref(),
            |url| {
                url.parse::<DatabaseUrl>()
                    .map_err(|error| error.to_string())
            },
        );
        let acme = reader.acme(args);
        let json = match args.log_format.as_str() {
            "json" => Ok(true),
            "text" => Ok(false),
            other => Err(format!("{} is neither text nor json", quoted(other))),
        };
        let filter = args.log.parse::<tracing_subscriber::filter::Targets>();
        let filter = filter
            .map(|_| args.log.clone())
            .map_err(|error| error.to_string());
        let log = Log {
            json: reader.read("--log-format", json, false),
            filter: reader.read("--log", filter, String::new()),
        };
        let second = Duration::from_secs(1);
        let backups = Backups {
            folder: PathBuf::new(),
            // Names have seconds. A year is longer than anybody should wait.
            every: reader.read(
                "--backup-every",
                duration(&args.backup_every, second, 365 * 24 * 3600 * second),
                NEVER,
            ),
            keep: reader.read("--backup-keep", at_least_one(&args.backup_keep), 0),
        };
        let folder = reader.optional("--backup-to", args.backup_to.as_deref(), folder);
        let public_url = reader.optional("--public-url", args.public_url.as_deref(), public_url);
        let admin_token = match secret(args.admin_token.as_deref()) {
            Some(token) if token.reveal().starts_with(TOKEN_PREFIX) => Err(format!(
                "tokens that begin with {TOKEN_PREFIX} are made by owners"
            )),
            token => Ok(token),
        };
        let config = Self {
            listen: reader.read(
                "--listen",
                address(&args.listen),
                SocketAddr::from(([127, 0, 0, 1], 0)),
            ),
            admin_password: secret(args.admin_password.as_deref()),
            admin_token: reader.read("--admin-token", admin_token, None),
            mail: reader.mail(args, public_url.as_deref()),
            public_url,
            webhooks: Guard::new(
                Resolver::System,
                reader
                    .optional("--webhook-allow", args.webhook_allow.as_deref(), networks)
                    .unwrap_or_default(),
            ),
            time_zone: reader.read("--time-zone", time_zone(&args.time_zone), Zone::default()),
            trusted_proxies: reader
                .optional(
                    "--trusted-proxies",
                    args.trusted_proxies.as_deref(),
                    networks,
                )
                .unwrap_or_default(),
            webtransport_listen: reader.optional(
                "--webtransport-listen",
                args.webtransport_listen.as_deref(),
                address,
            ),
            metrics_listen: reader.optional(
                "--metrics-listen",
                args.metrics_listen.as_deref(),
                address,
            ),
            publish_interval: reader.read(
                "--publish-interval",
                duration(&args.publish_interval, NEVER, 10 * second),
                NEVER,
            ),
            heartbeat: reader.read(
                "--heartbeat",
                duration(&args.heartbeat, second / 10, 300 * second),
                NEVER,
            ),
            max_connections: reader.read(
                "--max-connections",
                at_least_one(&args.max_connections),
                0,
            ),
            max_connections_per_ip: reader.read(
                "--max-connections-per-ip",
                at_least_one(&args.max_connections_per_ip),
                0,
            ),
            register_rate_per_ip: reader.read(
                "--register-rate-per-ip",
                whole(&args.register_rate_per_ip),
                0,
            ),
            drain: reader.read("--drain", duration(&args.drain, NEVER, 600 * second), NEVER),
            backups: folder.map(|folder| Backups { folder, ..backups }),
            tls: reader.tls(args, acme.as_ref()),
            acme,
            log,
            otlp_endpoint: reader.optional(
                "--otlp-endpoint",
                args.otlp_endpoint.as_deref(),
                otlp::endpoint,
            ),
            notify_database,
            welcome_event: !args.no_welcome_event,
            lab: !args.no_lab,
            handoff: !args.no_handoff,
            database: match (database, reader.mistakes.is_empty()) {
                (Some(database), true) => database,
                (_, _) => return Err(reader.mistakes),
            },
        };
        Ok(config)
    }

    /// Warnings about values that are allowed but probably a mistake.
    pub fn warnings(&self) -> Vec<String> {
        let secrets = [
            ("--admin-password", &self.admin_password),
            ("--admin-token", &self.admin_token),
        ];
        let short = |secret: &Hidden| secret.reveal().chars().count() < SHORT_SECRET;
        let secrets = secrets
            .into_iter()
            .filter(|(_, secret)| secret.as_ref().is_some_and(short))
            .map(|(flag, _)| {
                format!("{flag} is easy to guess; anybody who knows it can act as the organiser")
            });
        let proxies = self
            .trusted_proxies
            .iter()
            .filter(|network| is_wide(network));
        let proxies = proxies.map(|network| {
            format!(
                "--trusted-proxies: {network} is wide; visitors in it can claim any address, which \
                 evades all limits"
            )
        });
        let mail = self
            .mail
            .as_ref()
            .filter(|mail| mail.server.exposes_password());
        let mail = mail.map(|mail| {
            format!(
                "--smtp-url: the password may travel to {} in clear; use smtps:// or ?tls=required",
                mail.server
            )
        });
        secrets.chain(proxies).chain(mail).collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
