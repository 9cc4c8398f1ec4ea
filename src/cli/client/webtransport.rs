//! WebTransport over HTTP/3 (docs/protocol.md, section 5).

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;
use wtransport::endpoint::ConnectOptions;
use wtransport::endpoint::endpoint_side::Client;
use wtransport::error::{ConnectingError, ConnectionError};
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream};

use super::item::End;
use super::meter::Meter;
use super::ndjson::{LONGEST, Lines};
use super::request::{self, AGENT, Http};
use super::session::{Cut, Session};
use super::target::Target;

const JSON: &str = "application/json";
/// The time limit of the handshake and the server's first answer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the bytes that QUIC has counted are read.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// The wait after 1013 (try again later) without `retry_ms`.
const OVER_LIMIT: Duration = Duration::from_secs(5);
/// A connection on which nothing arrives for this long is lost: the server sends every 15 s.
const IDLE: Duration = Duration::from_secs(40);

/// `GET /api/v1/webtransport`.
#[derive(Deserialize)]
struct Address {
    url: String,
    certificate_hashes: Vec<String>,
}

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let (target, meter) = (session.target, session.meter);
    let address = address(target, meter).await?;
    let resume = session
        .cursor()
        .map(|cursor| format!("?after={cursor}"))
        .unwrap_or_default();
    let url = format!("{}/api/v1/events/{}/wt{resume}", address.url, target.slug);
    let endpoint = endpoint(target, &address).map_err(Cut::Hopeless)?;
    let connection = match open(&endpoint, meter, url).await {
        Ok(connection) => connection,
        Err(ConnectingError::SessionRejected) => return Err(refused(target, meter).await),
        Err(error) => return Err(Cut::later(format!("{}: {error}", address.url))),
    };
    let counted = Counted {
        connection: &connection,
        meter,
        read: (0, 0),
    };
    read(session, &connection, counted).await
}

/// Where the server speaks WebTransport. Asked before each connection: a restarted server has
/// another certificate.
async fn address(target: &Target, meter: &Arc<Meter>) -> Result<Address, Cut> {
    let mut http = Http::new(target, meter);
    let path = format!("{}api/v1/webtransport", target.base.path);
    let response = http.get(&path, JSON, &[], Duration::ZERO).await?;
    if response.status() == StatusCode::NOT_FOUND {
        let why = "this server does not speak WebTransport; start it with --webtransport-listen";
        return Err(Cut::Hopeless(why.into()));
    }
    let text = request::text(request::expect(response, JSON).await?).await?;
    serde_json::from_str(&text).map_err(|error| {
        Cut::Hopeless(format!(
            "unexpected response ({error}); is this a Headcount server?"
        ))
    })
}

/// Why the server has refused the session: its answer to the same question over TCP, as wtransport
/// does not give the status.
async fn refused(target: &Target, meter: &Arc<Meter>) -> Cut {
    let mut http = Http::new(target, meter);
    match http.get(&target.path(""), JSON, &[], Duration::ZERO).await {
        Ok(response) if response.status() == StatusCode::OK => {
            Cut::later("the server has refused the session")
        }
        Ok(response) => request::refusal(response).await,
        Err(cut) => cut,
    }
}

async fn open(
    endpoint: &Endpoint<Client>,
    meter: &Meter,
    url: String,
) -> Result<Connection, ConnectingError> {
    meter.request();
    let options = ConnectOptions::builder(url)
        .add_header("user-agent", AGENT)
        .build();
    timeout(HANDSHAKE, endpoint.connect(options))
        .await
        .unwrap_or(Err(ConnectingError::ConnectionError(
            ConnectionError::TimedOut,
        )))
}

/// A socket of its own, as every watcher has. It trusts the certificates with the published hashes, or
/// those of the system's authorities.
fn endpoint(target: &Target, address: &Address) -> Result<Endpoint<Client>, String> {
    let build = |local: SocketAddr| {
        let config = ClientConfig::builder().with_bind_address(local);
        let config = if address.certificate_hashes.is_empty() {
            let mut tls = (*target.tls).clone();
            tls.alpn_protocols = vec![b"h3".to_vec()];
            config.with_custom_tls(tls)
        } else {
            let hashes = address.certificate_hashes.iter();
            let hashes = hashes
                .map(|hash| digest(hash))
                .collect::<Result<Vec<_>, _>>()?;
            config.with_server_certificate_hashes(hashes)
        };
        let config = config
            .max_idle_timeout(Some(IDLE))
            .map_err(|_| "the idle timeout is too long".to_owned())?;
        Endpoint::client(config.build()).map_err(|error| error.to_string())
    };
    // One socket for both families where there is IPv6.
    build(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)))
        .or_else(|_| build(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))
}

fn digest(hash: &str) -> Result<Sha256Digest, String> {
    let pairs = hash.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| format!("{hash:?} is no SHA-256"))?;
    Ok(Sha256Digest::new(bytes))
}

/// Reads the stream and the datagrams until the session ends.
async fn read(
    session: &mut Session<'_>,
    connection: &Connection,
    mut counted: Counted<'_>,
) -> Result<Infallible, Cut> {
    let stream = timeout(HANDSHAKE, connection.accept_uni()).await;
    let mut stream: RecvStream = match stream {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(ended(&error)),
        Err(_) => return Err(Cut::later("the session has no stream")),
    };
    session.connected()?;
    let mut lines = Lines::default();
    let mut piece = vec![0; 4 * 1024];
    let mut ticks = tokio::time::interval(COUNT_EVERY);
    loop {
        tokio::select! {
            biased;
            read = stream.read(&mut piece) => {
                counted.count();
                match read {
                    Ok(Some(read)) => lines.0.extend_from_slice(&piece[..read]),
                    Ok(None) | Err(_) => return Err(closed(connection).await),
                }
                for line in lines.by_ref() {
                    let line = std::str::from_utf8(&line)
                        .map_err(|_| Cut::Hopeless("a line that is not UTF-8".into()))?;
                    session.envelope(line)?;
                }
                if lines.0.len() > LONGEST {
                    return Err(Cut::Hopeless("a line without an end".into()));
                }
            }
            datagram = connection.receive_datagram() => {
                counted.count();
                let datagram = datagram.map_err(|error| ended(&error))?;
                let json = std::str::from_utf8(&datagram)
                    .map_err(|_| Cut::Hopeless("a datagram that is not UTF-8".into()))?;
                // A later datagram, or the stream, may have been faster.
                session.count(json)?;
            }
            _ = ticks.tick() => counted.count(),
        }
    }
}

/// Why the session has ended: only wtransport's own calls give the code.
async fn closed(connection: &Connection) -> Cut {
    loop {
        match timeout(HANDSHAKE, connection.receive_datagram()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return ended(&error),
            Err(_) => return Cut::later("the stream has ended"),
        }
    }
}

fn ended(error: &ConnectionError) -> Cut {
    let ConnectionError::ApplicationClosed(close) = error else {
        return Cut::later(format!("the connection broke off: {error}"));
    };
    match close.code().into_inner() {
        1000 => Cut::Final(End::Deleted),
        1013 => Cut::Later {
            why: "the server has closed: 1013 limit".into(),
            wait: Some(OVER_LIMIT),
        },
        code => Cut::later(format!(
            "the server has closed: {code} {}",
            String::from_utf8_lossy(close.reason())
        )),
    }
}

/// Adds the bytes that QUIC counts to the meter.
struct Counted<'a> {
    connection: &'a Connection,
    meter: &'a Arc<Meter>,
    read: (u64, u64),
}

impl Counted<'_> {
    fn count(&mut self) {
        let stats = self.connection.quic_connection().stats();
        let now = (stats.udp_rx.bytes, stats.udp_tx.bytes);
        let (received, sent) = std::mem::replace(&mut self.read, now);
        self.meter.add(now.0 - received, now.1 - sent);
    }
}
