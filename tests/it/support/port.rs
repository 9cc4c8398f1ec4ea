//! Free ports, for what must know its address before it runs.

use std::net::SocketAddr;

/// An address that the system has free; nobody else asks for this very one in the moment until a
/// server takes it.
pub(crate) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
}
