//! A TCP proxy that can cut, hold, delay and redirect connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Duration, sleep};

/// What the proxy does with bytes and with the end of a connection. Only a cut loses bytes: held
/// bytes are delivered later, as TCP does when a network is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Bytes pass at once.
    Open,
    /// Bytes pass later.
    Slow(Duration),
    /// Nothing passes in either direction: a network that is silently gone.
    Gone,
    /// Everything passes except the answer to a COMMIT, and what follows it on that connection.
    LosesCommits,
}

#[derive(Debug, Clone, Copy)]
struct Control {
    target: SocketAddr,
    line: Line,
    /// Connections that were opened before this count rose are closed.
    cuts: u64,
}

impl Control {
    fn passes(&self, committed: bool) -> bool {
        match self.line {
            Line::Open | Line::Slow(_) => true,
            Line::Gone => false,
            Line::LosesCommits => !committed,
        }
    }
}

/// A listener on a free port that forwards everything to its target.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    control: watch::Sender<Control>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// An open line to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let control = watch::Sender::new(Control {
            target,
            line: Line::Open,
            cuts: 0,
        });
        let accepting = tokio::spawn(accept(listener, control.clone()));
        Self {
            address,
            control,
            accepting,
        }
    }

    /// Sets what happens to bytes from now on.
    pub(crate) fn set(&self, line: Line) {
        self.control.send_modify(|control| control.line = line);
    }

    /// Closes every connection; new ones are accepted.
    pub(crate) fn cut(&self) {
        self.control.send_modify(|control| control.cuts += 1);
    }

    /// Closes every connection; new ones go to `target`.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.control.send_modify(|control| {
            control.target = target;
            control.cuts += 1;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, control: watch::Sender<Control>) {
    // Ends with this task.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        connections.spawn(connection(client, control.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(client: TcpStream, mut control: watch::Receiver<Control>) {
    let cuts = control.borrow().cuts;
    // The proxy is gone, and this task with it, when the sender is.
    let Ok(target) = control
        .wait_for(|control| control.passes(false))
        .await
        .map(|control| control.target)
    else {
        return;
    };
    // A target that refuses: the client's connection ends, too.
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a socket");
    }
    let mut cut = control.clone();
    let now = control.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let committed = AtomicBool::new(false);
    let requests = pump(from_client, to_server, control.clone(), |bytes| {
        let loses = now.borrow().line == Line::LosesCommits;
        committed.fetch_or(
            loses && bytes.windows(7).any(|word| word == b"COMMIT\0"),
            Ordering::SeqCst,
        );
        false
    });
    let answers = pump(from_server, to_client, control.clone(), |_| {
        committed.load(Ordering::SeqCst)
    });
    let both = async { tokio::join!(requests, answers) };
    tokio::select! {
        _ = both => {}
        _ = cut.wait_for(|control| control.cuts > cuts) => {}
    }
}

/// `holds` sees all bytes, and returns whether a proxy that loses commits holds them.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut control: watch::Receiver<Control>,
    holds: impl Fn(&[u8]) -> bool,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        let held = holds(&bytes[..read]);
        let Ok(line) = control
            .wait_for(|control| control.passes(held))
            .await
            .map(|control| control.line)
        else {
            return;
        };
        if let Line::Slow(delay) = line {
            sleep(delay).await;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            // The other side sees the end of its stream.
            let _ = to.shutdown().await;
            return;
        }
    }
}
