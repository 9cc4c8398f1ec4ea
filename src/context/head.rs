//! The head of a request: what handlers need besides its path, query and body.

use std::net::{IpAddr, Ipv4Addr};

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::host::Authority;
use warp::http::{HeaderMap, Method, header};

use super::{Admission, Peer, Settings};

/// The head of a request.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// All header fields.
    pub headers: HeaderMap,
    /// Who asks.
    pub peer: Peer,
    /// Whether the connection is within the limits.
    pub admission: Admission,
    /// The host that was asked for: `Host`, or `:authority` in HTTP/2 (RFC 9113, section 8.3.1).
    pub authority: Option<Authority>,
}

/// Extracts the head of a request; never rejects one.
pub fn request_head() -> BoxedFilter<(RequestHead,)> {
    // A `Host` that contradicts the target counts as missing: nothing is derived from it.
    let authority = warp::host::optional().or(warp::any().map(|| None)).unify();
    let parts = warp::method()
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(warp::ext::optional())
        .and(authority);
    let head = |method, headers, peer: Option<Peer>, admission: Option<Admission>, authority| {
        RequestHead {
            method,
            headers,
            // Only tests run without a server below, which adds the peer.
            peer: peer.unwrap_or(Peer {
                ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                secure: false,
            }),
            admission: admission.unwrap_or(Admission::Admitted),
            authority,
        }
    };
    parts.map(head).boxed()
}

impl RequestHead {
    /// A header field as text; `None` when it is absent or not ASCII.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `scheme://host[:port]` for links, without a trailing slash. `None` when nothing names a
    /// host; links are relative then.
    pub fn base_url(&self, settings: &Settings) -> Option<String> {
        settings.public_url.clone().or_else(|| {
            let scheme = if self.peer.secure { "https" } else { "http" };
            self.authority
                .as_ref()
                .map(|authority| [scheme, "://", authority.as_str()].concat())
        })
    }
}
