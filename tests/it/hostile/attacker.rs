//! An attacker: one address that no visitor has.

use std::any::Any;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::http2::Http2;
use super::target::Target;
use crate::server::tls;
use crate::server::wire::Wire;

/// The attacker's address is 127.0.0.2, the visitors' 127.0.0.1.
pub(super) const ATTACKER: u8 = 2;
pub(super) const VISITOR: u8 = 1;

/// The attacker's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
    /// HTTP/2 over TLS.
    Tls,
}

/// What an attack leaves open; it ends when this is dropped.
pub(super) type Held = Vec<Box<dyn Any + Send>>;

#[derive(Clone)]
pub(super) struct Attacker {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
    certificate: Option<CertificateDer<'static>>,
}

impl Attacker {
    pub(super) fn new(target: &Target, protocol: Protocol) -> Self {
        Self {
            address: target.address(),
            protocol,
            certificate: target.certificate(),
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        self.connect_from(ATTACKER).await
    }

    /// A connection from 127.0.0.`host`.
    pub(super) async fn connect_from(&self, host: u8) -> TcpStream {
        connect_from(host, self.address).await
    }

    /// A connection from an address of the loopback network.
    pub(super) async fn connect_at(&self, from: Ipv4Addr) -> TcpStream {
        connect_at(from, self.address).await
    }

    /// An HTTP/1.1 connection, over TLS where the target speaks it.
    pub(super) async fn wire(&self, host: u8) -> Wire {
        let stream = self.connect_from(host).await;
        match &self.certificate {
            Some(certificate) => Wire::new(tls::over(stream, certificate, b"http/1.1").await),
            None => Wire::new(stream),
        }
    }

    /// An HTTP/2 connection whose streams have that window.
    pub(super) async fn http2(&self, window: u32) -> Http2 {
        let stream = self.connect().await;
        match &self.certificate {
            Some(certificate) => {
                let stream = tls::over(stream, certificate, b"h2").await;
                Http2::over(Box::new(stream), true, window).await
            }
            None => Http2::over(Box::new(stream), false, window).await,
        }
    }
}

/// A connection from 127.0.0.`host`.
pub(super) async fn connect_from(host: u8, address: SocketAddr) -> TcpStream {
    connect_at(Ipv4Addr::new(127, 0, 0, host), address).await
}

async fn connect_at(from: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an own address");
    socket.connect(address).await.expect("a connection")
}

/// A client that continues until the attack ends.
pub(super) struct AbortOnDrop(pub(super) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
