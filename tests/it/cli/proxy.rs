//! A TCP proxy that can cut every line through it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes on to one address for as long as it is held.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    lines: Arc<Mutex<JoinSet<()>>>,
    accepted: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (lines, accepted): (Arc<Mutex<JoinSet<()>>>, Arc<AtomicUsize>) = Default::default();
        let (held, counted) = (lines.clone(), accepted.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                held.lock()
                    .expect("no panic under the lock")
                    .spawn(async move {
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                    });
            }
        });
        Self {
            address,
            lines,
            accepted,
            accepting,
        }
    }

    /// Drops every connection without a goodbye; new ones are taken as before.
    pub(super) fn cut(&self) {
        self.lines
            .lock()
            .expect("no panic under the lock")
            .abort_all();
    }

    /// Connections so far.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
