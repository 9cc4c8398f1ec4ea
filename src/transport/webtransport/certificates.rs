//! Certificates that the server makes itself, for operators without one.
//!
//! A browser accepts such a certificate by its SHA-256 if it is ECDSA and valid for at most 14 days
//! (WebTransport, "Using a web-accepted certificate hash"). A new one is made, and its hash published, a
//! day before it is served, so that pages which read the hashes meet only certificates they know.
//! The private keys stay in memory; a restart makes new ones.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::domain::clock::{Clock, Timestamp};
use crate::wire::digits::hex;

/// From the first to the last moment of a certificate. Browsers refuse more than 14 days.
pub const LIFETIME: Duration = Duration::from_hours(13 * 24);
/// A certificate begins this much before it is made: a client's clock may be behind.
const BEFORE: Duration = Duration::from_hours(1);
/// The next certificate is made, and its hash published, this much before the end of the present one.
const NEXT: Duration = Duration::from_hours(3 * 24);
/// The next certificate is served from this much before the end of the present one.
const TAKE_OVER: Duration = Duration::from_hours(2 * 24);

/// Certificates of this process, renewed when they are asked for.
pub struct Certificates {
    clock: Clock,
    // Held while a key is made, well under a millisecond, once in ten days; over no await.
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    present: Option<Certificate>,
    next: Option<Certificate>,
}

#[derive(Clone)]
struct Certificate {
    key: Arc<CertifiedKey>,
    hash: String,
    ends_at: Timestamp,
}

/// Why no certificate can be made.
#[derive(Debug, thiserror::Error)]
pub enum CannotMake {
    /// The certificate itself.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// Its key.
    #[error(transparent)]
    Key(#[from] tokio_rustls::rustls::Error),
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

impl Certificates {
    /// Makes the first certificate.
    pub fn new(clock: Clock) -> Result<Self, CannotMake> {
        let present = Some(Certificate::make(clock.now())?);
        let made = Made {
            present,
            next: None,
        };
        Ok(Self {
            clock,
            made: Mutex::new(made),
        })
    }

    /// The SHA-256 of every certificate that a client may meet within the next hours, in
    /// hexadecimal; the present one first.
    pub fn hashes(&self) -> Vec<String> {
        let made = self.renewed();
        let all = [&made.present, &made.next].into_iter().flatten();
        all.map(|certificate| certificate.hash.clone()).collect()
    }

    fn renewed(&self) -> MutexGuard<'_, Made> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.renew(self.clock.now());
        made
    }
}

impl Made {
    fn renew(&mut self, now: Timestamp) {
        let left = |certificate: &Option<Certificate>| {
            let end = certificate.as_ref().map(|certificate| certificate.ends_at);
            end.map_or(Duration::ZERO, |end| end.since(now))
        };
        if left(&self.present) <= NEXT && self.next.is_none() {
            match Certificate::make(now) {
                Ok(next) => self.next = Some(next),
                Err(error) => tracing::error!(%error, "cannot renew WebTransport's certificate"),
            }
        }
        if left(&self.present) <= TAKE_OVER && self.next.is_some() {
            self.present = self.next.take();
        }
    }
}

impl ResolvesServerCert for Certificates {
    /// The same for every name: a client knows it by its hash.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let made = self.renewed();
        made.present
            .as_ref()
            .map(|certificate| Arc::clone(&certificate.key))
    }
}

impl Certificate {
    fn make(now: Timestamp) -> Result<Self, CannotMake> {
        let begins_at = now.minus(BEFORE);
        let ends_at = begins_at.plus(LIFETIME);
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Headcount WebTransport");
        // Certificates have whole seconds.
        let begins_s = begins_at.as_millis().unsigned_abs() / 1_000;
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(begins_s);
        params.not_after = params.not_before + LIFETIME;
        // rcgen's own default is ECDSA with P-256, the one that browsers accept.
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let hash = hex(&Sha256::digest(certificate.der()));
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone()];
        let key = CertifiedKey::from_der(chain, private, &ring::default_provider())?;
        Ok(Self {
            key: Arc::new(key),
            hash,
            ends_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn served(certificates: &Certificates) -> String {
        let made = certificates.renewed();
        made.present.as_ref().unwrap().hash.clone()
    }

    /// The published hashes and the served certificate over four weeks, an hour apart.
    #[test]
    fn a_new_hash_is_told_a_day_before_its_certificate_is_served() {
        let begin = Timestamp::from_millis(1_795_251_600_000);
        let mut made = Made {
            present: Some(Certificate::make(begin).unwrap()),
            next: None,
        };
        let mut known = vec![(made.present.clone().unwrap().hash, begin)];
        let mut serving = known[0].0.clone();
        for hour in 0..24 * 28 {
            let now = begin.plus(Duration::from_hours(hour));
            made.renew(now);
            for certificate in [&made.present, &made.next].into_iter().flatten() {
                if known.iter().all(|(hash, _)| *hash != certificate.hash) {
                    known.push((certificate.hash.clone(), now));
                }
            }
            let present = made.present.as_ref().unwrap();
            assert!(present.ends_at.since(now) >= DAY, "hour {hour}");
            if present.hash != serving {
                serving.clone_from(&present.hash);
                let (_, published) = known.iter().find(|(hash, _)| *hash == serving).unwrap();
                assert_eq!(now.since(*published), DAY, "hour {hour}");
                assert!(made.next.is_none(), "the old one is not met any more");
            }
        }
        assert_eq!(known.len(), 3);
    }

    #[test]
    fn after_a_long_sleep_a_valid_one_is_served_at_once() {
        let begin = Timestamp::from_millis(1_795_251_600_000);
        let mut made = Made {
            present: Some(Certificate::make(begin).unwrap()),
            next: None,
        };
        let first = made.present.as_ref().unwrap().hash.clone();
        let now = begin.plus(DAY * 40);
        made.renew(now);
        let present = made.present.as_ref().unwrap();
        assert!(present.hash != first && present.ends_at.since(now) > DAY * 12);
    }

    #[test]
    fn a_certificate_is_what_browsers_accept_by_its_hash() {
        use x509_parser::prelude::{FromDer as _, X509Certificate};
        let certificates = Certificates::new(Clock::System).unwrap();
        let hashes = certificates.hashes();
        assert_eq!(hashes, [served(&certificates)]);
        assert_eq!(hashes[0].len(), 64);
        let made = certificates.renewed();
        let der = made.present.as_ref().unwrap().key.cert[0].clone();
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        let validity = parsed.validity();
        assert!(validity.is_valid());
        let seconds = validity.not_after.timestamp() - validity.not_before.timestamp();
        assert_eq!(seconds, 13 * 24 * 3600);
        // id-ecPublicKey (RFC 5480, section 2.1.1).
        let algorithm = parsed.public_key().algorithm.algorithm.to_id_string();
        assert_eq!(algorithm, "1.2.840.10045.2.1");
    }
}
