//! What a start prints: the address, how to sign in, the database, the limits.

use std::io::Write as _;

use super::Running;
use super::config::Config;
use crate::store::DatabaseUrl;

/// Prints the start-up lines on standard output. A reader that closes it early does not stop the
/// server.
pub(super) fn print(config: &Config, running: &Running) {
    let mut lines = lines(config, running.address, running.drawn_password.as_deref());
    let mut more = Vec::new();
    if let Some(webtransport) = &running.context.settings.webtransport {
        let note = if config.tls.is_some() {
            "(UDP)"
        } else {
            "(UDP, with certificates of its own)"
        };
        let value = format!("https://{} {note}", authority(webtransport.address()));
        more.push(line("WebTransport", &value));
    }
    if let Some(metrics) = running.metrics {
        let value = format!("http://{}/metrics", authority(metrics));
        more.push(line("Metrics", &value));
    }
    // Before the limits, which come last.
    let at = lines.iter().position(|line| line.starts_with("Limits"));
    let at = at.unwrap_or(lines.len());
    lines.splice(at..at, more);
    let lines = lines.join("\n");
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
    let base = config.public_url.clone();
    let base = base.unwrap_or_else(|| format!("{scheme}://{}", authority(address)));
    let mut lines = vec![
        line(
            &format!("Headcount {} listening on", env!("CARGO_PKG_VERSION")),
            &format!("{base}/"),
        ),
        line("Organiser's console", &format!("{base}/admin")),
    ];
    if let Some(hint) = public_url_hint(config.public_url.as_deref(), address.ip()) {
        lines.push(line("Public address", hint));
    }
    if let Some(password) = drawn_password {
        let note = "(shown this once; set your own with --admin-password)";
        lines.push(line(
            "Organiser's password",
            &format!("{password}   {note}"),
        ));
    }
    lines.push(line("Database", &database(&config.database)));
    if let Some(backups) = &config.backups {
        let every = humantime::format_duration(backups.every);
        lines.push(line(
            "Backups",
            &format!("{}, every {every}", backups.folder.display()),
        ));
    }
    if let Some(mail) = &config.mail {
        let value = format!("{}, from {}", mail.server, mail.from);
        lines.push(line("Mail", &value));
    }
    let rate = match config.register_rate_per_ip {
        0 => "registrations unlimited".to_owned(),
        rate => format!("{rate} registrations a minute from one address"),
    };
    let (all, each) = (config.max_connections, config.max_connections_per_ip);
    lines.push(line(
        "Limits",
        &format!("{all} connections, {each} from one address, {rate}"),
    ));
    lines
}

/// Where a browser on this machine finds a listener: nobody can open 0.0.0.0.
fn authority(bound: std::net::SocketAddr) -> String {
    if bound.ip().is_unspecified() {
        format!("localhost:{}", bound.port())
    } else {
        bound.to_string()
    }
}

/// Visitors reach a server that listens beyond this computer by a name that it cannot know.
fn public_url_hint(public_url: Option<&str>, listens_on: std::net::IpAddr) -> Option<&'static str> {
    let hint =
        "not set; links use the address of each request (set yours with --public-url https://…)";
    (public_url.is_none() && !listens_on.is_loopback()).then_some(hint)
}

fn line(label: &str, value: &str) -> String {
    format!("{label:<29} {value}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_asked_for_beyond_loopback() {
        let hint = |public_url, ip: &str| public_url_hint(public_url, ip.parse().unwrap());
        for ip in ["0.0.0.0", "::", "192.168.1.20", "2001:db8::1"] {
            assert!(hint(None, ip).unwrap().contains("--public-url"), "{ip}");
            assert_eq!(hint(Some("https://events.example.org"), ip), None, "{ip}");
        }
        assert_eq!(hint(None, "127.0.0.1"), None);
        assert_eq!(hint(None, "::1"), None);
    }
}
