//! From the stop signal to the last closed socket.

use std::time::Duration;

use tokio::time::timeout;

use super::connection::Server;

/// The time that cut tasks have to drop their sockets.
const CUT_GRACE: Duration = Duration::from_millis(250);

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were open when it began.
    pub open: usize,
    /// Of those, the ones that had to be cut at the deadline.
    pub cut: usize,
}

/// Waits until every connection has ended by itself, and cuts the rest at the deadline.
pub(super) async fn run(server: &Server, deadline: Duration) -> Drained {
    let open = server.limiter.open();
    let cut = match timeout(deadline, server.limiter.none_open()).await {
        Ok(()) => 0,
        Err(_) => server.limiter.open(),
    };
    if cut > 0 {
        server.meters.cut(cut);
        server.cut();
        // Sockets of an upgraded protocol stay open: their owners end with the runtime.
        let _ = timeout(CUT_GRACE, server.limiter.none_open()).await;
    }
    Drained { open, cut }
}
