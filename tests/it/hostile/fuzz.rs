//! Random bytes that are nearly requests. The seed is printed; `HEADCOUNT_TEST_SEED` replays it.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::target::Target;
use crate::server::host::TIMEOUT;

const REQUESTS: usize = 600;
const AT_ONCE: usize = 50;

const TEMPLATES: [&str; 10] = [
    "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n",
    "GET /e/welcome?lang=en HTTP/1.1\r\nHost: x\r\nAccept-Language: zh-CN, en;q=0.5\r\n\r\n",
    "GET /e/welcome/wall HTTP/1.1\r\nHost: x:80\r\n\r\n",
    "GET /api/v1/events/welcome/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: abcdefgh-1\r\n\r\n",
    "GET /api/v1/events/welcome/changes?after=abcdefgh-1&limit=5 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /api/v1/events/welcome HTTP/1.1\r\nHost: x\r\nPrefer: wait=1\r\nIf-None-Match: \"a\"\r\n\r\n",
    "GET /api/v1/events/welcome/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\u{1}\u{5}hello",
    "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /api/v1/events/welcome/registrations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
     Content-Length: 40\r\n\r\n{\"name\":\"Ada\",\"email\":\"ada@example.org\"}",
    "POST /e/welcome/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
     Transfer-Encoding: chunked\r\n\r\n1c\r\nname=Ada&email=a%40example.org\r\n0\r\n\r\n",
];

const WORDS: [&str; 30] = [
    "abc",
    "*",
    "//",
    "\\",
    "/\\",
    "/../",
    "%00",
    "%ff",
    "%",
    "%2e",
    "?",
    "#",
    "\r",
    "\n",
    "\r\n",
    "\r\n ",
    "\0",
    "HTTP/1.2",
    "HTTP/2.0",
    "http://",
    "https://u@h:1/",
    "CONNECT ",
    "OPTIONS * ",
    "Host: a, b\r\n",
    "Content-Length: -1\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Expect: 100-continue\r\n",
    "\u{202e}",
    "\u{fffd}",
    "[::1]",
];

/// One to four changes to one of the templates.
fn request(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = TEMPLATES[random.random_range(0..TEMPLATES.len())]
        .as_bytes()
        .to_vec();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..5) {
            0 if at < bytes.len() => bytes[at] = random.random(),
            1 => drop(bytes.drain(at..(at + random.random_range(0..20)).min(bytes.len()))),
            2 => {
                let again = bytes[at..].to_vec();
                drop(bytes.splice(at..at, again));
            }
            3 => {
                let length = random.random_range(0..600);
                let byte = random.random::<u8>();
                drop(bytes.splice(at..at, std::iter::repeat_n(byte, length)));
            }
            _ => {
                let word = WORDS[random.random_range(0..WORDS.len())];
                drop(bytes.splice(at..at, word.bytes()));
            }
        }
        bytes.truncate(20_000);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_bytes_reach_a_panic() {
    let seed = std::env::var("HEADCOUNT_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random);
    println!("HEADCOUNT_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let target = Target::start(&[]);
    for _ in 0..REQUESTS / AT_ONCE {
        let requests: Vec<_> = (0..AT_ONCE).map(|_| request(&mut random)).collect();
        let sent = requests.into_iter().map(|request| {
            let address = target.address();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address)
                    .await
                    .expect("the server accepts");
                // The server may close before it has read everything.
                let _ = stream.write_all(&request).await;
                let _ = stream.shutdown().await;
                let mut answer = Vec::new();
                let read = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
                assert!(read.is_ok(), "never closed: {}", request.escape_ascii());
            })
        });
        for sent in sent.collect::<Vec<_>>() {
            sent.await.expect("the client does not panic");
        }
        target.is_well().await;
    }
}
