//! The floor: a loop that accepts, reads the request and writes the same bytes. At each change it
//! writes the same bytes to every socket, one after the other. Only the kernel works.

use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::mpsc::channel;

use bytes::Bytes;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use headcount::wire::message::{Message, Payload};
use headcount::wire::sse;

const LISTENER: Token = Token(usize::MAX);
const STDIN: Token = Token(usize::MAX - 1);

const SSE_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n\
    access-control-allow-origin: *\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
    date: Sat, 21 Nov 2026 09:00:00 GMT\r\n\r\n";
const WEBSOCKET_HEAD: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    connection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\ndate: Sat, 21 Nov 2026 09:00:00 GMT\r\n\r\n";

struct Watcher {
    stream: TcpStream,
    request: Vec<u8>,
    websocket: bool,
}

/// What is written to the two kinds of watchers.
struct Pieces {
    sse: Bytes,
    websocket: Bytes,
}

impl Pieces {
    fn new(revision: i64) -> Self {
        let message = Message::new(Payload::Count(super::event(revision).headcount()));
        Self {
            sse: message.sse().framed().clone(),
            websocket: message.websocket().clone(),
        }
    }
}

pub(super) fn serve() {
    // The server's own listener, so that the kernel has the same options to heed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime.block_on(async {
        headcount::server::bind(super::ANY)
            .expect("a free port")
            .into_std()
            .expect("a listener")
    });
    drop(runtime);
    let mut listener = TcpListener::from_std(listener);
    println!("{}", listener.local_addr().expect("an address"));

    let mut poll = Poll::new().expect("epoll");
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .expect("epoll takes it");
    let waker = Waker::new(poll.registry(), STDIN).expect("a waker");
    let (asked, asks) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            asked.send(line.expect("a line")).expect("the loop runs");
            waker.wake().expect("the loop runs");
        }
        std::process::exit(0);
    });

    let mut events = Events::with_capacity(1024);
    let mut watchers: Vec<Watcher> = Vec::new();
    let (mut revision, mut pieces) = (1, Pieces::new(1));
    loop {
        poll.poll(&mut events, None).expect("epoll waits");
        for event in &events {
            match event.token() {
                LISTENER => {
                    while let Ok((mut stream, _)) = listener.accept() {
                        poll.registry()
                            .register(&mut stream, Token(watchers.len()), Interest::READABLE)
                            .expect("epoll takes it");
                        watchers.push(Watcher {
                            stream,
                            request: Vec::new(),
                            websocket: false,
                        });
                    }
                }
                STDIN => {
                    while asks.try_recv().is_ok() {
                        revision += 1;
                        pieces = Pieces::new(revision);
                        for watcher in &mut watchers {
                            let piece = if watcher.websocket {
                                &pieces.websocket
                            } else {
                                &pieces.sse
                            };
                            watcher
                                .stream
                                .write_all(piece)
                                .expect("a piece fits into the socket");
                        }
                    }
                }
                Token(at) => greet(&mut watchers[at], &pieces),
            }
        }
    }
}

/// Reads a request and answers with the head and the newest count.
fn greet(watcher: &mut Watcher, pieces: &Pieces) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = watcher.stream.read(&mut buffer) {
        watcher.request.extend_from_slice(&buffer[..read]);
    }
    if !watcher.request.ends_with(b"\r\n\r\n") {
        return;
    }
    watcher.websocket = watcher
        .request
        .windows(7)
        .any(|window| window == b"Upgrade");
    watcher.request = Vec::new();
    let mut answer = if watcher.websocket {
        WEBSOCKET_HEAD
    } else {
        SSE_HEAD
    }
    .as_bytes()
    .to_vec();
    if watcher.websocket {
        answer.extend_from_slice(&pieces.websocket);
    } else {
        // As the product does: in one chunk with the `retry` time, whose head has as many digits.
        let retry = sse::retry(1_500);
        let (head, data) = (
            pieces
                .sse
                .iter()
                .position(|b| *b == b'\n')
                .expect("a chunk's head")
                + 1,
            pieces.sse.len(),
        );
        answer.extend_from_slice(
            format!("{:x}\r\n{retry}", data - head - 2 + retry.len()).as_bytes(),
        );
        answer.extend_from_slice(&pieces.sse[head..]);
    }
    watcher
        .stream
        .write_all(&answer)
        .expect("an answer fits into the socket");
}
