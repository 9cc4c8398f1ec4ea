//! Connections to the mail server.
//!
//! lettre's own pool has no timeout after connecting, and gives out again a connection that was
//! dropped in the middle of a mail. So each step has a timeout here, and a connection is kept only
//! after a step that succeeded.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use super::smtp_url::{Protection, SmtpUrl};
use super::{Letter, Settings, envelope, error};
use crate::domain::clock::Timestamp;
use crate::domain::outbox::Row;
use crate::domain::person::Email;
use crate::outbox::Outcome;

/// How long a mail server may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection with TLS and greeting, and for each command. RFC 5321, section 4.5.3.2,
    /// allows minutes; the first retry must come within one.
    pub step: Duration,
    /// For the answer after the last line. A server may scan the mail first, and a mail whose answer
    /// is lost is sent again.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(15),
            answer: Duration::from_secs(40),
        }
    }
}

/// Mails over one connection; servers allow about a hundred.
const MAILS_PER_CONNECTION: u32 = 50;
/// How long an idle connection is kept; servers close theirs after a few minutes.
const IDLE: Duration = Duration::from_mins(1);

/// Connections to one mail server, kept for the next mail.
pub struct Pool {
    url: SmtpUrl,
    from: Mailbox,
    hello: ClientId,
    tls: Option<TlsParameters>,
    timeouts: Timeouts,
    /// Held to take one out or put one in, never over an await.
    idle: Mutex<Vec<Open>>,
}

/// A connection that takes mails.
struct Open {
    connection: AsyncSmtpConnection,
    mails: u32,
    since: Instant,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("url", &self.url.to_string())
            .finish_non_exhaustive()
    }
}

/// Why a step failed.
#[derive(Debug)]
enum Fault {
    /// The server has answered with an error, or the connection failed.
    Smtp(Error),
    /// It did not answer in time.
    Timeout(&'static str),
    /// The server cannot do what is needed.
    Unable(&'static str),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Smtp(error)
    }
}

impl Fault {
    fn text(&self, address: &str) -> String {
        match self {
            Self::Smtp(error) => error::text(error, address),
            Self::Timeout(step) => format!("no answer in time: {step}"),
            Self::Unable(what) => (*what).to_owned(),
        }
    }

    /// The reply code that refuses for good; `None` for everything else.
    fn permanent(&self) -> Option<u16> {
        match self {
            Self::Smtp(error) if error.is_permanent() => error.status().map(u16::from),
            Self::Smtp(_) | Self::Timeout(_) | Self::Unable(_) => None,
        }
    }
}

/// How far a mail came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Connecting, signing in, naming the sender: the same for every mail.
    Sender,
    /// Naming the recipient, and the content.
    Recipient,
}

impl Pool {
    /// Reads the system's authorities; fails if the connection needs TLS and there are none.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let url = settings.server.clone();
        let tls = match url.protection {
            Protection::Implicit | Protection::Required | Protection::Opportunistic => {
                let tls = TlsParameters::new_rustls(url.host.clone());
                Some(tls.map_err(|error| format!("cannot read the system's authorities: {error}"))?)
            }
            Protection::None => None,
        };
        Ok(Self {
            url,
            from: settings.from.0.clone(),
            hello: settings.hello(),
            tls,
            timeouts: Timeouts::default(),
            idle: Mutex::default(),
        })
    }

    /// The same with other timeouts.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Sends one mail.
    pub(super) async fn send(
        &self,
        row: &Row,
        to: &Email,
        letter: Letter,
        now: Timestamp,
    ) -> Outcome {
        let failed = |error: envelope::Unwritable| Outcome::Failed {
            error: error.to_string(),
            refused: false,
        };
        let address = match envelope::address(to) {
            Ok(address) => address,
            Err(error) => return failed(error),
        };
        let id = row.message_id(self.from.email.domain());
        let sealed = envelope::seal(letter, &self.from, address, id, now);
        let (envelope, message) = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return failed(error),
        };
        let mut stage = Stage::Sender;
        let sent = self.transfer(&envelope, &message, &mut stage).await;
        let Err(fault) = sent else {
            return Outcome::Sent;
        };
        let error = fault.text(to.as_str());
        match (stage, fault.permanent()) {
            // Our own login is refused (RFC 4954, section 6), not the address.
            (Stage::Recipient, Some(530 | 534 | 535 | 538)) | (Stage::Sender, _) => {
                Outcome::Retry {
                    error,
                    unreachable: true,
                }
            }
            (Stage::Recipient, Some(_)) => Outcome::Failed {
                error,
                refused: true,
            },
            (Stage::Recipient, None) => match fault {
                Fault::Unable(_) => Outcome::Failed {
                    error,
                    refused: false,
                },
                Fault::Smtp(_) | Fault::Timeout(_) => Outcome::Retry {
                    error,
                    unreachable: false,
                },
            },
        }
    }

    async fn transfer(
        &self,
        envelope: &lettre::address::Envelope,
        message: &[u8],
        stage: &mut Stage,
    ) -> Result<(), Fault> {
        let mut open = self.ready().await?;
        let connection = &mut open.connection;
        let is_ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        let international = !envelope.to().iter().all(is_ascii);
        let supports = |feature| connection.server_info().supports_feature(feature);
        let mut parameters = Vec::new();
        if international {
            if !supports(Extension::SmtpUtfEight) {
                *stage = Stage::Recipient;
                return Err(Fault::Unable(
                    "the mail server takes only addresses of ASCII letters (no SMTPUTF8)",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() && supports(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = Mail::new(envelope.from().cloned(), parameters);
        self.step("MAIL", connection.command(sender)).await?;
        *stage = Stage::Recipient;
        for to in envelope.to() {
            let recipient = Rcpt::new(to.clone(), Vec::new());
            self.step("RCPT", connection.command(recipient)).await?;
        }
        self.step("DATA", connection.command(Data)).await?;
        let answer = timeout(self.timeouts.answer, connection.message(message)).await;
        answer.map_err(|_| Fault::Timeout("after the mail"))??;
        open.mails += 1;
        self.keep(open).await;
        Ok(())
    }

    /// A connection that takes a mail: the one that was used last, or a new one.
    async fn ready(&self) -> Result<Open, Fault> {
        while let Some(mut open) = self.take() {
            // The server may have closed it.
            let test = open.connection.test_connected();
            if let Ok(true) = timeout(self.timeouts.step, test).await {
                return Ok(open);
            }
        }
        Ok(Open {
            connection: self.connect().await?,
            mails: 0,
            since: Instant::now(),
        })
    }

    fn take(&self) -> Option<Open> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|open| open.since.elapsed() < IDLE);
        idle.pop()
    }

    /// Keeps a connection for the next mail, or says goodbye.
    async fn keep(&self, mut open: Open) {
        if open.mails >= MAILS_PER_CONNECTION {
            // The mail is delivered, whatever the server answers.
            let _ = timeout(self.timeouts.step, open.connection.quit()).await;
            return;
        }
        open.since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < super::IN_FLIGHT as usize {
            idle.push(open);
        }
    }

    /// Connects, begins TLS and signs in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let implicit = match self.url.protection {
            Protection::Implicit => self.tls.clone(),
            Protection::Required | Protection::Opportunistic | Protection::None => None,
        };
        let server = (self.url.host.as_str(), self.url.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeouts.step),
            &self.hello,
            implicit,
            None,
        );
        let mut connection = self.step("connecting", connecting).await?;
        if let Some(tls) = self.starttls(&connection)? {
            self.step("STARTTLS", connection.starttls(tls, &self.hello))
                .await?;
        }
        if let Some(login) = &self.url.login {
            self.step("AUTH", connection.auth(DEFAULT_MECHANISMS, login))
                .await?;
        }
        Ok(connection)
    }

    async fn greet(&self) -> Result<(), Fault> {
        let mut connection = self.connect().await?;
        let sender = Mail::new(Some(self.from.email.clone()), Vec::new());
        self.step("MAIL", connection.command(sender)).await?;
        // It has answered everything that counts.
        let _ = timeout(self.timeouts.step, connection.quit()).await;
        Ok(())
    }

    async fn step<T>(
        &self,
        name: &'static str,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Fault> {
        let answer = timeout(self.timeouts.step, step).await;
        Ok(answer.map_err(|_| Fault::Timeout(name))??)
    }

    /// What STARTTLS needs, if the connection has to become TLS.
    fn starttls(&self, connection: &AsyncSmtpConnection) -> Result<Option<TlsParameters>, Fault> {
        let offered = connection.can_starttls();
        match self.url.protection {
            Protection::Required if !offered => Err(Fault::Unable(
                "the mail server offers no STARTTLS; add ?tls=opportunistic or ?tls=none to allow \
                 mail without TLS",
            )),
            Protection::Opportunistic if !offered => Ok(None),
            Protection::Required | Protection::Opportunistic => Ok(self.tls.clone()),
            Protection::Implicit | Protection::None => Ok(None),
        }
    }
}

/// Connects to the mail server, signs in and names the sender, and sends nothing: for `doctor`.
pub async fn check(settings: &Settings) -> Result<(), String> {
    let pool = Pool::new(settings)?;
    pool.greet().await.map_err(|fault| fault.text(""))
}
