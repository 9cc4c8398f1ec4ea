//! The options of ACME.

use std::path::PathBuf;

use rcgen::CertificateParams;

use super::files::Files;
use crate::domain::person::Email;
use crate::domain::quoted::{may_hold_secret, quoted};
use crate::server::Tls;

/// The authority that is asked unless `--acme-directory` names another one.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Which certificate is wanted, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `--acme-domains`, in lower case.
    pub names: Vec<String>,
    /// `--acme-contact`: where the authority writes to.
    pub contact: Option<String>,
    /// `--acme-directory`: the address of the authority.
    pub directory: String,
    /// `--acme-folder`: the account, the certificate and its key.
    pub folder: PathBuf,
}

impl Settings {
    pub(super) fn files(&self) -> Files {
        Files::of(&self.folder)
    }

    /// Where the certificate is kept, with its key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.files().certificate()
    }

    /// The certificate in the folder, or one that only bridges the time until the first has come.
    pub(crate) fn tls(&self) -> Result<Tls, String> {
        if let Some(tls) = self.files().read() {
            return Ok(tls);
        }
        let key = rcgen::KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = CertificateParams::new(self.names.clone())
            .and_then(|parameters| parameters.self_signed(&key))
            .map_err(|error| error.to_string())?;
        Tls::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
            .map_err(|error| error.to_string())
    }
}

/// The names of a certificate: host names in ASCII, without wildcards, which need another check.
pub(crate) fn names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let host = url::Host::parse(part).map_err(|_| mistake(part))?;
        match host {
            url::Host::Domain(name) if is_checkable(&name) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => return Err(mistake(part)),
        }
    }
    if names.is_empty() {
        return Err(mistake(text));
    }
    Ok(names)
}

/// Whether an authority can reach the name: not a wildcard, and not a name without a dot.
fn is_checkable(name: &str) -> bool {
    name.contains('.') && !name.ends_with('.') && !name.contains('*')
}

fn mistake(part: &str) -> String {
    format!(
        "{} is no host name such as events.example.org",
        quoted(part)
    )
}

/// The address of an authority. Accounts and orders must not travel in clear (RFC 8555, section 6.1).
pub(crate) fn directory(text: &str) -> Result<String, String> {
    url::Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "https" && url.has_host() && !may_hold_secret(text))
        .map(|url| url.to_string())
        .ok_or_else(|| format!("{} is no address such as {LETS_ENCRYPT}", quoted(text)))
}

/// The operator's address for the authority's mail.
pub(crate) fn contact(text: &str) -> Result<String, String> {
    Email::parse(text)
        .map(|address| address.as_str().to_owned())
        .map_err(|_| {
            format!(
                "{} is no email address such as admin@example.org",
                quoted(text)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_that_an_authority_can_check() {
        assert_eq!(
            names("Events.Example.org, b.example.org,events.example.org").unwrap(),
            ["events.example.org", "b.example.org"]
        );
        assert_eq!(names("bücher.example").unwrap(), ["xn--bcher-kva.example"]);
        for wrong in [
            "localhost",
            "*.example.org",
            "192.0.2.1",
            "[::1]",
            "a b.org",
            "x.org.",
            ",",
        ] {
            assert!(names(wrong).unwrap_err().contains("host name"), "{wrong}");
        }
    }

    #[test]
    fn an_authority_is_spoken_to_over_https_only() {
        assert_eq!(directory(LETS_ENCRYPT).unwrap(), LETS_ENCRYPT);
        for wrong in [
            "http://ca.example.org/dir",
            "ca",
            "https://me@ca.example.org/",
        ] {
            assert!(directory(wrong).is_err(), "{wrong}");
        }
    }
}
