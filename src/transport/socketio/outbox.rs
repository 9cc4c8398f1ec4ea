//! What a client has not fetched yet of what it was told.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use engineioxide::{Socket, Str};
use tokio::time::sleep;

use super::Client;

/// Places in the engine's queue for the client's packets.
pub(super) const PLACES: usize = 16;
/// Packets of ours that may wait there. The others are the engine's: a ping that finds no place counts as a dead client. Trying how many
/// places are free would take them for that moment, so what waits is counted here.
const OURS: usize = PLACES / 2;
/// How often a client that has not fetched its packets yet is looked at: the engine does not tell.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The way to one client.
pub(super) struct Outbox<'a> {
    socket: &'a Socket<Client>,
    /// Our halves of the packets that were put, oldest first: the engine drops its half when it writes the packet out.
    put: VecDeque<Bytes>,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(socket: &'a Socket<Client>) -> Self {
        Self {
            socket,
            put: VecDeque::with_capacity(2),
        }
    }

    /// Puts a packet; `None` when the client is gone, or asks and asks without fetching the answers.
    pub(super) fn put(&mut self, packet: &str) -> Option<()> {
        if self.waiting() == OURS {
            return None;
        }
        // A copy for this client alone: whether somebody else still holds a shared one says nothing.
        let packet = Str::copy_from_slice(packet);
        let ours = Bytes::from(packet.clone());
        self.socket.emit(packet).ok()?;
        self.put.push_back(ours);
        Some(())
    }

    /// Waits until at most so many packets are left to be fetched.
    pub(super) async fn fetched(&mut self, left: usize) {
        while self.waiting() > left {
            sleep(LOOK_EVERY).await;
        }
    }

    /// How many packets the client has not fetched.
    fn waiting(&mut self) -> usize {
        // The engine takes them in order.
        while self.put.front().is_some_and(Bytes::is_unique) {
            self.put.pop_front();
        }
        self.put.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, OnceLock};

    use engineioxide::DisconnectReason;
    use engineioxide::config::EngineIoConfig;
    use engineioxide::handler::EngineIoHandler;
    use engineioxide::service::EngineIoService;
    use http_body_util::{BodyExt as _, Full};
    use warp::http::{Method, Request};

    use super::*;

    /// An engine with one session, and its client's end.
    #[derive(Debug, Default)]
    struct Engine {
        socket: OnceLock<Arc<Socket<Client>>>,
        ended: Mutex<Option<DisconnectReason>>,
    }

    impl EngineIoHandler for Engine {
        type Data = Client;

        fn on_connect(self: Arc<Self>, socket: Arc<Socket<Client>>) {
            assert!(self.socket.set(socket).is_ok(), "one session");
        }
        fn on_disconnect(&self, _: Arc<Socket<Client>>, reason: DisconnectReason) {
            *self.ended.lock().unwrap() = Some(reason);
        }
        fn on_message(self: &Arc<Self>, _: Str, _: Arc<Socket<Client>>) {}
        fn on_binary(self: &Arc<Self>, _: Bytes, _: Arc<Socket<Client>>) {}
    }

    struct Polling {
        service: EngineIoService<Engine>,
        engine: Arc<Engine>,
        path: String,
    }

    impl Polling {
        async fn open(ping_every: Duration) -> Self {
            let config = EngineIoConfig::builder()
                .req_path("/")
                .ping_interval(ping_every)
                .ping_timeout(Duration::from_mins(5))
                .max_buffer_size(PLACES);
            let engine = Arc::new(Engine::default());
            let service = EngineIoService::with_config(Arc::clone(&engine), config.build());
            let mut client = Self {
                service,
                engine,
                path: "/?EIO=4&transport=polling".to_owned(),
            };
            client.call(Method::GET, "").await;
            client.path += &format!("&sid={}", client.socket().id);
            client
        }

        fn socket(&self) -> Arc<Socket<Client>> {
            Arc::clone(self.engine.socket.get().expect("a session"))
        }

        async fn call(&self, method: Method, body: &'static str) -> String {
            let request = Request::builder()
                .method(method)
                .uri(&self.path)
                .body(Full::new(Bytes::from(body)))
                .unwrap();
            let response = hyper::service::Service::call(&self.service, request)
                .await
                .unwrap();
            assert_eq!(
                response.status(),
                200,
                "the session has ended: {:?}",
                self.engine.ended.lock().unwrap()
            );
            String::from_utf8(
                response
                    .into_body()
                    .collect()
                    .await
                    .unwrap()
                    .to_bytes()
                    .into(),
            )
            .unwrap()
        }
    }

    #[tokio::test]
    async fn what_is_fetched_does_not_wait_and_who_never_fetches_is_given_up() {
        let client = Polling::open(Duration::from_hours(1)).await;
        let socket = client.socket();
        let mut outbox = Outbox::new(&socket);
        assert_eq!(outbox.waiting(), 0);
        for n in 1..=OURS {
            outbox.put("x").expect("a place");
            assert_eq!(outbox.waiting(), n);
        }
        assert_eq!(outbox.put("one too many"), None);
        let packets = client.call(Method::GET, "").await;
        assert_eq!(
            packets
                .split('\x1e')
                .filter(|packet| *packet == "4x")
                .count(),
            OURS,
            "{packets}"
        );
        outbox.fetched(0).await;
        outbox.put("y").expect("a place");
        assert_eq!(
            (
                outbox.waiting(),
                client.call(Method::GET, "").await.as_str()
            ),
            (1, "4y")
        );
        outbox.fetched(0).await;
    }

    /// Looking all the time, on another thread, with a packet that waits all the time: the worst moment for every ping.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn looking_takes_no_place_from_the_engines_ping() {
        const PINGS: usize = 200;
        let client = Polling::open(Duration::from_millis(1)).await;
        let socket = client.socket();
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let looking = std::thread::spawn(move || {
            let mut outbox = Outbox::new(&socket);
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                if outbox.waiting() == 0 {
                    outbox.put("x").expect("the session is there");
                }
            }
        });
        let mut pings = 0;
        while pings < PINGS {
            if client
                .call(Method::GET, "")
                .await
                .split('\x1e')
                .any(|packet| packet == "2")
            {
                pings += 1;
                client.call(Method::POST, "3").await;
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        looking.join().expect("never refused");
        assert_eq!(*client.engine.ended.lock().unwrap(), None);
    }
}
