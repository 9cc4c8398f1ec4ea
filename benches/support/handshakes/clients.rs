//! Clients that make one handshake after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme, version,
};

use super::settings::number;

/// All of them are on one core.
pub(crate) struct Clients {
    tls: TlsConnector,
    kind: HandshakeKind,
}

impl Clients {
    /// Each handshake is the first.
    pub(crate) fn full() -> Self {
        Self::new(HandshakeKind::Full, Resumption::disabled())
    }

    /// Each handshake uses a ticket of one before.
    pub(crate) fn resuming() -> Self {
        Self::new(HandshakeKind::Resumed, Resumption::in_memory_sessions(8))
    }

    fn new(kind: HandshakeKind, resumption: Resumption) -> Self {
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
        provider.kx_groups = vec![ring::kx_group::X25519];
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unchecked))
            .with_no_client_auth();
        config.resumption = resumption;
        Self {
            tls: TlsConnector::from(Arc::new(config)),
            kind,
        }
    }

    /// Makes handshakes for this many seconds. Returns how many of the expected kind, and the time.
    pub(crate) fn run(&self, address: SocketAddr, seconds: f64) -> (f64, f64) {
        let begun = Instant::now();
        let until = begun + Duration::from_secs_f64(seconds);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let made = runtime.block_on(async {
            let mut clients = JoinSet::new();
            for _ in 0..number("BENCH_CLIENTS", 32) {
                let (tls, kind) = (self.tls.clone(), self.kind);
                clients.spawn(async move {
                    let mut made = 0_u32;
                    while Instant::now() < until {
                        made += u32::from(handshake(&tls, address).await == Some(kind));
                    }
                    made
                });
            }
            clients.join_all().await
        });
        let made: u32 = made.into_iter().sum();
        assert!(made > 0, "no handshake was {:?}", self.kind);
        (f64::from(made), begun.elapsed().as_secs_f64())
    }
}

async fn handshake(tls: &TlsConnector, address: SocketAddr) -> Option<HandshakeKind> {
    let stream = TcpStream::connect(address).await.expect("a server");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = tls.connect(name, stream).await.expect("a handshake");
    let kind = stream.get_ref().1.handshake_kind();
    stream.shutdown().await.expect("an open connection");
    // The tickets come before the end.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    kind
}

/// Trusts everybody.
#[derive(Debug)]
struct Unchecked;

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}
