//! Something outside of the process shuts down a listening socket. The process can work only in
//! part, so it ends, and its supervisor starts it again.

use std::net::{Shutdown, SocketAddr};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use socket2::Socket;

use crate::support::app::call;
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;

/// The process's open files, as copies that share their sockets.
fn open_files(process: &Process) -> Vec<OwnedFd> {
    let id = process.child.id();
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pidfd = pidfd_open(pid.expect("a process"), PidfdFlags::empty()).expect("a process");
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).expect("a process");
    let numbers = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse().ok());
    let copies =
        numbers.filter_map(|file| pidfd_getfd(&pidfd, file, PidfdGetfdFlags::empty()).ok());
    copies.collect()
}

fn shut_down(process: &Process, address: SocketAddr) {
    let sockets = open_files(process).into_iter().map(Socket::from);
    let mut listeners = sockets.filter(|socket| {
        let local = socket.local_addr().ok().and_then(|local| local.as_socket());
        socket.is_listener().unwrap_or(false) && local == Some(address)
    });
    let listener = listeners.next().expect("a listener");
    listener.shutdown(Shutdown::Both).expect("it listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_shut_down_ends_the_process_with_70() {
    for task in ["server", "metrics"] {
        let (file, log) = (File::new(), tempfile::NamedTempFile::new().expect("a file"));
        let metrics = free_address();
        let flags = ["--metrics-listen", &metrics.to_string(), "--drain", "1s"];
        let process = Process::spawn_logging(
            Command::new(env!("CARGO_BIN_EXE_headcount")),
            &file.text(),
            &flags,
            Stdio::from(log.reopen().expect("a file")),
        );
        let live = call(process.address, "GET", "/health/live", &[], "").await;
        assert_eq!(live.status, 200);
        let scrape = call(metrics, "GET", "/metrics", &[], "").await;
        assert!(
            scrape.body.contains("headcount_connections_open"),
            "{}",
            scrape.body
        );
        let address = if task == "server" {
            process.address
        } else {
            metrics
        };
        shut_down(&process, address);
        assert_eq!(process.exit_code(), Some(70), "{task}");
        let logged = std::fs::read_to_string(log.path()).expect("a log");
        let named = format!("task=\"{task}\"");
        assert!(
            logged.contains("a background task ended") && logged.contains(&named),
            "{logged}"
        );
    }
}
