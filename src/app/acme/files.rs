//! The folder of ACME: the account at the authority, and the certificate with its key.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::domain::clock::Timestamp;
use crate::server::Tls;

/// A certificate chain and its key, in PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// Where the files are.
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// The certificate and then its key: one file, so that both change at once.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    fn account(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    /// `None` as well for a file that is damaged: a new certificate costs less than a start that fails.
    pub(super) fn read(&self) -> Option<Tls> {
        let both = fs::read(self.certificate()).ok()?;
        Tls::from_pem(&both, &both).ok()
    }

    pub(super) fn write(&self, issued: &Issued) -> io::Result<()> {
        let both = format!("{}{}", issued.chain, issued.key);
        self.put(&self.certificate(), both.as_bytes())
    }

    pub(super) fn read_account(&self) -> Option<Vec<u8>> {
        fs::read(self.account()).ok()
    }

    pub(super) fn write_account(&self, credentials: &[u8]) -> io::Result<()> {
        self.put(&self.account(), credentials)
    }

    /// Writes a file that only its owner may read, whole or not at all.
    fn put(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        let partial = file.with_extension("partial");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut written = options.open(&partial)?;
        written.write_all(content)?;
        written.sync_all()?;
        fs::rename(partial, file)
    }

    /// When the certificate must be renewed: with a third of its time left. `None` if there is none
    /// for exactly these names.
    pub(super) fn renewal(&self, names: &[String]) -> Option<Timestamp> {
        self.read()?;
        let der = CertificateDer::from_pem_file(self.certificate()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let own = certificate.subject_alternative_name().ok()??;
        let own = &own.value.general_names;
        let is_own = |name: &String| own.contains(&GeneralName::DNSName(name));
        if own.len() != names.len() || !names.iter().all(is_own) {
            return None;
        }
        let validity = certificate.validity();
        let (from, to) = (
            Timestamp::from_millis(validity.not_before.timestamp() * 1_000),
            Timestamp::from_millis(validity.not_after.timestamp() * 1_000),
        );
        Some(to.minus(to.since(from) / 3))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn issued(names: &[&str], from: i64, to: i64) -> Issued {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        let day = |day: i64| {
            let at =
                std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * day.unsigned_abs());
            at.into()
        };
        parameters.not_before = day(from);
        parameters.not_after = day(to);
        let key = rcgen::KeyPair::generate().unwrap();
        Issued {
            chain: parameters.self_signed(&key).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    #[test]
    fn a_certificate_is_renewed_with_a_third_of_its_time_left_or_for_other_names() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(&folder.path().join("acme"));
        let name = "events.example.org".to_owned();
        assert_eq!(files.renewal(std::slice::from_ref(&name)), None);
        files.write(&issued(&[&name], 1_000, 1_090)).unwrap();
        let at = files.renewal(std::slice::from_ref(&name)).unwrap();
        assert_eq!(at.as_millis(), 1_060 * 24 * 3_600_000);
        assert_eq!(files.renewal(&[name, "b.example.org".to_owned()]), None);
        assert_eq!(files.renewal(&["b.example.org".to_owned()]), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&files.certificate()), 0o600);
        assert_eq!(mode(&files.folder), 0o700);
    }
}
