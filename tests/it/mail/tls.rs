//! TLS and passwords, as `headcount doctor` sees them.

use std::process::Command;

use rcgen::{CertificateParams, KeyPair};

use super::smtp::Smtp;
use crate::support::sqlite::File;

/// The line about mail, and whether all is well.
fn doctor(url: &str, authorities: Option<&str>) -> (bool, String) {
    let file = File::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command
        .args([
            "doctor",
            "--listen",
            "127.0.0.1:0",
            "--max-connections",
            "10",
        ])
        .args([
            "--database-url",
            &file.text(),
            "--public-url",
            "http://localhost:8080",
        ])
        .args(["--smtp-url", url])
        .env_remove("SSL_CERT_FILE");
    if let Some(authorities) = authorities {
        command.env("SSL_CERT_FILE", authorities);
    }
    let done = command.output().expect("the binary runs");
    let text = String::from_utf8(done.stdout).expect("text");
    let line = text.lines().find(|line| line[6..].starts_with("mail"));
    let line = line.unwrap_or_else(|| panic!("no mail in {text}"));
    assert!(!text.contains("p@ss") && !text.contains("p%40ss"), "{text}");
    (line.starts_with("ok"), line.to_owned())
}

#[test]
fn a_mail_server_is_checked_with_its_certificate_and_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("names");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let cert = write("cert.pem", certificate.pem());
    let key = write("key.pem", key.serialize_pem());
    let files = ["--cert", &cert, "--key", &key, "--auth"];
    for (scheme, more) in [("smtp", &[][..]), ("smtps", &["--implicit"][..])] {
        let smtp = Smtp::start(&[&files[..], more].concat());
        let url = |login: &str, host: &str| format!("{scheme}://{login}@{host}:{}", smtp.port);
        let good = url("ada:p%40ss%2Fword", "localhost");
        let (well, line) = doctor(&good, Some(&cert));
        assert!(well, "{line}");
        for (url, authorities) in [
            (good, None),
            (url("ada:p%40ss", "localhost"), Some(cert.as_str())),
            (url("ada:p%40ss%2Fword", "127.0.0.1"), Some(cert.as_str())),
        ] {
            let (well, line) = doctor(&url, authorities);
            assert!(!well, "{url}: {line}");
        }
    }
    let plain = Smtp::start(&[]);
    let (well, line) = doctor(&format!("smtp://localhost:{}", plain.port), None);
    assert!(!well && line.contains("STARTTLS"), "{line}");
    let (well, line) = doctor(&plain.url(), None);
    assert!(well, "{line}");
}
