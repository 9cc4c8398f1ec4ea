//! A connection to the server, plain or over TLS, whose bytes are counted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::Base;
use super::meter::{Counted, Meter};
use super::session::Cut;

/// For DNS, TCP and TLS together; a slower server counts as unreachable.
const CONNECT: Duration = Duration::from_secs(10);

/// The connection.
#[derive(Debug)]
pub(super) enum Line {
    Plain(Counted<TcpStream>),
    Tls(Box<TlsStream<Counted<TcpStream>>>),
}

impl Line {
    pub(super) async fn open(
        base: &Base,
        tls: &Arc<ClientConfig>,
        meter: &Arc<Meter>,
    ) -> Result<Self, Cut> {
        let authority = &base.authority;
        timeout(CONNECT, Self::connect(base, tls, meter))
            .await
            .unwrap_or_else(|_| Err(Cut::later(format!("{authority} does not answer"))))
    }

    async fn connect(
        base: &Base,
        tls: &Arc<ClientConfig>,
        meter: &Arc<Meter>,
    ) -> Result<Self, Cut> {
        let (host, port) = (base.host.as_str(), base.port);
        let addresses: Vec<_> = lookup_host((host, port))
            .await
            .map_err(|error| Cut::Hopeless(format!("cannot resolve {host}: {error}")))?
            .collect();
        let tcp = TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| Cut::later(format!("cannot reach {}: {error}", base.authority)))?;
        // Nagle's algorithm would add to the measured delay.
        let _ = tcp.set_nodelay(true);
        let tcp = Counted {
            inner: tcp,
            meter: Arc::clone(meter),
        };
        if !base.tls {
            return Ok(Self::Plain(tcp));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Cut::Hopeless(format!("{host}: {error}")))?;
        let tls = TlsConnector::from(Arc::clone(tls))
            .connect(name, tcp)
            .await
            .map_err(|error| {
                let why = format!("TLS with {host} failed: {error}");
                // rustls refuses a certificate with `InvalidData`; anything else may be a cut in
                // the middle of the handshake.
                if error.kind() == io::ErrorKind::InvalidData {
                    Cut::Hopeless(why)
                } else {
                    Cut::later(why)
                }
            })?;
        Ok(Self::Tls(Box::new(tls)))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
