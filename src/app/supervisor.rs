//! Notifies the supervisor of the server's state by systemd's protocol: datagrams to the socket that
//! `NOTIFY_SOCKET` names (`sd_notify(3)`). Does nothing without that variable.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// Requests may be served.
pub(super) const READY: &str = "READY=1";
/// The drain has begun.
pub(super) const STOPPING: &str = "STOPPING=1";
/// The runtime still runs tasks.
const ALIVE: &str = "WATCHDOG=1";

/// Where the supervisor listens.
#[derive(Debug)]
pub(super) struct Supervisor {
    socket: UnixDatagram,
    address: SocketAddr,
    /// After a longer silence the supervisor kills the process.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The supervisor that started this process; `None` if it asks for no notifications.
    pub(super) fn of_this_process() -> Option<Self> {
        let variable = |name| std::env::var(name).ok();
        let address = variable("NOTIFY_SOCKET")?;
        let own = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = variable("WATCHDOG_USEC").filter(|_| own);
        Self::at(&address, watchdog.as_deref())
            .inspect_err(|error| tracing::warn!(%error, address, "cannot notify the supervisor"))
            .ok()
    }

    /// `address` is a path, or the name of an abstract socket after `@`.
    fn at(address: &str, watchdog_us: Option<&str>) -> io::Result<Self> {
        let address = match address.strip_prefix('@') {
            #[cfg(target_os = "linux")]
            Some(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                SocketAddr::from_abstract_name(name)?
            }
            _ => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A supervisor that does not read must not stop the server.
        socket.set_nonblocking(true)?;
        let watchdog = watchdog_us
            .and_then(|us| us.parse().ok())
            .filter(|us| *us > 0)
            .map(Duration::from_micros);
        Ok(Self {
            socket,
            address,
            watchdog,
        })
    }

    pub(super) fn notify(&self, state: &str) {
        if let Err(error) = self.socket.send_to_addr(state.as_bytes(), &self.address) {
            tracing::debug!(%error, state, "cannot notify the supervisor");
        }
    }

    /// Reports at half the interval that the runtime is alive, as `sd_watchdog_enabled(3)` recommends.
    /// Runs until it is dropped; `None` if the supervisor does not ask for it.
    pub(super) fn watchdog(self: std::sync::Arc<Self>) -> Option<impl Future<Output = ()>> {
        let mut ticks = interval(self.watchdog? / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(async move {
            loop {
                ticks.tick().await;
                self.notify(ALIVE);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn next(socket: &UnixDatagram) -> String {
        let mut state = [0; 64];
        let length = socket.recv(&mut state).unwrap();
        String::from_utf8_lossy(&state[..length]).into_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_supervisor_hears_of_a_living_runtime_twice_in_its_interval() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let supervisor = Arc::new(Supervisor::at(path.to_str().unwrap(), Some("2000000")).unwrap());
        supervisor.notify(READY);
        assert_eq!(next(&listener), "READY=1");
        let task = tokio::spawn(Arc::clone(&supervisor).watchdog().unwrap());
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(1_001)).await;
            assert_eq!(next(&listener), "WATCHDOG=1");
        }
        task.abort();
        for none in [None, Some("0"), Some("soon")] {
            let supervisor = Supervisor::at(path.to_str().unwrap(), none).unwrap();
            assert!(Arc::new(supervisor).watchdog().is_none());
        }
        drop(listener);
        supervisor.notify(STOPPING);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_supervisor_may_listen_at_an_abstract_address() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("headcount-test-{}", std::process::id());
        let listener =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Supervisor::at(&format!("@{name}"), None)
            .unwrap()
            .notify(READY);
        assert_eq!(next(&listener), "READY=1");
    }
}
