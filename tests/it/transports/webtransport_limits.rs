//! WebTransport and packets with somebody else's address (RFC 9000, section 8.1).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::rustls::{ClientConfig as TlsConfig, RootCertStore, crypto::ring};
use wtransport::quinn::crypto::rustls::QuicClientConfig;
use wtransport::quinn::{ClientConfig, Endpoint};

use super::SOON;
use super::webtransport::{address, with_webtransport};

/// From this number of unfinished handshakes on, the next client must show its address first.
const MANY: usize = 64;
/// Long enough for the server to send its first flight a second time.
const REPEATED: Duration = Duration::from_millis(2_500);
/// The bits that name a packet with a long header, and a Retry (RFC 9000, section 17.2).
const RETRY: u8 = 0xf0;

#[tokio::test]
async fn a_forged_address_gets_about_three_times_the_bytes_and_in_a_flood_one_short_packet() {
    let (app, _) = with_webtransport(&[]).await;
    let (port, _) = address(&app).await;
    let server = SocketAddr::from(([127, 0, 0, 1], port));
    let packets = first_packets(MANY + 1).await;

    let victim = send(&packets[0], server).await;
    let (mut received, deadline) = (0, Instant::now() + REPEATED);
    let mut buffer = [0; 2048];
    while let Ok(length) = timeout_at(deadline, victim.recv(&mut buffer)).await {
        received += length.unwrap();
    }
    let sent = packets[0].len();
    // quinn finishes a packet for which some of the three times is left.
    assert!(
        (1..4 * sent).contains(&received),
        "{received} bytes for {sent}"
    );

    let mut waiting = vec![victim];
    for packet in &packets[1..MANY] {
        let socket = send(packet, server).await;
        let (_, begin) = answer(&socket).await;
        assert_ne!(begin & 0xf0, RETRY);
        waiting.push(socket);
    }
    let (length, begin) = answer(&send(&packets[MANY], server).await).await;
    assert_eq!(begin & 0xf0, RETRY);
    assert!(length < sent / 4, "{length} bytes");
    app.stop().await;
}

/// First packets of real clients, each for a connection of its own.
async fn first_packets(number: usize) -> Vec<Vec<u8>> {
    let sink = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut tls = TlsConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let (mut attempts, mut packets) = (Vec::new(), Vec::new());
    for _ in 0..number {
        let attempt =
            endpoint.connect_with(config.clone(), sink.local_addr().unwrap(), "localhost");
        // Kept: one that is dropped sends a close.
        attempts.push(attempt.unwrap());
        let mut packet = vec![0; 2048];
        let length = timeout(SOON, sink.recv(&mut packet)).await;
        packet.truncate(length.expect("in time").unwrap());
        packets.push(packet);
    }
    packets
}

/// Sends a packet from an address of its own.
async fn send(packet: &[u8], server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    socket.send(packet).await.unwrap();
    socket
}

/// The length and the first byte of the next packet.
async fn answer(socket: &UdpSocket) -> (usize, u8) {
    let mut buffer = [0; 2048];
    let length = timeout(SOON, socket.recv(&mut buffer)).await;
    (length.expect("in time").unwrap(), buffer[0])
}
