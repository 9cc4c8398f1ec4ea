//! `headcount serve`: flags and environment variables.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use clap::builder::FalseyValueParser;
use listenfd::ListenFd;

use super::Cli;
use super::layers::Layers;
use crate::app::acme::LETS_ENCRYPT;
use crate::app::config::Config;
use crate::app::otlp::Exporter;
use crate::app::runtime::runtime;
use crate::app::{self, Stopped, logging};
use crate::server::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS};

/// Every option is a flag and an environment variable. All are text here, so that `Config` can
/// check them and report all mistakes together. (For the same reason a negative number is a value,
/// not a flag. A switch's variable is off when it is empty or says no, false, off or 0.)
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments in a terminal"
)]
pub struct ServeArgs {
    /// A TOML file with the options below, such as listen = "127.0.0.1:8080". Flags and variables
    /// win.
    #[arg(long, env = "HEADCOUNT_CONFIG", value_name = "FILE")]
    pub config: Option<String>,
    /// What was read from that file and from files of secrets.
    #[arg(skip)]
    pub layers: Layers,
    /// Address and port to listen on.
    #[arg(
        long,
        env = "HEADCOUNT_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: String,
    /// sqlite://PATH (created when it does not exist) or postgres://… for several nodes.
    /// HEADCOUNT_DATABASE_URL_FILE names a file that holds it.
    #[arg(
        long,
        env = "HEADCOUNT_DATABASE_URL",
        default_value = "sqlite://headcount.db",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: String,
    /// Where to listen for notifications when `--database-url` is a transaction pooler.
    /// HEADCOUNT_NOTIFY_DATABASE_URL_FILE names a file that holds it.
    #[arg(
        long,
        env = "HEADCOUNT_NOTIFY_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub notify_database_url: Option<String>,
    /// The organiser's password; drawn at the first start and printed once when left out.
    /// HEADCOUNT_ADMIN_PASSWORD_FILE names a file that holds it.
    #[arg(
        long,
        env = "HEADCOUNT_ADMIN_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub admin_password: Option<String>,
    /// The bearer token of the organiser's API, with an owner's rights; without it only tokens that
    /// an owner made work. HEADCOUNT_ADMIN_TOKEN_FILE names a file that holds it.
    #[arg(
        long,
        env = "HEADCOUNT_ADMIN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub admin_token: Option<String>,
    /// The address people use, e.g. https://events.example.org; taken from each request when left
    /// out.
    #[arg(long, env = "HEADCOUNT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// The mail server: smtps://USER:PASSWORD@HOST:465, or smtp://HOST:587 with ?tls=required (the
    /// default), opportunistic or none. No mail when left out. Needs --public-url.
    /// HEADCOUNT_SMTP_URL_FILE names a file that holds it.
    #[arg(
        long,
        env = "HEADCOUNT_SMTP_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub smtp_url: Option<String>,
    /// The sender of mail, such as "Events <events@example.org>"; headcount@ the host of
    /// --public-url when left out.
    #[arg(long, env = "HEADCOUNT_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Mails an hour about one event; more wait.
    #[arg(
        long,
        env = "HEADCOUNT_MAIL_PER_EVENT",
        default_value = "500",
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub mail_per_event: String,
    /// Mails an hour in all; more wait.
    #[arg(
        long,
        env = "HEADCOUNT_MAIL_PER_HOUR",
        default_value = "2000",
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub mail_per_hour: String,
    /// Networks that webhooks may lead to besides public addresses, such as 10.1.0.0/16; a comma
    /// separates them.
    #[arg(long, env = "HEADCOUNT_WEBHOOK_ALLOW", value_name = "NETWORKS")]
    pub webhook_allow: Option<String>,
    /// The time zone of new events, an IANA name such as Europe/Berlin.
    #[arg(
        long,
        env = "HEADCOUNT_TIME_ZONE",
        default_value = "UTC",
        value_name = "ZONE"
    )]
    pub time_zone: String,
    /// Networks whose X-Forwarded-For and X-Forwarded-Proto count, comma-separated, e.g.
    /// 10.0.0.0/8,::1.
    #[arg(long, env = "HEADCOUNT_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// A certificate chain in PEM; with --tls-key the server speaks TLS.
    #[arg(long, env = "HEADCOUNT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<String>,
    /// The certificate's private key in PEM.
    #[arg(long, env = "HEADCOUNT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<String>,
    /// Names of a certificate that the server fetches and renews itself, comma-separated. The
    /// authority must reach this server at port 443 of each name. With it you agree to the
    /// authority's terms of service.
    #[arg(long, env = "HEADCOUNT_ACME_DOMAINS", value_name = "NAMES")]
    pub acme_domains: Option<String>,
    /// The email address that the authority of --acme-domains may write to.
    #[arg(long, env = "HEADCOUNT_ACME_CONTACT", value_name = "ADDRESS")]
    pub acme_contact: Option<String>,
    /// The authority's address (RFC 8555).
    #[arg(
        long,
        env = "HEADCOUNT_ACME_DIRECTORY",
        default_value = LETS_ENCRYPT,
        value_name = "URL"
    )]
    pub acme_directory: String,
    /// Where the authority's account, the certificate and its key are kept.
    #[arg(
        long,
        env = "HEADCOUNT_ACME_FOLDER",
        default_value = "acme",
        value_name = "FOLDER"
    )]
    pub acme_folder: String,
    /// UDP address and port of WebTransport over HTTP/3, e.g. 0.0.0.0:8443; none when left out.
    /// Without --tls-cert and --acme-domains the server makes certificates that browsers accept by
    /// their hash.
    #[arg(long, env = "HEADCOUNT_WEBTRANSPORT_LISTEN", value_name = "ADDRESS")]
    pub webtransport_listen: Option<String>,
    /// Address and port of the Prometheus metrics; none when left out.
    #[arg(long, env = "HEADCOUNT_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// At most one count for each watcher in this time; the first change goes out at once.
    #[arg(
        long,
        env = "HEADCOUNT_PUBLISH_INTERVAL",
        default_value = "50ms",
        value_name = "DURATION"
    )]
    pub publish_interval: String,
    /// A sign of life on every stream at least this often.
    #[arg(
        long,
        env = "HEADCOUNT_HEARTBEAT",
        default_value = "15s",
        value_name = "DURATION"
    )]
    pub heartbeat: String,
    /// Open connections at most, in all.
    #[arg(
        long,
        env = "HEADCOUNT_MAX_CONNECTIONS",
        default_value_t = MAX_CONNECTIONS.to_string(),
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub max_connections: String,
    /// Open connections at most from one address; a venue with 2,000 phones behind one address, each
    /// with a few, is served.
    #[arg(
        long,
        env = "HEADCOUNT_MAX_CONNECTIONS_PER_IP",
        default_value_t = MAX_CONNECTIONS_PER_ADDRESS.to_string(),
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub max_connections_per_ip: String,
    /// Registrations a minute from one address before it is asked to wait; 0 is off. The default
    /// lets a venue with 2,000 phones behind one address register within half a minute.
    #[arg(
        long,
        env = "HEADCOUNT_REGISTER_RATE_PER_IP",
        default_value = "6000",
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub register_rate_per_ip: String,
    /// How long a stop may take: streams say goodbye and close spread over this time.
    #[arg(
        long,
        env = "HEADCOUNT_DRAIN",
        default_value = "10s",
        value_name = "DURATION"
    )]
    pub drain: String,
    /// An existing folder for regular backups; none when left out.
    #[arg(long, env = "HEADCOUNT_BACKUP_TO", value_name = "FOLDER")]
    pub backup_to: Option<String>,
    /// The time from one backup to the next.
    #[arg(
        long,
        env = "HEADCOUNT_BACKUP_EVERY",
        default_value = "1d",
        value_name = "DURATION"
    )]
    pub backup_every: String,
    /// How many backups to keep; older ones are removed.
    #[arg(
        long,
        env = "HEADCOUNT_BACKUP_KEEP",
        default_value = "7",
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub backup_keep: String,
    /// text or json.
    #[arg(
        long,
        env = "HEADCOUNT_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: String,
    /// What to log: a level for everything, and levels for modules, e.g. info,headcount=debug.
    #[arg(
        long,
        env = "HEADCOUNT_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub log: String,
    /// Where to send traces, such as http://127.0.0.1:4318: a receiver of OpenTelemetry's protocol
    /// OTLP over HTTP. None when left out. Only a program built with the feature otlp has traces.
    #[arg(long, env = "HEADCOUNT_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Leave an empty database empty: no event `welcome`.
    #[arg(long, env = "HEADCOUNT_NO_WELCOME_EVENT", value_parser = FalseyValueParser::new())]
    pub no_welcome_event: bool,
    /// No lab: nobody can open the event in which the compare page registers made-up people.
    #[arg(long, env = "HEADCOUNT_NO_LAB", value_parser = FalseyValueParser::new())]
    pub no_lab: bool,
    /// Keep streams on the HTTP library's connection instead of handing the socket over; for
    /// finding faults.
    #[arg(long, env = "HEADCOUNT_NO_HANDOFF", value_parser = FalseyValueParser::new(), hide = true)]
    pub no_handoff: bool,
}

/// Reads the configuration, serves until a signal, and stops in order.
pub(super) fn run(args: &ServeArgs) -> ExitCode {
    // It removes the variables, so it comes before every thread.
    let handed_over = ListenFd::from_env();
    let config = match Config::read(args) {
        Ok(config) => config,
        Err(mistakes) => {
            let count = if mistakes.len() == 1 {
                "a mistake"
            } else {
                "mistakes"
            };
            tell(&format!(
                "headcount cannot start; the configuration has {count}:"
            ));
            for mistake in mistakes {
                tell(&format!("  - {mistake}"));
            }
            return ExitCode::from(2);
        }
    };
    let code = serve(config, handed_over);
    logging::flush();
    code
}

fn serve(config: Config, handed_over: ListenFd) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("headcount cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let endpoint = config.otlp_endpoint.as_deref();
    let exporter = endpoint.map(|endpoint| Exporter::start(endpoint, runtime.handle()));
    let exporter = match exporter.transpose() {
        Ok(exporter) => exporter,
        Err(error) => {
            tell(&format!("headcount cannot start: --otlp-endpoint: {error}"));
            return ExitCode::FAILURE;
        }
    };
    logging::start(&config.log, exporter.as_ref());
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let outcome = runtime.block_on(app::run(config, handed_over, &Cli::reread));
    if let Some(exporter) = exporter {
        exporter.stop();
    }
    // Blocking work that is still under way (a password hash) is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(Stopped::Asked) => ExitCode::SUCCESS,
        Ok(Stopped::Failed) => ExitCode::from(app::FAILED),
        Err(error) => {
            tell(&format!("headcount cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error. Nobody may read there, which must not change the exit code.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
