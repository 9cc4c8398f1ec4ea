//! TLS: a certificate and its key, HTTP/2 and HTTP/1.1 by ALPN.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme,
};

use super::tickets::Tickets;
use crate::domain::quoted::shown_path;

/// RFC 8737: an authority that checks who owns a name asks for this protocol and for no other.
const NAME_CHECK: &[u8] = b"acme-tls/1";

/// A certificate chain and its private key, ready to serve. Its clones share them, also when they
/// are replaced. Its `Debug` shows neither.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
    tickets: Arc<Tickets>,
}

/// What a handshake may be answered with.
#[derive(Debug)]
struct Certificates {
    own: RwLock<Arc<CertifiedKey>>,
    /// Answers to an authority's checks, by the name that it checks.
    answers: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn own(&self) -> Arc<CertifiedKey> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        own.clone()
    }

    fn answers(&self) -> RwLockWriteGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.answers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_check = hello
            .alpn()
            .is_some_and(|mut offered| offered.all(|protocol| protocol == NAME_CHECK));
        if !is_check {
            return Some(self.own());
        }
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(hello.server_name()?).cloned()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Why the certificate or its key can't be used, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The certificate's text is no PEM.
    #[error("the certificate is not valid PEM: {0}")]
    BadCertificate(pem::Error),
    /// The certificate's text has no certificate.
    #[error(
        "no certificate found: expected PEM blocks `-----BEGIN CERTIFICATE-----`, the server's own first"
    )]
    NoCertificate,
    /// The key's text is no PEM.
    #[error("the private key is not valid PEM: {0}")]
    BadKey(pem::Error),
    /// The key's text has no usable key.
    #[error(
        "no private key found: expected an unencrypted PEM block `-----BEGIN PRIVATE KEY-----` \
        (PKCS#8, PKCS#1 or SEC1)"
    )]
    NoKey,
    /// rustls refuses the pair.
    #[error("the certificate and key cannot be used: {0}")]
    Unusable(rustls::Error),
}

impl Tls {
    /// Reads PEM files: the certificate chain, the server's own first, and its unencrypted key.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| TlsError::Unreadable {
                path: shown_path(path),
                source,
            })
        };
        Self::from_pem(&read(certificate)?, &read(key)?)
    }

    /// The same from memory.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        // The provider is named, not taken from the process: another crate may have linked a second
        // one.
        let provider = Arc::new(ring::default_provider());
        let certificates = Arc::new(Certificates {
            own: RwLock::new(certified(certificate, key, &provider)?),
            answers: RwLock::default(),
        });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        // RFC 7301; the first that the client also knows is taken.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), NAME_CHECK.to_vec()];
        // After a restart of the network everybody reconnects at once. A ticket spares the
        // signature, and the server keeps nothing for it.
        let tickets = Arc::new(Tickets::of_this_process());
        config.ticketer = tickets.clone();
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificates,
            tickets,
        })
    }

    /// Serves new connections with the certificate of `newer`. Open connections keep theirs.
    pub fn replace(&self, newer: &Self) {
        let newer = newer.certificates.own();
        let own = &self.certificates.own;
        *own.write().unwrap_or_else(PoisonError::into_inner) = newer;
    }

    /// Answers an authority's check of `name` with this certificate, until [`Tls::forget`].
    pub fn answer(&self, name: String, certificate: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let (chain, key) = read(certificate, key)?;
        let key = ring::default_provider().key_provider.load_private_key(key);
        // Its extension is critical, so rustls would not take it for a server's certificate.
        let answer = CertifiedKey::new(chain, key.map_err(TlsError::Unusable)?);
        self.certificates.answers().insert(name, Arc::new(answer));
        Ok(())
    }

    /// Answers no check any more.
    pub fn forget(&self) {
        self.certificates.answers().clear();
    }

    /// The keys of its session tickets, also after [`Tls::replace`].
    pub fn tickets(&self) -> Arc<Tickets> {
        self.tickets.clone()
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// What a client in this process needs to speak to this server and to no other. It trusts the
    /// very certificate in force, whatever its name, age and issuer.
    pub fn to_itself(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let pinned = Arc::new(Pinned {
            certificate: self.certificates.own().cert[0].clone(),
            provider,
        });
        Ok(Arc::new(
            builder
                .dangerous()
                .with_custom_certificate_verifier(pinned)
                .with_no_client_auth(),
        ))
    }
}

/// A chain and its key from PEM; the key must be the first certificate's.
fn certified(
    certificate: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let (chain, key) = read(certificate, key)?;
    CertifiedKey::from_der(chain, key, provider)
        .map(Arc::new)
        .map_err(TlsError::Unusable)
}

fn read(
    certificate: &[u8],
    key: &[u8],
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(TlsError::BadCertificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey,
        error => TlsError::BadKey(error),
    })?;
    Ok((chain, key))
}

/// The certificate in force at each handshake, for other listeners of this process.
impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificates.own())
    }
}

/// Trusts one certificate; the handshake's signatures show that the other side has its key.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *certificate == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_in_plain_words() {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        assert!(Tls::from_pem(certificate.as_bytes(), key.as_bytes()).is_ok());
        // Many operators keep both in one file.
        let both = format!("{key}{certificate}");
        assert!(Tls::from_pem(both.as_bytes(), both.as_bytes()).is_ok());
        let other_key = other.signing_key.serialize_pem();
        for (certificate, key, expected) in [
            ("", key.as_str(), "no certificate found"),
            (key.as_str(), key.as_str(), "no certificate found"),
            (
                "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n",
                key.as_str(),
                "certificate is not valid PEM",
            ),
            (
                certificate.as_str(),
                certificate.as_str(),
                "no private key found",
            ),
            (certificate.as_str(), other_key.as_str(), "cannot be used"),
        ] {
            let error = Tls::from_pem(certificate.as_bytes(), key.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected),
                "{error:?} should contain {expected:?}"
            );
        }
        let error = Tls::from_files(
            Path::new("/nowhere/cert.pem"),
            Path::new("/nowhere/key.pem"),
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("/nowhere/cert.pem"), "{error}");
    }
}
