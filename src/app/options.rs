//! What one option's text means. Each mistake is a sentence for the operator.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::context::Hidden;
use crate::domain::quoted::quoted;
use crate::domain::zone::Zone;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let text = quoted(text);
        format!("{text} is no address and port such as 127.0.0.1:8080 or [::]:8080")
    })
}

pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let value = humantime::parse_duration(text)
        .map_err(|_| format!("{} is no duration such as 50ms, 15s or 1m", quoted(text)))?;
    if value < least || value > most {
        return Err(format!(
            "{text} is out of range: {} to {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        ));
    }
    Ok(value)
}

pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{} is no whole number", quoted(text)))
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    whole::<usize>(text).and_then(|n| {
        if n == 0 {
            Err("at least 1 is needed".into())
        } else {
            Ok(n)
        }
    })
}

/// Mails an hour: without a number above 0 nothing would ever be sent.
pub(super) fn budget(text: &str) -> Result<u32, String> {
    let mails = whole::<u32>(text)?;
    if mails == 0 {
        return Err("at least 1 is needed; leave --smtp-url out to send no mail".into());
    }
    Ok(mails)
}

pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(format!("{} is no existing folder", quoted(text)))
    }
}

pub(super) fn time_zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).map_err(|_| {
        format!(
            "{} is no IANA time zone such as Europe/Berlin",
            quoted(text)
        )
    })
}

pub(super) fn public_url(text: &str) -> Result<String, String> {
    if text.contains('@') {
        // Every link would contain it. The message does not repeat it.
        return Err("it must not have a user name or a password".to_owned());
    }
    let url = url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        format!(
            "{} is no address such as https://events.example.org",
            quoted(text)
        )
    })?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "{} must not have a path: Headcount is served at the root of its host",
            quoted(text)
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The widest network of proxies. A private network such as 10.0.0.0/8 is not wider. A wider one
/// would let visitors choose the address that limits count.
const WIDEST_V4: u8 = 8;
/// The same for IPv6: `fc00::/7` holds all private addresses (RFC 4193).
const WIDEST_V6: u8 = 7;

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |part: &str| {
        let network = part
            .parse::<IpNet>()
            .or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from))
            .map_err(|_| format!("{} is no network such as 10.0.0.0/8", quoted(part)))?;
        let widest = match network {
            IpNet::V4(_) => WIDEST_V4,
            IpNet::V6(_) => WIDEST_V6,
        };
        if network.prefix_len() < widest {
            return Err(format!(
                "{part} is too wide: visitors in it could claim any address; name the proxies only"
            ));
        }
        Ok(network)
    };
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(network)
        .collect()
}

/// Whether a network of proxies has room for visitors: it is public, and larger than a site's.
pub(super) fn is_wide(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => {
            let first = network.network();
            let shared = first.octets()[0] == 100 && first.octets()[1] & 0xc0 == 64;
            network.prefix_len() < 16 && !first.is_private() && !first.is_loopback() && !shared
        }
        IpNet::V6(network) => network.prefix_len() < 32 && !network.network().is_unique_local(),
    }
}

/// A short one is allowed, and the start warns of it (see
/// [`Config::warnings`](super::config::Config::warnings)).
pub(super) fn secret(text: Option<&str>) -> Option<Hidden> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(Hidden::new)
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::read;

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(
            read(&["--public-url", "https://events.example.org/"])
                .unwrap()
                .public_url
                .unwrap(),
            "https://events.example.org"
        );
        assert!(read(&["--public-url", "https://example.org/events"]).is_err());
        assert!(read(&["--public-url", "ftp://example.org"]).is_err());
        for secret in [
            "https://ada:hunter2@example.org",
            "https://hunter2@example.org",
        ] {
            let mistakes = read(&["--public-url", secret]).unwrap_err();
            assert!(!mistakes[0].contains("hunter2"), "{mistakes:?}");
        }
    }

    #[test]
    fn single_addresses_are_networks_too() {
        assert_eq!(
            read(&["--trusted-proxies", "10.0.0.0/8, ::1"])
                .unwrap()
                .trusted_proxies
                .len(),
            2
        );
    }

    #[test]
    fn a_network_of_proxies_that_holds_visitors_is_refused_or_warned_of() {
        for refused in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1,128.0.0.0/1",
            "10.0.0.0/7",
            "2000::/3",
        ] {
            let mistakes = read(&["--trusted-proxies", refused]).unwrap_err();
            assert!(mistakes[0].contains("too wide"), "{mistakes:?}");
        }
        let warned = |networks| {
            read(&["--trusted-proxies", networks])
                .unwrap()
                .warnings()
                .len()
        };
        assert_eq!(warned("8.0.0.0/8,2001::/16"), 2);
        let private = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.0/8,fd00::/8";
        assert_eq!(warned(private), 0);
        assert_eq!(warned("203.0.113.0/24,2001:db8::/32,::1"), 0);
    }
}
