//! Where the server listens, and the address that people use.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use http::StatusCode;
use http::header::STRICT_TRANSPORT_SECURITY;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::super::client::address::{Base, loopback};
use super::super::client::api::{Answer, Api, Call};
use super::super::client::tls;
use super::finding::Finding;
use crate::app::config::Config;

/// How long a name server or a server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the address is free, or this server has it; the flag says that a server answers there.
pub(super) async fn listen(config: &Config, over_tls: bool) -> (Finding, bool) {
    let address = config.listen;
    let Err(error) = TcpListener::bind(address) else {
        return (Finding::ok("listen", format!("{address} is free")), false);
    };
    if error.kind() == ErrorKind::AddrInUse && is_ours(&ask(&own(config, over_tls), true).await) {
        let found = format!("a server answers at {address}");
        return (Finding::ok("listen", found), true);
    }
    let why = unavailable(address, &error, "--listen");
    (Finding::fault("listen", why), false)
}

/// The same for `--webtransport-listen`, over UDP. `serves`: whether a server answers at `--listen`.
pub(super) async fn webtransport(config: &Config, over_tls: bool, serves: bool) -> Option<Finding> {
    const NAME: &str = "webtransport";
    let address = config.webtransport_listen?;
    let Err(error) = UdpSocket::bind(address) else {
        return Some(Finding::ok(NAME, format!("{address} is free (UDP)")));
    };
    if error.kind() == ErrorKind::AddrInUse
        && serves
        && webtransport_port(&own(config, over_tls)).await == Some(address.port())
    {
        let found = format!("the server answers at {address} (UDP)");
        return Some(Finding::ok(NAME, found));
    }
    let why = unavailable(address, &error, "--webtransport-listen");
    Some(Finding::fault(NAME, format!("UDP: {why}")))
}

/// Why an address cannot be listened on, and what to do.
fn unavailable(address: SocketAddr, error: &io::Error, option: &str) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{address} is used by another program; stop it, or choose another {option}")
        }
        ErrorKind::PermissionDenied => format!(
            "{address} needs a privilege: AmbientCapabilities=CAP_NET_BIND_SERVICE \
             (systemd), or a port above 1023"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("{address} is not an address of this machine; 0.0.0.0 or [::] listens on all")
        }
        _ => format!("{address}: {error}"),
    }
}

/// The server's address as this machine reaches it.
fn own(config: &Config, over_tls: bool) -> String {
    let scheme = if over_tls { "https" } else { "http" };
    format!("{scheme}://{}", loopback(config.listen))
}

/// The public address and, as far as can be seen from here, the proxy in front.
pub(super) async fn public(config: &Config, over_tls: bool, serves: bool) -> Vec<Finding> {
    let Some(url) = &config.public_url else {
        return vec![if config.listen.ip().is_loopback() {
            Finding::ok(
                "public url",
                "not set; links use the address of each request",
            )
        } else {
            Finding::warning(
                "public url",
                "not set although the server listens beyond this machine; set --public-url https://…",
            )
        }];
    };
    let base = match Base::parse(url) {
        Ok(base) => base,
        Err(error) => return vec![Finding::fault("public url", error.to_string())],
    };
    let mut findings = Vec::new();
    if over_tls && !base.tls {
        findings.push(Finding::fault(
            "public url",
            format!(
                "{url} is http, but --tls-cert makes the server speak https; correct one of them"
            ),
        ));
    } else if let Err(why) = resolve(&base).await {
        findings.push(Finding::fault(
            "public url",
            format!(
                "{} cannot be resolved: {why}; check its DNS record",
                base.host
            ),
        ));
    } else if serves {
        return check_reachable(config, url, over_tls).await;
    } else {
        findings.push(Finding::ok(
            "public url",
            format!(
                "{} resolves; start the server to check that it leads there",
                base.host
            ),
        ));
    }
    findings.extend(proxy(config, base.tls && !over_tls));
    findings
}

async fn resolve(base: &Base) -> Result<(), String> {
    match timeout(TIMEOUT, lookup_host((base.host.as_str(), base.port))).await {
        Ok(Ok(mut found)) => found.next().map(drop).ok_or("no address".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {TIMEOUT:?}")),
    }
}

/// If a proxy terminates TLS, whether `--trusted-proxies` names one.
fn proxy(config: &Config, ends_before: bool) -> Option<Finding> {
    ends_before.then(|| {
        if config.trusted_proxies.is_empty() {
            Finding::fault(
                "proxy",
                "--public-url is https, but neither --tls-cert nor --trusted-proxies is set; \
                 name the proxy that ends TLS in --trusted-proxies",
            )
        } else {
            Finding::ok(
                "proxy",
                "trusted proxies are named; start the server to check their headers",
            )
        }
    })
}

/// Whether the public address leads to the running server.
async fn check_reachable(config: &Config, url: &str, over_tls: bool) -> Vec<Finding> {
    let answer = ask(url, false).await;
    if !is_ours(&answer) {
        let why = match answer {
            Ok(answer) => format!("answers {}", answer.status),
            Err(why) => format!("does not answer: {why}"),
        };
        return vec![Finding::fault(
            "public url",
            format!("{url} {why}; check DNS, firewall and proxy"),
        )];
    }
    let mut findings = vec![Finding::ok(
        "public url",
        format!("{url} leads to a server"),
    )];
    let ends_before = url.starts_with("https:") && !over_tls;
    // Headcount sends it when a trusted proxy says X-Forwarded-Proto: https.
    let is_secure =
        answer.is_ok_and(|answer| answer.headers.contains_key(STRICT_TRANSPORT_SECURITY));
    match proxy(config, ends_before) {
        Some(finding) if config.trusted_proxies.is_empty() => findings.push(finding),
        Some(_) if !is_secure => findings.push(Finding::fault(
            "proxy",
            "its X-Forwarded-Proto does not arrive; let the proxy send X-Forwarded-For and \
             X-Forwarded-Proto, and name its address in --trusted-proxies",
        )),
        Some(_) => findings.push(Finding::ok("proxy", "its X-Forwarded-Proto arrives")),
        None => {}
    }
    findings
}

/// The answer to the question whether a server lives at `url`.
async fn ask(url: &str, insecure: bool) -> Result<Answer, String> {
    get(url, "health/live", insecure).await
}

/// The port where the server at `url` says that it speaks WebTransport.
async fn webtransport_port(url: &str) -> Option<u16> {
    let answer = get(url, "api/v1/webtransport", true).await.ok()?;
    let answer: serde_json::Value = answer.json().ok()?;
    url::Url::parse(answer["url"].as_str()?).ok()?.port()
}

async fn get(url: &str, path: &str, insecure: bool) -> Result<Answer, String> {
    let base = Base::parse(url).map_err(|error| error.to_string())?;
    let tls = tls::config_for(&base, insecure).map_err(|error| error.to_string())?;
    Api::new(base, tls, TIMEOUT).send(&Call::get(path)).await
}

fn is_ours(answer: &Result<Answer, String>) -> bool {
    answer.as_ref().is_ok_and(|answer| {
        let health = answer.json::<serde_json::Value>();
        answer.status == StatusCode::OK && health.is_ok_and(|health| health["status"] == "live")
    })
}
