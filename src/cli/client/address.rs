//! The address of a server, or of an event: its page or its API, below any path prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use crate::domain::event::Slug;

/// The address of a Headcount server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Base {
    /// `https`.
    pub(in crate::cli) tls: bool,
    /// A name or an IP address; IPv6 without brackets.
    pub(in crate::cli) host: String,
    /// The port, also when the URL omits it.
    pub(in crate::cli) port: u16,
    /// The value of `Host`: IPv6 with brackets, and the port unless it is the scheme's default.
    pub(in crate::cli) authority: String,
    /// Ends with a slash. It is longer than a slash behind a proxy that serves Headcount below a
    /// path.
    pub(in crate::cli) path: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum NoAddress {
    /// Not a URL, or one of another scheme.
    #[error("{0:?} is no web address; it begins with http:// or https://")]
    NotHttp(String),
    /// `https://user:password@…`.
    #[error("an address with a user name or password is not supported")]
    Credentials,
    /// The server's address without an event, or a page of no event.
    #[error("{0} names no event; an event's address looks like {1}")]
    NoEvent(String, String),
    /// `/e/Ünknown`.
    #[error("{0:?} cannot be an event: a slug is 1 to 64 characters of a-z, 0-9 and -")]
    Slug(String),
}

/// Where this machine reaches a server that listens at `address`: nobody can connect to 0.0.0.0.
pub(in crate::cli) fn loopback(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

impl Base {
    /// Parses the address of a server, e.g. `http://127.0.0.1:8080/`, or of one of its pages.
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, NoAddress> {
        let url = read(text)?;
        let (prefix, _) = split(&url);
        Ok(Self::new(&url, &prefix.unwrap_or_else(|| segments(&url))))
    }

    /// The URL of `path`, which is relative to the server's address.
    pub(in crate::cli) fn url(&self, path: &str) -> String {
        format!(
            "{}://{}{}{path}",
            if self.tls { "https" } else { "http" },
            self.authority,
            self.path
        )
    }

    fn new(url: &Url, prefix: &[String]) -> Self {
        let tls = matches!(url.scheme(), "https" | "wss");
        let host = match url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            Some(host) => host.to_string(),
            // `read` refuses a URL without a host.
            None => String::new(),
        };
        let default = if tls { 443 } else { 80 };
        let port = url.port().unwrap_or(default);
        let bracketed = url.host_str().unwrap_or_default();
        let authority = if port == default {
            bracketed.to_owned()
        } else {
            format!("{bracketed}:{port}")
        };
        let mut path: String = prefix
            .iter()
            .fold(String::from("/"), |path, segment| path + segment + "/");
        if path == "//" {
            path.truncate(1);
        }
        Self {
            tls,
            host,
            port,
            authority,
            path,
        }
    }
}

/// Parses the address of an event: `…/e/<slug>` or `…/api/v1/events/<slug>`. It ignores further
/// path segments, a query and a fragment.
pub(in crate::cli) fn event(text: &str) -> Result<(Base, Slug), NoAddress> {
    let url = read(text)?;
    let (Some(prefix), Some(slug)) = split(&url) else {
        let mut example = Base::new(&url, &[]).url("e/spring-gala");
        example.insert(0, ' ');
        return Err(NoAddress::NoEvent(
            text.to_owned(),
            example.trim_start().to_owned(),
        ));
    };
    let slug = Slug::parse(&slug).map_err(|_| NoAddress::Slug(slug))?;
    Ok((Base::new(&url, &prefix), slug))
}

fn read(text: &str) -> Result<Url, NoAddress> {
    let url = Url::parse(text.trim()).map_err(|_| NoAddress::NotHttp(text.to_owned()))?;
    if !matches!(url.scheme(), "http" | "https" | "ws" | "wss")
        || url.host_str().is_none_or(str::is_empty)
    {
        return Err(NoAddress::NotHttp(text.to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoAddress::Credentials);
    }
    Ok(url)
}

fn segments(url: &Url) -> Vec<String> {
    url.path_segments()
        .into_iter()
        .flatten()
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The path prefix of the server, and the event's slug; `None` when the path is not one of
/// Headcount's.
fn split(url: &Url) -> (Option<Vec<String>>, Option<String>) {
    let all = segments(url);
    for marker in [&["api", "v1", "events"][..], &["e"]] {
        if let Some(at) = all
            .windows(marker.len())
            .position(|window| window == marker)
        {
            return (
                Some(all[..at].to_vec()),
                all.get(at + marker.len()).cloned(),
            );
        }
    }
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_pages_and_the_apis_address_below_any_prefix() {
        for (text, url, slug) in [
            (
                "http://127.0.0.1:8080/e/welcome",
                "http://127.0.0.1:8080/",
                "welcome",
            ),
            (
                "http://127.0.0.1:8080/e/welcome/",
                "http://127.0.0.1:8080/",
                "welcome",
            ),
            (
                "  https://example.org/e/welcome/wall?lang=zh#x ",
                "https://example.org/",
                "welcome",
            ),
            (
                "https://example.org:443/api/v1/events/spring-gala",
                "https://example.org/",
                "spring-gala",
            ),
            (
                "http://example.org/api/v1/events/spring-gala/stream?after=x",
                "http://example.org/",
                "spring-gala",
            ),
            ("http://[::1]:9/api/v1/events/a/ws", "http://[::1]:9/", "a"),
            (
                "wss://example.org/api/v1/events/a/ws",
                "https://example.org/",
                "a",
            ),
            (
                "https://example.org/tools//headcount/e/a",
                "https://example.org/tools/headcount/",
                "a",
            ),
            ("http://example.org/e/e", "http://example.org/", "e"),
        ] {
            let (base, read) = event(text).unwrap();
            assert_eq!(
                (base.url("").as_str(), read.as_str()),
                (url, slug),
                "{text}"
            );
        }
        let (base, _) = event("http://[::1]:9/e/a").unwrap();
        assert_eq!(
            (base.host.as_str(), base.port, base.authority.as_str()),
            ("::1", 9, "[::1]:9")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("welcome", "no web address"),
            ("localhost:8080/e/welcome", "no web address"),
            ("ftp://example.org/e/welcome", "no web address"),
            ("http:///e", "names no event"),
            ("http://u:p@example.org/e/welcome", "password"),
            ("http://example.org", "http://example.org/e/spring-gala"),
            ("http://example.org/e/", "names no event"),
            ("http://example.org/r/token", "names no event"),
            ("http://example.org/e/Welcome", "slug"),
        ] {
            let error = event(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn the_servers_address_is_a_page_of_it_or_a_prefix() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            (
                "http://127.0.0.1:8080/e/welcome/compare",
                "http://127.0.0.1:8080/",
            ),
            ("https://example.org/tools/", "https://example.org/tools/"),
        ] {
            assert_eq!(Base::parse(text).unwrap().url(""), url);
        }
    }
}
