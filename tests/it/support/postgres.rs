//! Throw-away Postgres servers, as durable as real ones.
//!
//! One for the whole test process, with a database for each test; more for tests that stop theirs.
//! Each server hangs on a shell that reads from this process: when the process ends, however it
//! ends, the shell reads the end of its input, stops the server and removes its files. So no test
//! leaves a server behind, not even one that panics or is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use headcount::store::DatabaseUrl;
use sqlx::{Connection as _, PgConnection};

use super::port::free_address;

/// `$1` the directory of the binaries, `$2` that of this server, `$3` its port. Reads one command a
/// line and answers each with one: `start`, `stop` (as a power failure would), `drain` (as an
/// operator would). The end of the input ends everything.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
stop() { [ -n "$server" ] && kill -s "$1" "$server" 2>/dev/null && wait "$server"; server=; }
while read -r command; do
    case "$command" in
        start)
            "$1/postgres" -D "$2/data" >>"$2/log" 2>&1 </dev/null &
            server=$!
            until "$1/pg_isready" -q -h 127.0.0.1 -p "$3"; do
                kill -0 "$server" 2>/dev/null || { cat "$2/log" >&2; exit 1; }
                sleep 0.05
            done ;;
        stop) stop QUIT ;;
        drain) stop INT ;;
    esac
    echo done
done
stop QUIT
rm -rf "$2"
"#;

/// A server for one test.
#[derive(Debug)]
pub(crate) struct Cluster {
    port: u16,
    watchdog: std::sync::Mutex<Watchdog>,
}

#[derive(Debug)]
struct Watchdog {
    shell: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Cluster {
    /// Initialises and starts a server on a free port of 127.0.0.1.
    pub(crate) fn start_new() -> Self {
        let binaries = binaries();
        let home = home();
        let data = home.join("data");
        // The server refuses to run as root, so root runs it as another user.
        let initdb = as_nobody_special(&binaries.join("initdb"))
            .args([
                "--auth=trust",
                "--username=headcount",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .current_dir(&home)
            .output()
            .expect("initdb");
        assert!(
            initdb.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&initdb.stderr)
        );
        let settings = "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
             fsync = on\nsynchronous_commit = on\nmax_connections = 200\n\
             shared_buffers = 64MB\nautovacuum = on\n";
        append(&data.join("postgresql.conf"), settings);
        Self::launch(&binaries, &home)
    }

    /// A streaming replica of this server; from then on a commit here is answered only when it is
    /// durable there, too.
    pub(crate) async fn start_replica(&self) -> Self {
        let binaries = binaries();
        let home = home();
        let copy = as_nobody_special(&binaries.join("pg_basebackup"))
            .args([
                "--write-recovery-conf",
                "--wal-method=stream",
                "--checkpoint=fast",
                "--no-sync",
                "--dbname",
            ])
            .arg(self.url("postgres"))
            .arg("--pgdata")
            .arg(home.join("data"))
            .current_dir(&home)
            .output()
            .expect("pg_basebackup");
        assert!(
            copy.status.success(),
            "pg_basebackup: {}",
            String::from_utf8_lossy(&copy.stderr)
        );
        let replica = Self::launch(&binaries, &home);
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the server");
        sqlx::raw_sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            .execute(&mut connection)
            .await
            .expect("a setting");
        sqlx::raw_sql("SELECT pg_reload_conf()")
            .execute(&mut connection)
            .await
            .expect("the setting is read");
        let in_step = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')";
        while !sqlx::query_scalar::<_, bool>(in_step)
            .fetch_one(&mut connection)
            .await
            .expect("an answer")
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        replica
    }

    /// Promotes a replica; returns when it accepts writes.
    pub(crate) async fn promote(&self) {
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the replica");
        assert!(
            sqlx::query_scalar::<_, bool>("SELECT pg_promote()")
                .fetch_one(&mut connection)
                .await
                .expect("an answer")
        );
    }

    /// Starts the server whose files are in `home`, on a free port.
    fn launch(binaries: &Path, home: &Path) -> Self {
        let port = free_address().port();
        append(
            &home.join("data/postgresql.conf"),
            &format!("port = {port}\n"),
        );
        let mut shell = as_nobody_special(Path::new("sh"))
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(binaries)
            .arg(home)
            .arg(port.to_string())
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let answers = BufReader::new(shell.stdout.take().expect("its output"));
        let cluster = Self {
            port,
            watchdog: std::sync::Mutex::new(Watchdog { shell, answers }),
        };
        cluster.start();
        cluster
    }

    /// Starts the server again after a stop; returns when it takes connections.
    pub(crate) fn start(&self) {
        self.order("start");
    }

    /// Stops the server at once, as a power failure would; returns when it is gone.
    pub(crate) fn stop(&self) {
        self.order("stop");
    }

    /// Stops the server as an operator would; returns when it is gone.
    pub(crate) fn drain(&self) {
        self.order("drain");
    }

    /// A new empty database.
    pub(crate) async fn create_database(&self) -> DatabaseUrl {
        self.new_database().await.parse().expect("a URL")
    }

    /// The URL of a new empty database.
    pub(crate) async fn new_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the server");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("a database");
        connection.close().await.expect("a farewell");
        self.url(&name)
    }

    /// Where its databases are.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://headcount@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn order(&self, command: &str) {
        let mut watchdog = self
            .watchdog
            .lock()
            .expect("no test panics while it gives an order");
        let input = watchdog.shell.stdin.as_mut().expect("its input");
        writeln!(input, "{command}").expect("a living watchdog");
        let mut answer = String::new();
        watchdog.answers.read_line(&mut answer).expect("an answer");
        assert_eq!(answer.trim(), "done", "the watchdog could not {command}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let watchdog = self
            .watchdog
            .get_mut()
            .expect("no test panics while it gives an order");
        drop(watchdog.shell.stdin.take());
        let _ = watchdog.shell.wait();
    }
}

/// The server that all tests of this process share. Nothing drops it: its watchdog sees the process
/// end.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start_new)
}

/// A directory that the server's own user can remove again.
fn home() -> PathBuf {
    let made = as_nobody_special(Path::new("mktemp"))
        .args(["-d", "-t", "headcount-postgres-XXXXXX"])
        .current_dir("/")
        .output()
        .expect("mktemp");
    assert!(
        made.status.success(),
        "mktemp: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    PathBuf::from(String::from_utf8_lossy(&made.stdout).trim())
}

/// A command that does not run as root.
fn as_nobody_special(program: &Path) -> Command {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

/// Where the server's programs are. Debian keeps them out of PATH, one directory for each version;
/// this takes the newest.
pub(crate) fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let version = |bin: &PathBuf| {
        bin.parent()
            .and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok())
    };
    let newest = debian
        .filter(|bin| bin.join("initdb").exists())
        .max_by_key(version);
    newest
        .or_else(|| std::env::split_paths(&path).find(|bin| bin.join("initdb").exists()))
        .expect("PostgreSQL's initdb, in PATH or /usr/lib/postgresql")
}

/// `postgresql.conf` belongs to the server's user; root may still write to it.
fn append(file: &Path, text: &str) {
    std::fs::OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("postgresql.conf");
}
