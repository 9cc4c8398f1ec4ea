//! The UDP socket, and the limits that QUIC itself enforces on each connection.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::ResolvesServerCert;
use tokio_rustls::rustls::{self, ServerConfig as TlsConfig};
use wtransport::quinn::crypto::rustls::QuicServerConfig;
use wtransport::quinn::{
    Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};

/// A connection on which nothing arrives for this long is closed.
pub const IDLE: Duration = Duration::from_secs(40);
/// The server sends at least this often, so that NATs, which forget a UDP flow after 30 s (RFC 4787,
/// section 4.3), keep it, and a client that is gone is noticed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Unidirectional streams that a client may open: HTTP/3's three, and some that are never read.
const STREAMS: u32 = 8;
/// Bidirectional streams that a client may have open: the request, and some that are refused.
const REQUESTS: u32 = 4;
/// Bytes that a client may send on one stream before they are read.
const STREAM_WINDOW: u32 = 4 * 1024;
/// The same on all its streams: unread ones cannot hold up the request.
const WINDOW: u32 = STREAM_WINDOW * (STREAMS + REQUESTS);
/// Bytes that wait for a client's acknowledgement or for its permission to send more. About 30
/// counts: what a slow client is behind at the most, before it gets the newest.
const SEND_WINDOW: u64 = 8 * 1024;
/// Bytes of datagrams that wait for congestion control; newer ones replace older ones.
const DATAGRAMS: usize = 2 * 1024;
/// Bytes of a client's datagrams that are kept. None is read. A client that sends a longer one
/// breaks QUIC's rules (RFC 9221, section 3).
const DATAGRAMS_IN: usize = 2 * 1024;
/// Bytes of a handshake that arrive out of order: a client's hello with post-quantum keys has 2 KiB.
const CRYPTO_BUFFER: usize = 8 * 1024;
/// First packets that wait for the server's decision, in number and in bytes.
const INCOMING: usize = 1024;
const INCOMING_BYTES: u64 = 16 * 1024;
const INCOMING_BYTES_TOTAL: u64 = 4 * 1024 * 1024;

/// A bound socket that speaks QUIC.
pub struct Listener {
    pub(super) endpoint: Endpoint,
    /// Where it listens.
    pub address: SocketAddr,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}

/// Listens on `address`. `certificates` is asked at each handshake, so that a renewed one is served
/// at once. Must be called inside a tokio runtime.
pub fn bind(
    address: SocketAddr,
    certificates: Arc<dyn ResolvesServerCert>,
) -> io::Result<Listener> {
    let socket = UdpSocket::bind(address)?;
    let same_socket = socket.try_clone()?;
    let config = server_config(certificates).map_err(io::Error::other)?;
    let runtime = Arc::new(TokioRuntime);
    let endpoint = Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime)?;
    receive_separately(&same_socket)?;
    let address = endpoint.local_addr()?;
    Ok(Listener { endpoint, address })
}

/// Makes the kernel return each packet by itself. quinn has turned on `UDP_GRO`: the kernel then
/// returns up to 64 packets in one piece of memory, and a byte of one that waits to be read keeps
/// the whole piece. A client could make the server hold about as much memory as it sends. Little
/// arrives here, so nothing is lost.
#[cfg(target_os = "linux")]
fn receive_separately(socket: &UdpSocket) -> io::Result<()> {
    use nix::errno::Errno;
    use nix::sys::socket::{setsockopt, sockopt::UdpGroSegment};

    match setsockopt(socket, UdpGroSegment, &false) {
        // A kernel before 5.0 has no such option, and returns each packet by itself.
        Ok(()) | Err(Errno::ENOPROTOOPT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// quinn uses no such option of other systems.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn receive_separately(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

fn server_config(certificates: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let mut tls = TlsConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    // HTTP/3 (RFC 9114, section 3.1).
    tls.alpn_protocols = vec![b"h3".to_vec()];
    // ring has the one suite that QUIC needs (RFC 9001, section 5.3).
    let quic = QuicServerConfig::try_from(tls).expect("a provider with TLS_AES_128_GCM_SHA256");
    let mut config = ServerConfig::with_crypto(Arc::new(quic));
    config
        .max_incoming(INCOMING)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(INCOMING_BYTES_TOTAL)
        .transport_config(Arc::new(transport_config()));
    Ok(config)
}

fn transport_config() -> TransportConfig {
    let mut config = TransportConfig::default();
    // A constant below 2^62 milliseconds.
    let idle = IdleTimeout::try_from(IDLE).expect("a short time");
    config
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS))
        .max_concurrent_bidi_streams(VarInt::from_u32(REQUESTS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_send_buffer_size(DATAGRAMS)
        .datagram_receive_buffer_size(Some(DATAGRAMS_IN))
        .crypto_buffer_size(CRYPTO_BUFFER);
    config
}
