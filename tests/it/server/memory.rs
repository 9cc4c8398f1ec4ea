//! What an idle watcher costs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::host::{Host, config};
use crate::support::memory::{allocated, measured, measuring, resident};

/// Bytes for each idle watcher that has been handed off; hyper alone takes about 20 KiB.
const BOUND: usize = 1536;
const WATCHERS: usize = 2_500;

#[test]
fn an_idle_watcher_stays_small() {
    if measuring() {
        return measure();
    }
    let measured = measured(
        "server::memory::an_idle_watcher_stays_small",
        "bytes a watcher:",
    );
    let [resident, allocated] = measured[..] else {
        panic!("{measured:?}")
    };
    println!("{resident} bytes a watcher resident, {allocated} allocated");
    assert!(resident <= BOUND, "{resident} bytes a watcher");
    // Resident memory may be in pages from before. Allocated memory is exact, and must not be 0.
    assert!(
        (256..=BOUND).contains(&allocated),
        "{allocated} bytes a watcher"
    );
}

fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(async { Host::start(config()) });
    // The first watchers fill pools, tables and the allocator's arenas.
    let mut watchers: Vec<TcpStream> = (0..WATCHERS / 5).map(|_| watch(host.addr)).collect();
    let before = (resident(), allocated());
    watchers.extend((0..WATCHERS).map(|_| watch(host.addr)));
    let (resident, allocated) = (
        resident().saturating_sub(before.0),
        allocated().saturating_sub(before.1),
    );
    println!(
        "bytes a watcher: {} {}",
        resident / WATCHERS,
        allocated / WATCHERS
    );
    drop(watchers);
    runtime.block_on(host.finish());
}

/// An idle watcher, with the request a browser sends. The client's side keeps nothing but its
/// socket.
fn watch(addr: SocketAddr) -> TcpStream {
    const REQUEST: &[u8] = b"GET /idle HTTP/1.1\r\nHost: registration.example.org\r\nConnection: keep-alive\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
        Accept: text/event-stream\r\nCache-Control: no-cache\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
        Referer: https://registration.example.org/e/spring-gala\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n";
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(REQUEST).unwrap();
    let mut answer = [0; 1024];
    let mut read = 0;
    while !answer[..read].ends_with(b"\r\n5\r\nfirst\r\n") {
        let more = stream.read(&mut answer[read..]).unwrap();
        assert!(
            more > 0,
            "the server closed: {}",
            answer[..read].escape_ascii()
        );
        read += more;
    }
    stream
}
