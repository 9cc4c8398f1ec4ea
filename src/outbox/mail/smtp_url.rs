//! `--smtp-url`.

use std::fmt;
use std::str::FromStr;

use lettre::transport::smtp::authentication::Credentials;
use url::{Host, Url};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte (RFC 8314, section 3.3).
    Implicit,
    /// STARTTLS, or no mail (RFC 3207).
    Required,
    /// STARTTLS if the server offers it.
    Opportunistic,
    /// None: for a server on the same machine.
    None,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User name and password; never printed.
    pub login: Option<Credentials>,
}

/// Port of `smtps` (RFC 8314, section 7.3).
const SUBMISSIONS: u16 = 465;
/// Port of `smtp` (RFC 6409, section 3.1).
const SUBMISSION: u16 = 587;

/// Without user and password.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protection {
            Protection::Implicit => "smtps",
            Protection::Required | Protection::Opportunistic | Protection::None => "smtp",
        };
        let host = &self.host;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{}", self.port)
        } else {
            write!(f, "{scheme}://{host}:{}", self.port)
        }
    }
}

impl FromStr for SmtpUrl {
    type Err = String;

    /// No message repeats the text: it has a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!(
                "not an address such as smtps://user:password@mail.example.org:465 ({error}); \
                 write / ? # @ % in a password as %2F %3F %23 %40 %25"
            )
        })?;
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err("it must begin with smtps:// or smtp://".to_owned()),
        };
        let host = match url.host() {
            // For a scheme that the standard does not know, an address is parsed as a name.
            Some(Host::Domain(host)) if !host.is_empty() => decoded(host)?,
            Some(Host::Ipv4(host)) => host.to_string(),
            Some(Host::Ipv6(host)) => host.to_string(),
            Some(Host::Domain(_)) | None => return Err("it names no host".to_owned()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("it must not have a path".to_owned());
        }
        let mut protection = if implicit {
            Protection::Implicit
        } else {
            Protection::Required
        };
        for (key, value) in url.query_pairs() {
            protection = match (&*key, &*value, implicit) {
                ("tls", "required", false) => Protection::Required,
                ("tls", "opportunistic", false) => Protection::Opportunistic,
                ("tls", "none", false) => Protection::None,
                ("tls", _, false) => {
                    return Err("tls= is required, opportunistic or none".to_owned());
                }
                ("tls", _, true) => {
                    return Err("smtps:// is always TLS; tls= belongs to smtp://".to_owned());
                }
                (_, _, _) => return Err("the only parameter is tls=".to_owned()),
            };
        }
        let port = if implicit { SUBMISSIONS } else { SUBMISSION };
        let login = login(&url)?;
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            protection,
            login,
        })
    }
}

impl SmtpUrl {
    /// Whether a password would travel in clear to another machine.
    pub fn exposes_password(&self) -> bool {
        let local = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let clear = matches!(
            self.protection,
            Protection::None | Protection::Opportunistic
        );
        self.login.is_some() && clear && !local
    }
}

fn login(url: &Url) -> Result<Option<Credentials>, String> {
    let user = decoded(url.username())?;
    match (user.is_empty(), url.password()) {
        (true, None) => Ok(None),
        (false, Some(password)) if !password.is_empty() => {
            Ok(Some(Credentials::new(user, decoded(password)?)))
        }
        (false, Some(_) | None) => Err("it has a user name and no password".to_owned()),
        (true, Some(_)) => Err("it has a password and no user name".to_owned()),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    text.map(String::from)
        .map_err(|_| "user name or password is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mail_servers_are_read() {
        let secure: SmtpUrl = "smtps://ada%40example.org:p%2Fw@mail.example.org"
            .parse()
            .unwrap();
        assert_eq!(
            (secure.host.as_str(), secure.port, secure.protection),
            ("mail.example.org", 465, Protection::Implicit)
        );
        let login = Credentials::new("ada@example.org".to_owned(), "p/w".to_owned());
        assert_eq!(secure.login, Some(login));
        assert!(!format!("{secure:?}").contains("p/w"));
        assert_eq!(secure.to_string(), "smtps://mail.example.org:465");
        for (text, port, protection) in [
            ("smtp://localhost", 587, Protection::Required),
            ("smtp://[::1]:25?tls=none", 25, Protection::None),
            ("smtp://m:2525?tls=required", 2525, Protection::Required),
            (
                "smtp://m/?tls=opportunistic",
                587,
                Protection::Opportunistic,
            ),
        ] {
            let url: SmtpUrl = text.parse().unwrap();
            assert_eq!((url.port, url.protection), (port, protection), "{text}");
            assert_eq!(url.login, None);
        }
        assert_eq!("smtp://[::1]:25".parse::<SmtpUrl>().unwrap().host, "::1");
    }

    #[test]
    fn bad_addresses_are_refused_and_never_repeated() {
        for text in [
            "mail.example.org",
            "http://u:hunter22@mail.example.org",
            "smtp://",
            "smtp://u:hunter22@mail.example.org/inbox",
            "smtp://u:hunter22@mail.example.org?tls=maybe",
            "smtps://u:hunter22@mail.example.org?tls=none",
            "smtp://u:hunter22@mail.example.org?starttls=1",
            "smtp://u@mail.example.org",
            "smtp://:hunter22@mail.example.org",
            "smtp://u:hunter22@mail.example.org:99999",
        ] {
            let mistake = text.parse::<SmtpUrl>().unwrap_err();
            assert!(!mistake.contains("hunter22"), "{mistake}");
        }
    }
}
