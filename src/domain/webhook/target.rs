//! Where a webhook leads to.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Position, Url};

use crate::domain::invalid::{self, Invalid};

/// The longest address, in code points: those of chats carry a long secret.
const LONGEST: usize = 1_000;

/// An address of a receiver: `http` or `https`, without user name, password and fragment. Its path
/// often is a secret, so that it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

/// The host of a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetHost<'a> {
    /// A name, to be resolved.
    Name(&'a str),
    /// An address.
    Address(IpAddr),
}

impl Target {
    /// The setting's name.
    pub const FIELD: &'static str = "url";
    /// The longest address, in code points.
    pub const MAX: usize = LONGEST;

    /// Parses an address. Fails with the rule it breaks.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = invalid::text(Self::FIELD, raw, 1, LONGEST, false)?;
        let refused = || {
            Invalid::new(
                Self::FIELD,
                "not-an-address",
                "url must be an http or https address without user name and password",
            )
        };
        let mut url = Url::parse(&text).map_err(|_| refused())?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.port() != Some(0);
        if !is_plain {
            return Err(refused());
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// An address that was parsed before it was stored: percent-encoded, it may be longer than what
    /// was typed.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        Url::parse(text).ok().map(Self)
    }

    /// The error for an address that this server does not call.
    pub fn forbidden(address: IpAddr) -> Invalid {
        let message = format!(
            "url leads to {address}, which is not a public address; the operator can allow its \
             network with --webhook-allow"
        );
        Invalid::new(Self::FIELD, "forbidden", message)
    }

    /// The whole address.
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }

    /// Whether it is called over TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme() == "https"
    }

    /// The host to connect to.
    pub fn host(&self) -> TargetHost<'_> {
        match self.0.host() {
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            Some(Host::Domain(name)) => TargetHost::Name(name),
            // `parse` refuses an address without a host.
            None => TargetHost::Name(""),
        }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        // Both schemes have a default.
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// The value of the header `Host`.
    pub fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// The request's target (RFC 9112, section 3.2.1).
    pub fn path(&self) -> &str {
        &self.0[Position::BeforePath..Position::AfterQuery]
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{}/…)", self.0.scheme(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_called_at_its_host_and_path() {
        let target = Target::parse(" https://hooks.example.org:8443/a/b?c=d#e ").unwrap();
        assert_eq!(target.host(), TargetHost::Name("hooks.example.org"));
        assert_eq!(
            (
                target.port(),
                target.authority(),
                target.path(),
                target.is_secure()
            ),
            (8443, "hooks.example.org:8443", "/a/b?c=d", true)
        );
        assert!(!format!("{target:?}").contains("c=d"));
        let plain = Target::parse("http://[::1]").unwrap();
        assert_eq!(plain.host(), TargetHost::Address("::1".parse().unwrap()));
        assert_eq!((plain.port(), plain.path()), (80, "/"));
        // Browsers and programs read these as 127.0.0.1.
        for odd in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1"] {
            let address = TargetHost::Address([127, 0, 0, 1].into());
            assert_eq!(Target::parse(odd).unwrap().host(), address, "{odd}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        let long = format!("https://example.org/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://",
            "https://ada@example.org/",
            "https://ada:secret@example.org/",
            "https://example.org:0/",
            "https://example.org/a\nb",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(Target::parse(bad).unwrap_err().field, "url", "{bad:?}");
        }
    }
}
