//! A commit whose answer is lost: the connection ends right before or right after the server
//! receives COMMIT.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::support::postgres::shared;

/// Where the line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server receives the COMMIT; its answer is lost.
    After,
    /// The server never receives the COMMIT.
    Before,
}

/// A proxy before the server, which cuts the connection at the next COMMIT on demand.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<Option<Cut>>>);

impl Line {
    async fn to(server: u16) -> (Self, u16) {
        let line = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = line.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = served.clone();
                tokio::spawn(async move {
                    line.carry(
                        client,
                        TcpStream::connect(("127.0.0.1", server)).await.unwrap(),
                    )
                    .await;
                });
            }
        });
        (line, port)
    }

    fn cut(&self, cut: Cut) {
        *self.0.lock().unwrap() = Some(cut);
    }

    fn is_cut(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    /// Both ends are closed when it returns.
    async fn carry(&self, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let Ok(1..) = read else { return };
                    let sent = &asked[..read.unwrap()];
                    let cut = if commits(sent) { self.0.lock().unwrap().take() } else { None };
                    if cut == Some(Cut::Before) {
                        return;
                    }
                    server.write_all(sent).await.unwrap();
                    if cut == Some(Cut::After) {
                        let read = server.read(&mut answered).await.unwrap();
                        assert!(commits(&answered[..read]), "the server says that it is done");
                        return;
                    }
                }
                read = server.read(&mut answered) => {
                    let Ok(1..) = read else { return };
                    if client.write_all(&answered[..read.unwrap()]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Both the statement and its acknowledgement are short messages that end in this word; `READ
/// COMMITTED` is another.
fn commits(bytes: &[u8]) -> bool {
    bytes.windows(7).any(|window| window == b"COMMIT\0")
}

/// A stage with a direct connection, and a store behind the proxy.
async fn set() -> (Stage, Line, Store) {
    let stage = Stage::set(shared().create_database().await).await;
    let DatabaseUrl::Postgres(options) = &stage.url else {
        unreachable!("a Postgres server was asked for")
    };
    let (line, port) = Line::to(options.get_port()).await;
    let url: DatabaseUrl = format!(
        "postgres://headcount@127.0.0.1:{port}/{}",
        options.get_database().unwrap()
    )
    .parse()
    .unwrap();
    let store = Store::open(&url, None).await.unwrap();
    (stage, line, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_looked_up_and_not_guessed() {
    let (stage, line, store) = set().await;
    let event = stage.event("gala", Some(3), false).await;
    let batch = [with_key("ada", "a key"), register("bob")];

    line.cut(Cut::Before);
    let lost = store.commit(event.id, &batch, &stage.clock()).await;
    assert!(
        line.is_cut() && matches!(lost, Err(StoreError::Unreachable(_))),
        "{lost:?}"
    );
    assert_eq!(stage.check(event.id).await.len(), 1, "nothing is stored");

    line.cut(Cut::After);
    let found = store
        .commit(event.id, &batch, &stage.clock())
        .await
        .expect("looked up");
    assert!(line.is_cut());
    assert_eq!(found.changes.last().unwrap().headcount.revision, 2);
    assert_eq!(found.event.as_ref().unwrap().registered, 2);
    let registered: Vec<Registration> = found.decisions.into_iter().map(accepted).collect();
    for registration in &registered {
        assert_eq!(
            stage
                .store
                .registration(registration.locator)
                .await
                .unwrap()
                .unwrap()
                .registration,
            *registration
        );
    }
    assert_eq!(
        stage.check(event.id).await.len(),
        2,
        "and it is stored once"
    );

    // The client has no answer and retries: with its key it finds the place, without a key it is
    // `AlreadyRegistered`.
    let again = stage
        .commit(event.id, vec![with_key("ada", "a key"), register("bob")])
        .await;
    assert!(
        matches!(&again.decisions[0], Ok(Answer::Registered { registration, replayed: true }) if **registration == registered[0]),
        "{again:?}"
    );
    assert_eq!(again.decisions[1], Err(Refusal::AlreadyRegistered));

    // Somebody else gets the last place meanwhile, so this batch was certainly not stored.
    line.cut(Cut::Before);
    let lost = store
        .commit(event.id, &[register("cy")], &stage.clock())
        .await;
    assert!(matches!(lost, Err(StoreError::Unreachable(_))), "{lost:?}");
    stage.registers(event.id, "dan").await;
    assert_eq!(
        stage.one(event.id, register("cy")).await.0,
        Err(Refusal::EventFull { remaining: 0 })
    );
    stage.check(event.id).await;
}

/// A commit that was looked up answers with what is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_looked_up_commit_answers_what_is_stored() {
    let (stage, line, store) = set().await;
    let event = stage.event("gala", Some(3), false).await;
    for (cut, person) in [(Cut::Before, "ada"), (Cut::After, "bob")] {
        line.cut(cut);
        let committed = store
            .commit(event.id, &[register(person)], &stage.clock())
            .await;
        assert!(line.is_cut());
        match committed {
            Err(StoreError::Unreachable(_)) => assert_eq!(cut, Cut::Before),
            Ok(mut commit) => {
                assert_eq!(cut, Cut::After);
                let answered = accepted(commit.decisions.remove(0));
                let stored = stage.store.registration(answered.locator).await.unwrap();
                assert_eq!(stored.unwrap().registration, answered);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(stage.check(event.id).await.len(), 2, "one is stored");
}

/// These commands cannot be recognised as stored. Repeated, they change nothing, or are refused
/// because of their first effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_commands_can_be_repeated() {
    let (stage, line, store) = set().await;
    let event = stage.event("gala", Some(3), false).await;
    let ada = stage.registers(event.id, "ada").await;
    let expected = stage
        .store
        .event_by_id(event.id)
        .await
        .unwrap()
        .unwrap()
        .position();
    let guarded = Command::Edit {
        edit: Edit {
            title: Some("Ball".into()),
            ..Edit::default()
        },
        expected: Some(vec![expected]),
        by: Actor::Owner,
    };
    let confirmed = Command::Delete {
        expected: None,
        confirmed: true,
        by: Actor::Owner,
    };
    let scripts = [
        (guarded, Some(Refusal::ChangedMeanwhile)),
        (cancel(&ada), None),
        (capacity(2), None),
        (confirmed, Some(Refusal::EventNotFound)),
    ];
    for (command, refused) in scripts {
        line.cut(Cut::After);
        let lost = store
            .commit(event.id, std::slice::from_ref(&command), &stage.clock())
            .await;
        assert!(
            line.is_cut() && matches!(lost, Err(StoreError::Unreachable(_))),
            "{lost:?}"
        );
        let (decision, changes) = stage.one(event.id, command.clone()).await;
        assert!(
            decision.as_ref().err() == refused.as_ref() && changes.is_empty(),
            "{command:?}: {decision:?}, {changes:?}"
        );
    }
    assert_eq!(stage.store.event_by_id(event.id).await.unwrap(), None);
}
