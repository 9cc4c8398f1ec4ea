//! Free ports, for programs that need their address before they start.

use std::net::SocketAddr;

/// A free address. The system gives it to nobody else in the moment before a server takes it.
pub(crate) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
}
