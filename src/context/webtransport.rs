//! Where this server speaks WebTransport, as pages and the API tell it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Settings;
use super::head::RequestHead;

/// The hashes of the certificates that a client may meet.
type Hashes = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// A listener of WebTransport.
#[derive(Clone)]
pub struct WebTransport {
    address: SocketAddr,
    /// `None` with the operator's certificate, which browsers check as any other.
    hashes: Option<Hashes>,
}

impl fmt::Debug for WebTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebTransport({})", self.address)
    }
}

impl WebTransport {
    /// A listener with the operator's certificate.
    pub fn with_certificate(address: SocketAddr) -> Self {
        Self {
            address,
            hashes: None,
        }
    }

    /// A listener whose certificates are known by their hashes.
    pub fn with_hashes(
        address: SocketAddr,
        hashes: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            address,
            hashes: Some(Arc::new(hashes)),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The SHA-256 of each certificate that a client may meet, in hexadecimal; empty with the
    /// operator's certificate.
    pub fn hashes(&self) -> Vec<String> {
        self.hashes
            .as_ref()
            .map(|hashes| hashes())
            .unwrap_or_default()
    }

    /// The origin for this visitor: the host of this request, and the listener's port. `None` when
    /// nothing names a host.
    pub fn origin(&self, head: &RequestHead, settings: &Settings) -> Option<String> {
        let port = self.address.port();
        // A name such as `localhost` may stand for an address on which nothing listens.
        if self.hashes.is_some() && self.address.ip().is_loopback() {
            return Some(format!("https://{}", self.address));
        }
        let base = head.base_url(settings)?;
        let (_, authority) = base.split_once("://")?;
        let name = match authority.rsplit_once(':') {
            // Not within the brackets of an IPv6 address.
            Some((name, port)) if !port.ends_with(']') => name,
            Some(_) | None => authority,
        };
        Some(if port == 443 {
            format!("https://{name}")
        } else {
            format!("https://{name}:{port}")
        })
    }
}

#[cfg(test)]
mod tests {
    use warp::http::{HeaderMap, Method};

    use super::*;
    use crate::context::{Admission, Peer};
    use crate::http::pages::samples;

    fn origin(listens_on: &str, host: &str, public: Option<&str>, own: bool) -> Option<String> {
        let address = listens_on.parse().unwrap();
        let listener = if own {
            WebTransport::with_certificate(address)
        } else {
            WebTransport::with_hashes(address, Vec::new)
        };
        let head = RequestHead {
            method: Method::GET,
            headers: HeaderMap::new(),
            peer: Peer {
                ip: [127, 0, 0, 1].into(),
                secure: false,
            },
            admission: Admission::Admitted,
            authority: host.parse().ok(),
        };
        let settings = Settings {
            public_url: public.map(str::to_owned),
            ..samples::settings()
        };
        listener.origin(&head, &settings)
    }

    #[test]
    fn an_origin_has_the_visitors_host_and_the_listeners_port() {
        for (listens_on, host, public, own, expected) in [
            (
                "0.0.0.0:4433",
                "events.example.org:8080",
                None,
                false,
                "https://events.example.org:4433",
            ),
            (
                "[::]:4433",
                "[2001:db8::1]:8080",
                None,
                false,
                "https://[2001:db8::1]:4433",
            ),
            (
                "[::]:4433",
                "[2001:db8::1]",
                None,
                false,
                "https://[2001:db8::1]:4433",
            ),
            (
                "0.0.0.0:443",
                "10.0.0.1",
                Some("https://a.example"),
                true,
                "https://a.example",
            ),
            (
                "127.0.0.1:4433",
                "localhost:8080",
                None,
                false,
                "https://127.0.0.1:4433",
            ),
            (
                "[::1]:4433",
                "localhost:8080",
                None,
                false,
                "https://[::1]:4433",
            ),
            (
                "127.0.0.1:4433",
                "localhost:8080",
                None,
                true,
                "https://localhost:4433",
            ),
        ] {
            assert_eq!(
                origin(listens_on, host, public, own).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(origin("0.0.0.0:4433", "", None, false), None);
    }
}
