//! What a start prints: where to look, how to sign in, which database, which limits.

use std::io::Write as _;

use super::Running;
use super::config::Config;
use crate::store::DatabaseUrl;

/// Prints the start-up lines on standard output. Whoever has read enough may have closed it; a server does not end for that.
pub(super) fn print(config: &Config, running: &Running) {
    let lines = lines(config, running.address, running.drawn_password.as_deref()).join("\n");
    let _ = writeln!(std::io::stdout(), "{lines}");
}

fn lines(
    config: &Config,
    address: std::net::SocketAddr,
    drawn_password: Option<&str>,
) -> Vec<String> {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    // Nobody can open 0.0.0.0 in a browser.
    let host = match address.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    };
    let base = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("{scheme}://{host}:{}", address.port()));
    let opening = format!("Headcount {} listening on", env!("CARGO_PKG_VERSION"));
    let mut lines = vec![
        format!("{opening:<29} {base}/"),
        format!("Organiser's console           {base}/admin"),
    ];
    if let Some(password) = drawn_password {
        lines.push(format!("Organiser's password          {password}   (shown this once; set your own with --admin-password)"));
    }
    lines.push(format!(
        "Database                      {}",
        database(&config.database)
    ));
    lines.push(format!(
        "Limits                        {} connections, {} from one address, {}",
        config.max_connections,
        config.max_connections_per_ip,
        if config.register_rate_per_ip == 0 {
            "registrations unlimited".to_owned()
        } else {
            format!(
                "{} registrations a minute from one address",
                config.register_rate_per_ip
            )
        }
    ));
    if let Some(metrics) = config.metrics_listen {
        lines.push(format!(
            "Metrics                       http://{metrics}/metrics"
        ));
    }
    lines
}

/// The database without its password.
fn database(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(options) => format!("SQLite, {}", options.get_filename().display()),
        DatabaseUrl::Postgres(options) => {
            format!(
                "Postgres, {} on {}:{}",
                options.get_database().unwrap_or("(default)"),
                options.get_host(),
                options.get_port()
            )
        }
    }
}
