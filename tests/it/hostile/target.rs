//! The server that is attacked: the real binary, with its log in a file.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::NamedTempFile;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::attacker::{VISITOR, connect_from};
use crate::cli::tls::Files;
use crate::server::tls;
use crate::server::wire::Wire;
use crate::support::app::{Answer, PASSWORD, TOKEN, exchange};
use crate::support::process::Process;
use crate::support::sqlite::File;

const JSON: (&str, &str) = ("content-type", "application/json");

pub(super) struct Target {
    pub(super) process: Process,
    log: NamedTempFile,
    tls: Option<Files>,
    _file: File,
}

impl Target {
    pub(super) fn start(flags: &[&str]) -> Self {
        Self::listening(None, flags)
    }

    /// A server that speaks TLS with everybody.
    pub(super) fn start_tls() -> Self {
        Self::listening(Some(Files::self_signed()), &[])
    }

    fn listening(tls: Option<Files>, flags: &[&str]) -> Self {
        let (file, log) = (File::new(), NamedTempFile::new().expect("a file"));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "exec \"$0\" \"$@\" 2>\"$LOG\"",
            env!("CARGO_BIN_EXE_headcount"),
        ]);
        command.env("LOG", log.path());
        let fixed = ["--register-rate-per-ip", "0", "--admin-password", PASSWORD];
        let certificate = tls.as_ref().map(Files::flags);
        let flags = [
            &fixed[..],
            certificate.as_ref().map_or(&[], |flags| &flags[..]),
            flags,
        ];
        Self {
            process: Process::spawn(command, &file.text(), &flags.concat()),
            log,
            tls,
            _file: file,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// What a client must trust; `None` without TLS.
    pub(super) fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.tls.as_ref().map(Files::certificate)
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("a log")
    }

    /// Memory of the process that is its own, bytes.
    pub(super) fn memory(&self) -> usize {
        let status = format!("/proc/{}/status", self.process.child.id());
        let status = std::fs::read_to_string(status).expect("the server runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line.expect("a line").trim().trim_end_matches(" kB");
        kilobytes.parse::<usize>().expect("a number") * 1024
    }

    /// One request of another client, on its own connection.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.call_from(VISITOR, method, path, headers, body).await
    }

    /// The same from 127.0.0.`host`.
    async fn call_from(
        &self,
        host: u8,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let address = self.address();
        let stream = connect_from(host, address).await;
        let wire = match self.certificate() {
            Some(certificate) => Wire::new(tls::over(stream, &certificate, b"http/1.1").await),
            None => Wire::new(stream),
        };
        exchange(wire, &address.to_string(), method, path, headers, body).await
    }

    /// The organiser's call, with the token.
    pub(super) async fn organise(&self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [JSON, ("authorization", bearer.as_str())];
        self.call(method, path, &headers, body).await
    }

    /// What a well-behaved visitor waits for: a page, then a registration. What its organiser waits
    /// for: the list.
    pub(super) async fn visit(&self, email: &str) -> Duration {
        self.visit_from(VISITOR, email).await
    }

    /// The same by a visitor at 127.0.0.`host`.
    pub(super) async fn visit_from(&self, host: u8, email: &str) -> Duration {
        let begun = Instant::now();
        let live = self.call_from(host, "GET", "/health/live", &[], "").await;
        assert_eq!(live.status, 200, "{}", live.body);
        let count = "/api/v1/events/welcome";
        let count = self.call_from(host, "GET", count, &[], "").await;
        assert_eq!(count.status, 200, "{}", count.body);
        let page = self.call_from(host, "GET", "/e/welcome", &[], "").await;
        assert_eq!(page.status, 200, "{}", page.body);
        let person = json!({ "name": "Ada", "email": email }).to_string();
        let registrations = "/api/v1/events/welcome/registrations";
        let answer = self
            .call_from(host, "POST", registrations, &[JSON], &person)
            .await;
        // 409 once the event is full; either is an answer from the database.
        assert!(matches!(answer.status, 201 | 409), "{}", answer.body);
        let list = self.organise("GET", registrations, "").await;
        assert_eq!(list.status, 200, "{}", list.body);
        begun.elapsed()
    }

    /// The organiser signs in with the password.
    pub(super) async fn sign_in(&self) -> Duration {
        let begun = Instant::now();
        let form = format!("password={}", PASSWORD.replace(' ', "+"));
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let answer = self.call("POST", "/admin/login", &[kind], &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert!(answer.header("set-cookie").is_some(), "{}", answer.head);
        begun.elapsed()
    }

    /// The next request is served, nothing panicked, and the database never counted as away.
    #[track_caller]
    pub(super) fn is_well(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let ready = self.call("GET", "/health/ready", &[], "").await;
            assert_eq!(ready.status, 200, "{caller}: {}", ready.body);
            let log = self.log();
            for fault in ["panicked", "cannot reach the database"] {
                assert!(!log.contains(fault), "{caller}: {log}");
            }
        }
    }
}
