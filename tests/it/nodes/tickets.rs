//! TLS session tickets: a client that one node has cut off comes back to another, or after a restart.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::app::tickets::SharedTickets;
use headcount::domain::clock::Clock;
use headcount::domain::ticket_key::TicketKey;
use headcount::server::{Config, Tls};
use headcount::store::{DatabaseUrl, Store};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, version,
};

use super::TIMEOUT;
use crate::cli::tls::Files;
use crate::server::host::{Host, config};
use crate::server::tls::{certificate, trusting};
use crate::server::wire::Wire;
use crate::support::app::App;
use crate::support::postgres;
use crate::support::sqlite::File;

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;
const HOUR: i64 = 3_600_000;

/// A client with no ticket yet. All nodes have one name.
struct Client(Arc<ClientConfig>);

impl Client {
    fn new(trusted: &CertificateDer<'static>) -> Self {
        Self(Arc::new(trusting(trusted, b"http/1.1")))
    }

    /// One that speaks this version of TLS and no other.
    fn of(version: &'static SupportedProtocolVersion, trusted: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(client))
    }

    /// Connects, and takes the tickets that come with the first answer. Returns how it was let in.
    async fn visit(&self, address: SocketAddr) -> HandshakeKind {
        let stream = TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(self.0.clone())
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .unwrap();
        let kind = stream.get_ref().1.handshake_kind();
        let mut wire = Wire::new(stream);
        wire.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        wire.head().await;
        kind.expect("a finished handshake")
    }
}

/// Two servers with TLS and the tickets of one database.
struct Pair {
    hosts: [Host; 2],
    shared: [SharedTickets; 2],
    trusted: CertificateDer<'static>,
    time: Arc<AtomicI64>,
}

impl Pair {
    async fn start(url: &DatabaseUrl) -> Self {
        let time = Arc::new(AtomicI64::new(1_795_251_600_000));
        let (tls, trusted) = certificate();
        let (other, _) = certificate();
        other.replace(&tls);
        let host = |tls: &Tls| {
            Host::start(Config {
                tls: Some(tls.clone()),
                ..config()
            })
        };
        let hosts = [host(&tls), host(&other)];
        let share = async |tls: &Tls| {
            let store = Store::open(url, None).await.unwrap();
            SharedTickets::new(tls.tickets(), store, Clock::Manual(time.clone()))
        };
        let shared = [share(&tls).await, share(&other).await];
        let mut pair = Self {
            hosts,
            shared,
            trusted,
            time,
        };
        pair.refresh().await;
        pair
    }

    fn advance(&self, ms: i64) {
        self.time.fetch_add(ms, Ordering::SeqCst);
    }

    async fn refresh(&mut self) {
        for shared in &mut self.shared {
            shared.refresh().await;
        }
    }

    /// A client that has tickets of the first server.
    async fn visitor(&self) -> Client {
        let client = Client::new(&self.trusted);
        assert_eq!(client.visit(self.hosts[0].addr).await, FULL);
        client
    }

    async fn finish(self) {
        for host in self.hosts {
            host.finish().await;
        }
    }
}

/// Runs a statement beside the servers.
async fn execute(url: &DatabaseUrl, sql: &'static str) {
    match url {
        DatabaseUrl::Sqlite(options) => {
            let mut connection = options.connect().await.unwrap();
            connection.execute(sql).await.unwrap();
        }
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.unwrap();
            connection.execute(sql).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_one_node_resumes_its_session_at_another() {
    let url = postgres::shared().new_database().await;
    let files = Files::self_signed();
    let one = App::on(&url, &files.flags(), Clock::System).await;
    let other = App::on(&url, &files.flags(), Clock::System).await;
    for version in [&version::TLS13, &version::TLS12] {
        let client = Client::of(version, &files.certificate());
        assert_eq!(client.visit(one.address).await, FULL, "{version:?}");
        assert_eq!(client.visit(other.address).await, RESUMED, "{version:?}");
        assert_eq!(client.visit(one.address).await, RESUMED, "{version:?}");
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_resumes_its_session_after_a_restart() {
    let (file, files) = (File::new(), Files::self_signed());
    let client = Client::new(&files.certificate());
    let before = App::on(&file.text(), &files.flags(), Clock::System).await;
    assert_eq!(client.visit(before.address).await, FULL);
    before.stop().await;
    let after = App::on(&file.text(), &files.flags(), Clock::System).await;
    assert_eq!(client.visit(after.address).await, RESUMED);
    after.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_key_opens_its_tickets_for_a_day() {
    let url = postgres::shared().create_database().await;
    let mut pair = Pair::start(&url).await;
    let second = pair.hosts[1].addr;
    let (early, late) = (pair.visitor().await, pair.visitor().await);
    // The next key is stored before it is used, so no node meets a ticket that it cannot open.
    pair.advance(12 * HOUR - 4 * 60_000);
    pair.refresh().await;
    assert_eq!(pair.visitor().await.visit(second).await, RESUMED);
    pair.advance(4 * 60_000);
    pair.shared[0].refresh().await;
    assert_eq!(pair.visitor().await.visit(second).await, RESUMED);
    pair.refresh().await;
    assert_eq!(early.visit(second).await, RESUMED);

    pair.advance(12 * HOUR - 60_000);
    pair.refresh().await;
    let keys = stored_keys(&url).await;
    assert_eq!(
        keys.len(),
        3,
        "the last, the present and the next one: {keys:?}"
    );
    pair.advance(60_000);
    pair.refresh().await;
    assert_eq!(late.visit(second).await, FULL);
    assert_eq!(stored_keys(&url).await.len(), 2, "the first one is deleted");
    pair.finish().await;
}

async fn stored_keys(url: &DatabaseUrl) -> Vec<TicketKey> {
    let store = Store::open(url, None).await.unwrap();
    let keys = store.ticket_keys().await.unwrap();
    store.close().await;
    keys.into_iter().collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_lost_key_is_replaced() {
    let file = File::new();
    let urls = [file.url(), postgres::shared().create_database().await];
    for url in &urls {
        for damage in [
            "UPDATE ticket_keys SET secret = name",
            "UPDATE ticket_keys SET name = secret",
            "UPDATE ticket_keys SET used_from = 9000000000000000",
            "DELETE FROM ticket_keys",
        ] {
            let mut pair = Pair::start(url).await;
            execute(url, damage).await;
            pair.refresh().await;
            let client = pair.visitor().await;
            assert_eq!(client.visit(pair.hosts[1].addr).await, RESUMED, "{damage}");
            assert_eq!(stored_keys(url).await.len(), 1, "{damage}");
            pair.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_expire_and_are_made_again_when_the_database_comes_back() {
    let file = File::new();
    let mut pair = Pair::start(&file.url()).await;
    let [first, second] = [pair.hosts[0].addr, pair.hosts[1].addr];
    execute(&file.url(), "ALTER TABLE ticket_keys RENAME TO away").await;
    pair.advance(23 * HOUR);
    pair.refresh().await;
    assert_eq!(pair.visitor().await.visit(second).await, RESUMED);
    pair.advance(HOUR);
    pair.refresh().await;
    assert_eq!(pair.visitor().await.visit(first).await, FULL, "no ticket");
    execute(&file.url(), "ALTER TABLE away RENAME TO ticket_keys").await;
    pair.refresh().await;
    assert_eq!(pair.visitor().await.visit(second).await, RESUMED);
    pair.finish().await;
}

/// Its clock was wrong when it drew the key, or it could not read for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_reads_the_keys_again_when_it_meets_an_unknown_one() {
    let url = postgres::shared().new_database().await;
    let files = Files::self_signed();
    let node = App::on(&url, &files.flags(), Clock::System).await;
    let store = Store::open(&url.parse().unwrap(), None).await.unwrap();
    let newer = TicketKey::draw(9, Clock::System.now());
    store.rotate_ticket_keys(&[], Some(&newer)).await.unwrap();
    let other = App::on(&url, &files.flags(), Clock::System).await;
    let resumed = async {
        loop {
            let client = Client::new(&files.certificate());
            assert_eq!(client.visit(other.address).await, FULL);
            if client.visit(node.address).await == RESUMED {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let soon = TIMEOUT / 2;
    tokio::time::timeout(soon, resumed)
        .await
        .expect("before the next reading, which is due after a minute");
    node.stop().await;
    other.stop().await;
}
