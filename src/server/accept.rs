//! Accepts connections from the kernel.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::application::Application;
use super::connection::{self, NewConnection, Server};
use super::proxy;

/// Connections that the kernel may hold ready while this process is busy. The kernel lowers it to
/// `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
/// A client that leaves data unacknowledged, or its window closed, for this long is gone. While
/// something waits in the program, [`Deadlines::stall`](super::Deadlines::stall) applies instead; after
/// that, two minutes.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(30);
/// Probes of a silent connection: a NAT that forgot it is found within a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// Bytes the kernel takes beyond what it has sent. The kernel's send buffer grows by itself.
/// Without a bound, megabytes of stale counts wait before the newest one.
#[cfg(target_os = "linux")]
const MAX_UNSENT: u32 = 16 * 1024;
/// After an error that is not one connection's: out of file descriptors or memory.
const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Binds a listener on `addr` with a long backlog. Port 0 lets the system choose. `[::]` takes IPv4
/// as well.
///
/// Must be called inside a tokio runtime.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    // Set before the first client can connect: connections before `serve` inherit them too.
    tune(&SockRef::from(&socket))?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until `stop`, and then what the kernel still holds: those clients believe that they are
/// connected. Ends early when the listener does not listen any more.
pub(super) async fn run<S: Application>(
    listener: TcpListener,
    server: &Arc<Server>,
    app: S,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = tune(&SockRef::from(&listener)) {
        tracing::warn!(%error, "some socket options could not be set");
    }
    let mut stop = pin!(stop.wait_for(|stop| *stop));
    let mut backoff = BACKOFF_MIN;
    loop {
        // tokio accepts without waiting as long as the kernel has connections ready. It yields to
        // other tasks now and then.
        let accepted = tokio::select! {
            biased;
            _ = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, addr)) => {
                backoff = BACKOFF_MIN;
                admit(stream, addr, server, &app);
            }
            Err(error) if is_one_connections(&error) => {}
            Err(error) if is_deaf(&error) => {
                tracing::error!(%error, "the listener does not listen any more");
                break;
            }
            Err(error) => {
                // The backlog holds the clients meanwhile. An immediate retry would only use the
                // processor.
                tracing::warn!(%error, "cannot accept connections for the moment");
                tokio::select! {
                    _ = &mut stop => break,
                    () = sleep(backoff) => backoff = (backoff * 2).min(BACKOFF_MAX),
                }
            }
        }
    }
    server.start_draining();
    settle(&listener, server, &app).await;
    while let Some(Ok((stream, addr))) = futures_util::FutureExt::now_or_never(listener.accept()) {
        admit(stream, addr, server, &app);
    }
}

/// A load balancer that has not noticed the drain still connects. A refusal may lose its client's
/// request, because not every balancer sends a body twice. All other clients are refused at once.
async fn settle<S: Application>(listener: &TcpListener, server: &Arc<Server>, app: &S) {
    if server.config.settle().is_zero() {
        return;
    }
    let mut over = pin!(sleep(server.config.settle()));
    loop {
        tokio::select! {
            biased;
            () = &mut over => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, addr))
                    if proxy::is_trusted(addr.ip(), &server.config.trusted_proxies) =>
                {
                    admit(stream, addr, server, app);
                }
                Ok(_) => {}
                Err(_) => sleep(BACKOFF_MIN).await,
            }
        }
    }
}

fn admit<S: Application>(stream: TcpStream, addr: SocketAddr, server: &Arc<Server>, app: &S) {
    let proxied = proxy::is_trusted(addr.ip(), &server.config.trusted_proxies);
    if let Some(admitted) = server.limiter.admit((!proxied).then(|| addr.ip())) {
        let connection = NewConnection {
            stream,
            addr,
            proxied,
            admitted,
        };
        connection::spawn(connection, server, app.clone());
    }
}

/// Sets options that accepted sockets inherit: one call here instead of five for each connection.
fn tune(socket: &SockRef<'_>) -> io::Result<()> {
    // A count is smaller than a packet and must not wait for the acknowledgement of the one before.
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.set_tcp_notsent_lowat(MAX_UNSENT)?;
    }
    Ok(())
}

/// The client left between its handshake and our `accept` (accept(2) lists these). The next one may
/// be fine.
fn is_one_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// The socket does not listen any more (`EINVAL` in accept(2)): something outside of this process
/// has shut it down. A retry cannot help.
pub fn is_deaf(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_inherit_the_listeners_options() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (_client, accepted) = tokio::join!(client, listener.accept());
        let (accepted, _) = accepted.unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
            assert_eq!(socket.tcp_notsent_lowat().unwrap(), MAX_UNSENT);
        }
    }

    #[tokio::test]
    async fn the_unspecified_ipv6_address_takes_ipv4_too() {
        // A machine without IPv6 has nothing to test here.
        let Ok(listener) = bind("[::]:0".parse().unwrap()) else {
            return;
        };
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    }
}
