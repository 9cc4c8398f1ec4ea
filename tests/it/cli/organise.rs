//! `headcount event` and `headcount people`.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::run::Run;
use crate::support::app::{App, TOKEN};

type Ended = (Option<i32>, String, String);

/// Runs a command against a server: its exit code, standard output and standard error.
async fn run(app: &App, token: &str, args: &[&str]) -> Ended {
    let url = format!("http://{}", app.address());
    let own = ["--url", &url, "--token", token];
    Run::headcount(&[args, &own].concat()).end().await
}

async fn ok(app: &App, token: &str, args: &[&str]) -> String {
    let (code, stdout, stderr) = run(app, token, args).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout
}

async fn document(app: &App, token: &str, args: &[&str]) -> Value {
    let stdout = ok(app, token, &[args, &["--json"]].concat()).await;
    serde_json::from_str(&stdout).expect("one JSON document")
}

/// A token with one scope.
async fn token(app: &App, scope: &str) -> String {
    let wanted = json!({ "name": scope, "scopes": [scope] });
    let made = app.organise("POST", "/api/v1/tokens", &wanted).await.json();
    made["token"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_and_its_people_are_managed_from_the_command_line() {
    let app = App::sqlite().await;
    let own = token(&app, "manage").await;
    let create = [
        "event",
        "create",
        "gala",
        "--title",
        "Spring gala",
        "--capacity",
        "2",
    ];
    let made = document(&app, &own, &[&create[..], &["--waitlist"]].concat()).await;
    assert_eq!(
        (&made["capacity"], &made["waitlist"]),
        (&json!(2), &json!(true))
    );
    let set = [
        "event",
        "set",
        "gala",
        "--capacity",
        "none",
        "max-party-size=3",
        "contact=Desk",
    ];
    let set = document(&app, &own, &set).await;
    assert_eq!(
        (&set["capacity"], &set["max_party_size"]),
        (&Value::Null, &json!(3))
    );
    assert_eq!(set["contact"], "Desk");
    for (action, state) in [("close", "closed"), ("open", "open")] {
        assert_eq!(
            document(&app, &own, &["event", action, "gala"]).await["state"],
            state
        );
    }

    let ada = [
        "people",
        "add",
        "gala",
        "--name",
        "Ada",
        "--email",
        "ada@example.org",
    ];
    assert_eq!(document(&app, &own, &ada).await["status"], "confirmed");
    let bob = [
        "people",
        "add",
        "gala",
        "--name",
        "Bob",
        "--party-size",
        "2",
    ];
    let bob = ok(&app, &own, &bob).await;
    assert!(
        bob.starts_with("No. 2") && bob.contains("confirmed"),
        "{bob}"
    );
    assert!(bob.contains("/r/"), "the private link: {bob}");
    let people = document(&app, &own, &["people", "list", "gala", "--sort", "-number"]).await;
    assert_eq!(
        (&people["total"], &people["registrations"][0]["name"]),
        (&json!(2), &json!("Bob"))
    );
    let id = people["registrations"][0]["id"].as_str().expect("an id");
    let cancelled = document(&app, &own, &["people", "cancel", "gala", id, "--yes"]).await;
    assert_eq!(
        (&cancelled["name"], &cancelled["status"]),
        (&json!("Bob"), &json!("cancelled"))
    );
    let csv = ok(
        &app,
        &own,
        &["people", "export", "gala", "--status", "confirmed"],
    )
    .await;
    assert!(
        csv.contains("1,Ada,ada@example.org,confirmed") && !csv.contains("Bob"),
        "{csv}"
    );

    let table = ok(&app, &own, &["event", "list"]).await;
    assert!(
        table.starts_with("SLUG") && table.contains("gala"),
        "{table}"
    );
    assert!(
        ok(&app, &own, &["people", "list", "gala"])
            .await
            .contains("ada@example.org")
    );
    assert!(
        ok(&app, &own, &["event", "show", "gala"])
            .await
            .contains("Spring gala")
    );
    let reset = [
        "event",
        "reset",
        "gala",
        "--confirm",
        "gala",
        "--capacity",
        "5",
    ];
    let reset = document(&app, &own, &reset).await;
    assert_eq!(
        (&reset["round"], &reset["capacity"]),
        (&json!(2), &json!(5))
    );
    let archived = document(&app, &own, &["people", "list", "gala", "--round", "1"]).await;
    assert_eq!(archived["total"], 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_back_needs_a_confirmation() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    for (args, hint) in [
        (&["people", "cancel", "welcome", "1"][..], "--yes"),
        (&["event", "reset", "welcome"], "--confirm welcome"),
        (
            &["event", "reset", "welcome", "--confirm", "gala"],
            "not welcome",
        ),
    ] {
        let (code, stdout, stderr) = run(&app, TOKEN, args).await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(hint), "{args:?}: {stderr}");
    }
    let count = app.get("/api/v1/events/welcome").await.json();
    assert_eq!(
        (&count["registered"], &count["round"]),
        (&json!(1), &json!(1))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_one_line_that_says_what_to_do() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    let (read, register) = (token(&app, "read").await, token(&app, "register").await);
    let add = &["people", "add", "welcome", "--name", "Ada"][..];
    for (token, args, expected) in [
        ("wrong", &["people", "list", "welcome"][..], "Check --token"),
        (&read, add, "needs the scope register"),
        (
            &read,
            &["event", "close", "welcome"],
            "needs the scope manage",
        ),
        (
            &read,
            &["people", "cancel", "welcome", "1", "--yes"],
            "needs the scope manage",
        ),
        (
            &register,
            &["people", "list", "welcome"],
            "needs the scope read",
        ),
        (TOKEN, &["event", "show", "none"], "event-not-found"),
        (
            TOKEN,
            &["event", "set", "welcome", "starts_at=soon"],
            "validation-failed",
        ),
        (
            TOKEN,
            &["people", "cancel", "welcome", "7", "--yes"],
            "no registration 7",
        ),
        (TOKEN, &["people", "export", "none"], "event-not-found"),
    ] {
        let (code, stdout, stderr) = run(&app, token, args).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{args:?}: {stderr}");
        assert!(
            stderr.contains(expected) && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
    // A reader sees names without addresses, in lists and in files.
    for args in [
        &["people", "list", "welcome"][..],
        &["people", "export", "welcome"],
    ] {
        let shown = ok(&app, &read, args).await;
        assert!(shown.contains("Ada") && !shown.contains("ada@"), "{shown}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistaken_options_exit_with_2() {
    for args in [
        &["event", "list", "--url", "nowhere"][..],
        &["event", "list", "--token-file", "/nonexistent"],
        &["event", "list", "--token", "a token"],
        &["event", "show", "../events"],
        &["event", "set", "gala"],
        &["event", "set", "gala", "--capacity", "many"],
        &["event", "create", "gala", "--title", "Gala"],
        &["people", "list", "gala", "--status", "lost"],
        &["people", "cancel", "gala", "ada", "--yes"],
        &["people", "add", "gala"],
        &["event"],
    ] {
        let (code, stdout, stderr) = Run::headcount(args).end().await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
    let (code, _, stderr) = Run::headcount(&["event", "list", "--url", "http://127.0.0.1:1"])
        .end()
        .await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot reach 127.0.0.1:1"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_can_stand_in_a_file() {
    let app = App::sqlite().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).expect("a file");
    let (url, file) = (
        format!("http://{}", app.address()),
        file.display().to_string(),
    );
    let line = ["people", "list", "welcome", "--url", &url];
    let by_file = [&line[..], &["--token-file", &file]].concat();
    let (code, stdout, stderr) = Run::headcount(&by_file).end().await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let (code, _, stderr) = Run::headcount(&[&by_file[..], &["--token", TOKEN]].concat())
        .end()
        .await;
    assert!(code == Some(2) && stderr.contains("keep one"), "{stderr}");
    let (code, _, stderr) = Run::headcount(&line).end().await;
    assert!(
        code == Some(1) && stderr.contains("HEADCOUNT_TOKEN"),
        "{stderr}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_a_whole_file_or_none() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let whole = path("whole.csv");
    ok(
        &app,
        TOKEN,
        &["people", "export", "welcome", "--output", &whole],
    )
    .await;
    let csv = std::fs::read_to_string(&whole).expect("a file");
    assert!(csv.contains("Ada"), "{csv}");
    app.stop().await;

    // A server that ends in the middle.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let _ = socket.read(&mut [0; 4096]).await;
        let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nnumber,\r\n";
        let _ = socket.write_all(half.as_bytes()).await;
    });
    let half = path("half.csv");
    let args = [
        "people", "export", "welcome", "--url", &url, "--output", &half,
    ];
    let (code, _, stderr) = Run::headcount(&args).end().await;
    assert!(code == Some(1) && stderr.contains("cut"), "{stderr}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    server.await.expect("it ends");
}
