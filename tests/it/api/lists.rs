//! What the organiser lists and exports: registrations, and the audit log.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{Answer, App, Database};
use super::refused;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_filtered_searched_and_paged() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    for n in 1..=7 {
        app.register(
            "gala",
            if n % 2 == 0 { "Björn_100%" } else { "Ada" },
            &format!("person-{n}@example.org"),
        )
        .await;
    }
    let list = async |query: &str| {
        app.organise(
            "GET",
            &format!("/api/v1/events/gala/registrations?{query}"),
            &Value::Null,
        )
        .await
    };
    let numbers = |answer: &Answer| -> Vec<u64> {
        answer.json()["registrations"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row["number"].as_u64().unwrap())
            .collect()
    };
    let first = list("limit=3").await;
    assert_eq!(
        (numbers(&first), &first.json()["next"]),
        (vec![1, 2, 3], &json!("3"))
    );
    let second = list("limit=3&after=3").await;
    assert_eq!(
        (numbers(&second), &second.json()["next"]),
        (vec![4, 5, 6], &json!("6"))
    );
    let third = list("limit=3&after=6").await;
    assert_eq!(
        (numbers(&third), &third.json()["next"]),
        (vec![7], &Value::Null)
    );
    assert_eq!(
        list("limit=7").await.json()["next"],
        Value::Null,
        "a full page can be the last"
    );
    // A search is plain text, not a pattern.
    for (query, found) in [
        ("q=bj%C3%B6rn_100%25", vec![2, 4, 6]),
        ("q=PERSON-3", vec![3]),
        ("q=_", vec![2, 4, 6]),
        ("q=%25", vec![2, 4, 6]),
        ("q=%27", vec![]),
    ] {
        assert_eq!(numbers(&list(query).await), found, "{query}");
    }
    let id = list("").await.json()["registrations"][1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancelled = app
        .organise(
            "DELETE",
            &format!("/api/v1/events/gala/registrations/{id}"),
            &Value::Null,
        )
        .await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(numbers(&list("status=cancelled").await), [2]);
    assert_eq!(
        numbers(&list("status=&q=&round=&after=&limit=").await),
        [1, 2, 3, 4, 5, 6, 7]
    );
    for wrong in ["status=lost", "limit=many", "round=-1", "after=x"] {
        refused(&list(wrong).await, 400, "bad-request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_cancels_only_in_its_own_event() {
    let app = App::sqlite().await;
    app.event("gala", 1).await;
    let id = app.register("gala", "Ada", "ada@example.org").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        format!("welcome/registrations/{id}"),
        "gala/registrations/2-1-9".into(),
        "gala/registrations/x".into(),
        "gala/registrations/999-1-1".into(),
    ] {
        refused(
            &app.organise("DELETE", &format!("/api/v1/events/{path}"), &Value::Null)
                .await,
            404,
            "registration-not-found",
        );
    }
    for _ in 0..2 {
        let answer = app
            .organise(
                "DELETE",
                &format!("/api/v1/events/gala/registrations/{id}"),
                &Value::Null,
            )
            .await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (200, &json!("cancelled"))
        );
    }
}

// A name that a spreadsheet would run as a formula.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_is_safe_to_open() {
    let app = App::sqlite().await;
    app.event("gala", 2000).await;
    app.register(
        "gala",
        "=HYPERLINK(\"http://evil.example\",\"x\")",
        "+49@example.org",
    )
    .await;
    app.register("gala", "李, 小龙", "li@example.org").await;
    let answer = app
        .organise("GET", "/api/v1/events/gala/registrations.csv", &Value::Null)
        .await;
    assert_eq!(
        (answer.status, answer.header("content-disposition")),
        (200, Some("attachment; filename=\"gala-round-1.csv\"")),
        "{}",
        answer.body
    );
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/csv; charset=utf-8")
    );
    assert!(
        answer.body.starts_with(
            "\u{FEFF}number,name,email,status,waiting_position,round,at,id,party_size,added_by\r\n"
        ),
        "{}",
        answer.body
    );
    let mut reader =
        csv::Reader::from_reader(answer.body.trim_start_matches('\u{FEFF}').as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(
        (&rows[0][1], &rows[0][2]),
        (
            "'=HYPERLINK(\"http://evil.example\",\"x\")",
            "'+49@example.org"
        )
    );
    assert_eq!((&rows[1][1], rows.len()), ("李, 小龙", 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_many_pages_is_whole() {
    let app = App::sqlite().await;
    app.event("gala", 5000).await;
    let address = app.address();
    let clients: Vec<_> = (0..16)
        .map(|client| {
            tokio::spawn(async move {
                for n in 0..70 {
                    let email = format!("person-{client}-{n}@example.org");
                    assert_eq!(
                        super::super::support::app::register(address, "gala", "Ada", &email)
                            .await
                            .status,
                        201
                    );
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let answer = app
        .organise("GET", "/api/v1/events/gala/registrations.csv", &Value::Null)
        .await;
    let numbers: Vec<u32> = answer
        .body
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=1120).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_says_who_did_what() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    let id = app.register("gala", "Ada", "ada@example.org").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 7 }))
        .await;
    app.organise(
        "DELETE",
        &format!("/api/v1/events/gala/registrations/{id}"),
        &Value::Null,
    )
    .await;
    app.organise(
        "POST",
        "/api/v1/events/gala/reset",
        &json!({ "confirm": "gala" }),
    )
    .await;
    let (mut actions, mut after, mut entries) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = app
            .organise(
                "GET",
                &format!("/api/v1/events/gala/audit?limit=2&after={after}"),
                &Value::Null,
            )
            .await
            .json();
        for entry in page["entries"].as_array().unwrap() {
            assert_eq!(entry["who"], "token");
            actions.push(entry["action"].as_str().unwrap().to_owned());
            entries.push(entry.clone());
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(
        actions,
        ["reset", "cancel", "edit", "create"],
        "newest first"
    );
    assert_eq!(
        (
            &entries[2]["before"]["capacity"],
            &entries[2]["after"]["capacity"]
        ),
        (&json!(5), &json!(7))
    );
    assert!(
        !Value::from(entries).to_string().contains("ada@"),
        "no personal data in the audit log"
    );
}

/// The list and its file are sorted alike, and the list says how many there are on all pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_and_the_file_take_the_same_order() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    for (n, name) in ["zoe", "Émile", "ada", "Bob", "emil"]
        .into_iter()
        .enumerate()
    {
        app.register("gala", name, &format!("p{n}@example.org"))
            .await;
    }
    let read = async |path: &str| {
        let path = format!("/api/v1/events/gala/{path}");
        app.organise("GET", &path, &Value::Null).await
    };
    for (sort, names) in [
        ("", ["zoe", "Émile", "ada", "Bob", "emil"]),
        ("number", ["zoe", "Émile", "ada", "Bob", "emil"]),
        ("-number", ["emil", "Bob", "ada", "Émile", "zoe"]),
        ("name", ["ada", "Bob", "emil", "Émile", "zoe"]),
        ("at", ["zoe", "Émile", "ada", "Bob", "emil"]),
        ("-at", ["emil", "Bob", "ada", "Émile", "zoe"]),
    ] {
        let (mut listed, mut after) = (Vec::new(), String::new());
        loop {
            let query = format!("sort={sort}&limit=2&after={after}");
            let page = read(&format!("registrations?{query}")).await.json();
            assert_eq!(page["total"], 5, "{query}");
            let rows = page["registrations"].as_array().expect("a list");
            listed.extend(rows.iter().map(|row| row["name"].clone()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(json!(listed), json!(names), "{sort}");
        let file = read(&format!("registrations.csv?sort={sort}")).await.body;
        let column = file
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').nth(1));
        assert_eq!(column.collect::<Vec<_>>(), names, "{sort}");
    }
    let some = read("registrations?q=em&sort=-number&limit=1").await.json();
    assert_eq!((&some["total"], &some["next"]), (&json!(2), &json!("5")));
    for wrong in ["sort=email", "sort=-name", "sort=Number"] {
        for list in ["registrations", "registrations.csv"] {
            let answer = read(&format!("{list}?{wrong}")).await;
            refused(&answer, 400, "bad-request");
        }
    }
    app.stop().await;
}

/// People are renamed while somebody turns pages, and a client may ask for any number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_goes_on_from_where_its_last_registration_is_now() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        app.event("gala", 9).await;
        for name in ["Bea", "Ada", "Eve", "Dan"] {
            let email = format!("{name}@example.org");
            assert_eq!(app.register("gala", name, &email).await.status, 201);
        }
        let path = "/api/v1/events/gala/registrations";
        let page = async |query: &str| {
            let list = app
                .organise("GET", &format!("{path}?{query}"), &Value::Null)
                .await;
            assert_eq!(list.status, 200, "{}", list.body);
            let list = list.json();
            let rows = list["registrations"].as_array().unwrap().iter();
            let names: Vec<_> = rows
                .map(|row| row["name"].as_str().unwrap().to_owned())
                .collect();
            (
                names,
                list["next"].as_str().map(str::to_owned),
                list["total"].clone(),
            )
        };
        let (first, next, _) = page("sort=name&limit=2").await;
        assert_eq!(first, ["Ada", "Bea"]);
        let query = format!("sort=name&limit=2&after={}", next.unwrap());
        let list = app.organise("GET", path, &Value::Null).await.json();
        let id = list["registrations"][0]["id"].as_str().unwrap().to_owned();
        for (name, rest) in [
            ("Dana", vec!["Eve"]),
            ("Zoe", vec![]),
            ("Aaron", vec!["Ada", "Dan"]),
        ] {
            let edit = json!({ "name": name });
            let renamed = app.organise("PATCH", &format!("{path}/{id}"), &edit).await;
            assert_eq!(renamed.status, 200, "{}", renamed.body);
            assert_eq!(page(&query).await.0, rest, "{name}");
        }
        for sort in ["number", "name", "at", "-at"] {
            let beyond = page(&format!("sort={sort}&after=999999")).await;
            assert_eq!(beyond, (vec![], None, json!(4)), "{sort}");
        }
        let all = page("sort=-number&after=999999").await;
        assert_eq!(all.0, ["Dan", "Eve", "Ada", "Aaron"]);
        app.stop().await;
    }
}
