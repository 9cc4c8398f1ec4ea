//! The TLS certificate: whether it fits its key, its dates and its names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::super::serve::ServeArgs;
use super::finding::Finding;
use crate::app::acme;
use crate::domain::clock::{Clock, Timestamp};
use crate::server::Tls;

const NAME: &str = "certificate";
/// A certificate that expires sooner gets a warning. One of 90 days is normally renewed 30 days before its
/// end, so renewing has probably failed.
const EXPIRY_WARNING: Duration = Duration::from_hours(14 * 24);

/// `--tls-cert` and `--tls-key`, when both are given, or what the authority of `--acme-domains` gave.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    pub(super) fn of(options: &ServeArgs) -> Option<Self> {
        let given = |path: &Option<String>| {
            path.as_ref()
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        Some(Self {
            certificate: given(&options.tls_cert)?,
            key: given(&options.tls_key)?,
        })
    }

    pub(super) fn fetched(settings: &acme::Settings) -> Self {
        Self {
            certificate: settings.certificate(),
            key: settings.certificate(),
        }
    }

    /// A server that fetches its certificate itself may still have none.
    pub(super) fn to_come(&self, settings: &acme::Settings) -> Option<Finding> {
        (!self.certificate.exists()).then(|| {
            let names = settings.names.join(", ");
            Finding::warning(
                NAME,
                format!("none yet for {names}; the server fetches it after its start"),
            )
        })
    }

    pub(super) fn examine(&self, public_url: Option<&str>) -> Finding {
        if let Err(error) = Tls::from_files(&self.certificate, &self.key) {
            return Finding::fault(
                NAME,
                format!(
                    "--tls-cert, --tls-key: {error}; name the chain and the key that belongs to it"
                ),
            );
        }
        let host = public_url
            .and_then(|url| url::Url::parse(url).ok())
            .and_then(|url| url.host_str().map(str::to_owned));
        examine(&self.certificate, host.as_deref(), Clock::System.now())
            .unwrap_or_else(|error| Finding::fault(NAME, error))
    }
}

/// Fails for a certificate that clients would refuse.
fn examine(file: &Path, host: Option<&str>, now: Timestamp) -> Result<Finding, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let der = CertificateDer::from_pem_file(file).map_err(|error| unreadable(&error))?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| unreadable(&error))?;
    let moment = |at: x509_parser::time::ASN1Time| Timestamp::from_millis(at.timestamp() * 1_000);
    let (from, to) = (
        moment(parsed.validity.not_before),
        moment(parsed.validity.not_after),
    );
    let names = names(&parsed);
    if now < from {
        return Err(format!("it is valid only from {from}; check the clock"));
    }
    if now > to {
        return Err(format!(
            "it expired at {to}; renew it and restart the server"
        ));
    }
    if let Some(host) = host {
        let name = ServerName::try_from(host).map_err(|error| format!("{host}: {error}"))?;
        let certificate = ParsedCertificate::try_from(&der).map_err(|error| unreadable(&error))?;
        if verify_server_name(&certificate, &name).is_err() {
            return Err(format!(
                "it is for {names}, not for {host} of --public-url; get one with that name"
            ));
        }
    }
    let text = format!("it is for {names}, valid until {to}");
    Ok(if to.since(now) < EXPIRY_WARNING {
        Finding::warning(NAME, format!("{text}; renew it now"))
    } else if parsed.issuer() == parsed.subject() {
        Finding::warning(
            NAME,
            format!("{text}, and self-signed: browsers refuse it until they trust it"),
        )
    } else {
        Finding::ok(NAME, text)
    })
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| &extension.value.general_names);
    let names: Vec<String> = names
        .into_iter()
        .flatten()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(octets) => address(octets),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        "no name".to_owned()
    } else {
        names.join(", ")
    }
}

/// RFC 5280, section 4.2.1.6: 4 octets or 16.
fn address(octets: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(octets).map(|four| std::net::IpAddr::from(four).to_string());
    let sixteen =
        || <[u8; 16]>::try_from(octets).map(|all| std::net::IpAddr::from(all).to_string());
    four.or_else(|_| sixteen()).ok()
}
