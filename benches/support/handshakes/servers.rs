//! The servers that are compared, each a process on the first core.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{CERTIFICATE, KEY, pinning};

/// A running server; stopped when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// This program with an empty database.
    pub(crate) fn headcount(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        Self::start(env!("CARGO_BIN_EXE_headcount"), |command, address| {
            command.args(["--listen", &address.to_string()]);
            command.args(["--tls-cert", &path(CERTIFICATE), "--tls-key", &path(KEY)]);
            command.args(["--database-url", &format!("sqlite://{}", path("bench.db"))]);
        })
    }

    /// nginx with one worker, tickets, and nothing to log.
    pub(crate) fn nginx(folder: &Path) -> Self {
        Self::start("nginx", |command, address| {
            let configuration = format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr crit;
                events {{ worker_connections 4096; }}
                http {{
                    access_log off; client_body_temp_path body; proxy_temp_path proxy;
                    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                    server {{
                        listen {address} ssl backlog=4096;
                        ssl_certificate {CERTIFICATE}; ssl_certificate_key {KEY};
                        ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;
                        return 204;
                    }}
                }}"
            );
            let file = folder.join("nginx.conf");
            std::fs::write(&file, configuration).expect("a file");
            command.arg("-p").arg(folder).arg("-c").arg(file);
        })
    }

    fn start(program: &str, set_up: impl FnOnce(&mut Command, SocketAddr)) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut command = pinning::on_first_core_of(program);
        set_up(&mut command, address);
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut server = Self { process, address };
        while TcpStream::connect(address).is_err() {
            let ended = server.process.try_wait().expect("a process");
            assert!(ended.is_none(), "{program} has ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Processor time of all its threads so far, seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.id()));
        let nanos = |thread: std::io::Result<std::fs::DirEntry>| -> u64 {
            let file = thread.expect("a thread").path().join("schedstat");
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let first = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
            first.unwrap_or(0)
        };
        let nanos = threads.expect("a process").map(nanos).sum();
        Duration::from_nanos(nanos).as_secs_f64()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
