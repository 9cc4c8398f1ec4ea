//! Memory belongs to a process, so what is measured runs in one of its own: this test binary,
//! started again for one test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection};

/// Distinguishes the process that measures from the one that starts it.
const MEASURE: &str = "HEADCOUNT_TEST_MEASURE";
/// Makes the allocator return freed memory at once (milliseconds), so that resident memory is
/// memory in use.
const AT_ONCE: &str = "MIMALLOC_PURGE_DELAY";

/// Whether this process is the one that measures.
pub(crate) fn measuring() -> bool {
    std::env::var_os(MEASURE).is_some()
}

/// Runs the test with that full name in its own process, and returns the whole numbers that it
/// printed after `label`.
#[track_caller]
pub(crate) fn measured(test: &str, label: &str) -> Vec<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child
        .args([test, "--exact", "--nocapture"])
        .env(MEASURE, "1")
        .env(AT_ONCE, "0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let nothing = || {
        panic!(
            "nothing measured: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let line = text
        .lines()
        .find_map(|line| line.split(label).nth(1))
        .unwrap_or_else(nothing);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    line.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

/// Memory of this process that is its own, bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// Bytes that this process has allocated and not freed. Exact, whatever the allocator keeps;
/// without what C code allocates.
pub(crate) fn allocated() -> usize {
    crate::ALLOCATOR.allocated()
}

/// Idle watchers of one kind: how they ask, and what each may cost.
pub(crate) struct Idle {
    /// The full name of the test that measures them.
    pub(crate) test: &'static str,
    pub(crate) bytes_max: usize,
    pub(crate) watchers: usize,
    /// With TLS: what a client needs. It never resumes, because that costs the server less.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// As a browser sends it.
    pub(crate) request: &'static [u8],
    /// What the answer ends with once the watcher is idle.
    pub(crate) answer_end: &'static [u8],
}

impl Idle {
    /// Fails if a watcher costs more. `start` starts the server, and returns its address and what
    /// stops it.
    pub(crate) fn check<Stop: Future>(&self, start: impl Future<Output = (SocketAddr, Stop)>) {
        const LABEL: &str = "bytes a watcher:";
        if measuring() {
            let [resident, allocated] = self.measure(start);
            return println!("{LABEL} {resident} {allocated}");
        }
        let [resident, allocated] = measured(self.test, LABEL)[..] else {
            panic!("two numbers expected")
        };
        println!("{resident} bytes a watcher resident, {allocated} allocated");
        assert!(resident <= self.bytes_max, "{resident} bytes a watcher");
        // Resident memory may be in pages from before. Allocated memory is exact, and must not be 0.
        assert!(
            (256..=self.bytes_max).contains(&allocated),
            "{allocated} bytes a watcher"
        );
    }

    fn measure<Stop: Future>(&self, start: impl Future<Output = (SocketAddr, Stop)>) -> [usize; 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (address, stop) = runtime.block_on(start);
        // The first watchers fill pools, tables and the allocator's arenas.
        let mut watchers: Vec<_> = (0..self.watchers / 5)
            .map(|_| self.watch(address))
            .collect();
        let before = [resident(), allocated()];
        watchers.extend((0..self.watchers).map(|_| self.watch(address)));
        let after = [resident(), allocated()];
        drop(watchers);
        runtime.block_on(stop);
        let each = |n: usize| after[n].saturating_sub(before[n]) / self.watchers;
        [each(0), each(1)]
    }

    /// An idle watcher. The client's side keeps nothing but its socket.
    fn watch(&self, address: SocketAddr) -> TcpStream {
        let mut socket = TcpStream::connect(address).unwrap();
        if let Some(tls) = &self.tls {
            let name = ServerName::try_from("localhost").unwrap();
            let mut session = ClientConnection::new(tls.clone(), name).unwrap();
            self.ask(&mut rustls::Stream::new(&mut session, &mut socket));
        } else {
            self.ask(&mut socket);
        }
        socket
    }

    fn ask(&self, stream: &mut (impl Read + Write)) {
        stream.write_all(self.request).unwrap();
        let mut answer = [0; 2048];
        let mut read = 0;
        let is_whole = |answer: &[u8]| {
            let mut parts = answer.windows(self.answer_end.len());
            parts.any(|part| part == self.answer_end)
        };
        while !is_whole(&answer[..read]) {
            let more = stream.read(&mut answer[read..]).unwrap();
            let begin = answer[..read].escape_ascii();
            assert!(more > 0, "the server closed: {begin}");
            read += more;
        }
    }
}
