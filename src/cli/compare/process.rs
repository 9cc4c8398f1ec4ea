//! CPU time of processes on this machine, from Linux's /proc. On other systems it is unknown.

use std::fs;
use std::time::Duration;

/// A process and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: String,
}

impl Process {
    /// This one.
    pub(super) fn own() -> Self {
        Self::of(std::process::id()).unwrap_or(Self {
            pid: std::process::id(),
            name: "headcount".into(),
        })
    }

    /// The process with this number, if it is visible.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"))
            .ok()?
            .trim_end()
            .to_owned();
        Some(Self { pid, name })
    }

    /// The process that listens on a TCP port of this machine, if its open files are visible.
    pub(super) fn listening_on(port: u16) -> Option<Self> {
        let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|file| fs::read_to_string(file).ok())
            .flat_map(|text| listeners(&text, port))
            .collect();
        let links: Vec<String> = inodes
            .iter()
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let pids = fs::read_dir("/proc")
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let holds = |pid: &u32| {
            let files = fs::read_dir(format!("/proc/{pid}/fd"))
                .into_iter()
                .flatten()
                .flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .any(|link| {
                    links
                        .iter()
                        .any(|wanted| link.as_os_str() == wanted.as_str())
                })
        };
        if links.is_empty() {
            None
        } else {
            pids.into_iter().find(holds).and_then(Self::of)
        }
    }

    /// CPU time that it has used so far, threads that have ended included.
    pub(super) fn cpu(&self) -> Option<Duration> {
        cpu(&fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?)
    }
}

/// The inodes of sockets that listen on `port`, from the text of /proc/net/tcp (`proc_pid_net(5)`).
fn listeners(text: &str, port: u16) -> Vec<String> {
    /// `TCP_LISTEN` of the kernel's `tcp_states.h`.
    const LISTEN: &str = "0A";
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let matches = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
        matches
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))
            .flatten()
    };
    text.lines().skip(1).filter_map(inode).collect()
}

/// User and system time from the text of /proc/<pid>/stat (`proc_pid_stat(5)`).
fn cpu(stat: &str) -> Option<Duration> {
    /// The kernel converts to this for user space on every architecture in use.
    const TICKS_A_SECOND: u64 = 100;
    // The name may contain spaces and brackets; the last bracket ends it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_tables() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
            uid  timeout inode";
        let queues = "00000000:00000000 00:00000000 00000000     0        0";
        let table = [
            head.to_owned(),
            format!("   0: 0100007F:1F90 00000000:0000 0A {queues} 4711 1 0 100 0 0 10 0"),
            format!("   1: 0100007F:1F90 0100007F:A000 01 {queues} 4712 1 0 20 4 30 10 -1"),
            format!("   2: 00000000:0050 00000000:0000 0A {queues} 4713 1 0 100 0 0 10 0"),
        ]
        .join("\n");
        assert_eq!(listeners(&table, 8080), ["4711"]);
        assert_eq!(listeners(&table, 81), [""; 0]);
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194304 1 0 0 0 250 50 7 7 20 0 4 0 1 2 3";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn finds_the_process_behind_a_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Process::listening_on(listener.local_addr().unwrap().port()).unwrap();
        assert_eq!(found, Process::own());
        assert!(found.cpu().is_some());
    }
}
