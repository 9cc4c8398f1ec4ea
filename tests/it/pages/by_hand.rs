//! The console: adding a person, correcting and restoring a registration, and importing a file.

use serde_json::{Value, json};

use super::*;

async fn gala(settings: Value) -> App {
    let app = App::sqlite().await;
    let mut new = json!({ "slug": "gala", "title": "Gala", "capacity": 2, "max_party_size": 4 });
    for (name, value) in settings.as_object().unwrap() {
        new[name] = value.clone();
    }
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app
}

async fn rows(app: &App) -> Vec<Value> {
    let list = app
        .organise("GET", "/api/v1/events/gala/registrations", &Value::Null)
        .await
        .json();
    list["registrations"].as_array().unwrap().clone()
}

/// A form with these fields, as a browser sends one that has a file.
fn multipart(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "file" {
            "; filename=\"people.csv\""
        } else {
            ""
        };
        body += &format!(
            "--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        );
    }
    body + "--edge--\r\n"
}

async fn upload(browser: &mut Browser<'_>, app: &App, fields: &[(&str, &str)]) -> Page {
    let origin = format!("http://{}", app.address());
    let headers = [
        ("origin", origin.as_str()),
        ("content-type", "multipart/form-data; boundary=edge"),
    ];
    let path = "/admin/events/gala/import";
    browser
        .send("POST", path, &multipart(fields), &headers)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_added_once_however_often_the_form_is_sent() {
    let questions = json!([{ "key": "diet", "label": "Diet", "kind": "text", "required": true }]);
    let app = gala(json!({ "questions": questions })).await;
    let mut browser = Browser::new(&app);
    assert_eq!(
        browser.get("/admin/events/gala/add").await.location(),
        signs_in_for("/admin/events/gala/add")
    );
    let csrf = browser.sign_in().await;
    let page = browser.get("/admin/events/gala/add").await;
    page.is_page(200, "no-store");
    let once = page.value("once");
    let fields = format!("csrf={csrf}&once={once}&name=Ada&email=&party_size=2&answer.diet=");
    for _ in 0..2 {
        let sent = browser.post("/admin/events/gala/add", &fields).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let added = "/admin/events/gala/add?done=added&added=";
        assert!(sent.location().starts_with(added), "{}", sent.location());
        let next = browser.get(sent.location()).await;
        assert!(
            next.body.contains("Ada is added as No. 1."),
            "{}",
            next.body
        );
    }
    let stored = rows(&app).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (
            &stored[0]["email"],
            &stored[0]["party_size"],
            &stored[0]["added_by"]
        ),
        (&Value::Null, &json!(2), &json!("console"))
    );

    let post = async |browser: &mut Browser<'_>, fields: &str| {
        let fields = format!("csrf={csrf}&{fields}");
        browser.post("/admin/events/gala/add", &fields).await
    };
    let full = post(
        &mut browser,
        "name=Bob&email=bob%40example.org&answer.diet=none",
    )
    .await;
    full.is_page(409, "no-store");
    assert_eq!(
        (full.value("name").as_str(), full.value("email").as_str()),
        ("Bob", "bob@example.org")
    );
    assert!(
        full.body.contains("There are not enough free places"),
        "{}",
        full.body
    );
    let wrong = post(&mut browser, "name=&email=nobody&party_size=9").await;
    wrong.is_page(422, "no-store");
    for message in [
        "Enter your name.",
        "Enter an email address like",
        "from 1 to ",
    ] {
        assert!(wrong.body.contains(message), "{message} in {}", wrong.body);
    }
    let forced = post(
        &mut browser,
        "name=Bob&email=bob%40example.org&over_capacity=true",
    )
    .await;
    assert!(
        forced
            .location()
            .starts_with("/admin/events/gala/add?done=added&added=")
    );
    let twice = post(
        &mut browser,
        "name=Bob&email=BOB%40example.org&over_capacity=true",
    )
    .await;
    twice.is_page(409, "no-store");
    assert!(twice.body.contains("already registered"), "{}", twice.body);
    let forged = browser.post("/admin/events/gala/add", "name=Eve").await;
    assert_eq!((forged.status, rows(&app).await.len()), (403, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_corrected_and_restored_in_the_console() {
    let questions = json!([
        { "key": "rules", "label": "Rules", "kind": "checkbox" },
        { "key": "sides", "label": "Sides", "kind": "choices", "options": ["rice", "bread"] },
    ]);
    let app = gala(json!({ "questions": questions, "capacity": 4 })).await;
    let body = json!({
        "name": "Ada", "email": "ada@example.org",
        "answers": { "rules": true, "sides": ["rice", "bread"] },
    });
    let ada = app
        .call(
            "POST",
            "/api/v1/events/gala/registrations",
            &[("content-type", "application/json")],
            &body.to_string(),
        )
        .await
        .json();
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let path = format!(
        "/admin/events/gala/registrations/{}",
        ada["id"].as_str().unwrap()
    );
    let desk = browser.get("/admin/events/gala/people").await;
    assert!(
        desk.body.contains(&format!("href=\"{path}\"")),
        "{}",
        desk.body
    );
    let page = browser.get(&path).await;
    page.is_page(200, "no-store");
    assert_eq!(
        (
            page.value("name").as_str(),
            page.value("party_size").as_str()
        ),
        ("Ada", "1")
    );
    let seen = page.value("seen");
    let form = |fields: &str| format!("csrf={csrf}&seen={seen}&{fields}");
    // As a browser sends it: an empty field beside each box. Unticked boxes are no answers any more.
    let fields =
        form("name=Ada+Lovelace&party_size=3&answer.rules=&answer.sides=&answer.sides=bread");
    let saved = browser.post(&path, &fields).await;
    assert_eq!(saved.location(), "/admin/events/gala/people?done=corrected");
    let row = rows(&app).await.remove(0);
    assert_eq!(
        (&row["name"], &row["party_size"], &row["answers"]),
        (
            &json!("Ada Lovelace"),
            &json!(3),
            &json!({ "sides": ["bread"] })
        )
    );
    // The page was older than that.
    let stale = browser.post(&path, &form("name=Ada&party_size=1")).await;
    stale.is_page(412, "no-store");
    assert!(
        stale.body.contains("has changed in the meantime"),
        "{}",
        stale.body
    );
    assert_eq!(rows(&app).await[0]["name"], "Ada Lovelace");

    let act = async |browser: &mut Browser<'_>, action: &str| {
        let path = format!("{path}/{action}");
        let sent = browser.post(&path, &format!("csrf={csrf}")).await;
        sent.location().to_owned()
    };
    let done = "/admin/events/gala/people?done=";
    let (_, id) = path.rsplit_once('/').expect("the registration's page");
    let cancelled = act(&mut browser, "cancel").await;
    assert_eq!(cancelled, format!("{done}cancelled&undo={id}"));
    let offered = browser.get(&cancelled).await.body;
    assert_eq!(
        offered.matches("/restore\"").count(),
        1,
        "one undo is enough"
    );
    let desk = browser.get("/admin/events/gala/people").await;
    assert!(
        desk.body.contains(&format!("{path}/restore")),
        "{}",
        desk.body
    );
    assert_eq!(
        act(&mut browser, "restore").await,
        format!("{done}restored")
    );
    act(&mut browser, "cancel").await;
    app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 2 }))
        .await;
    assert_eq!(
        act(&mut browser, "restore").await,
        "/admin/events/gala/people?error=full"
    );
    app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 9 }))
        .await;
    app.register("gala", "Ada", "ada@example.org").await;
    assert_eq!(
        act(&mut browser, "restore").await,
        "/admin/events/gala/people?error=taken"
    );
    let desk = browser.get("/admin/events/gala/people?error=taken").await;
    assert!(
        desk.body
            .contains("This email address has registered again."),
        "{}",
        desk.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_a_file_shows_its_heading_its_cell_and_what_to_write() {
    let questions = json!([
        { "key": "size", "label": "Shirt", "kind": "choice", "options": ["S", "M", "L"] },
        { "key": "rules", "label": "Rules", "kind": "checkbox" },
    ]);
    let app = gala(json!({ "questions": questions, "waitlist": true })).await;
    app.register("gala", "Ada", "ada@example.org").await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let wrong = "name,E-Mail,party_size,shirt,rules\n,,12,XXL,perhaps\n\
        Bob,ADA@example.org,1,S,yes\nCy,ada@example.org,1,,\n";
    for (language, option, flag) in [
        ("en", "Use one of these: S, M, L.", "Write yes or no."),
        (
            "zh-CN",
            "请填写以下选项之一：S, M, L。",
            "请填写 yes 或 no。",
        ),
    ] {
        browser.language = language;
        let fields = [("csrf", csrf.as_str()), ("do", "check"), ("file", wrong)];
        let page = upload(&mut browser, &app, &fields).await;
        page.is_page(200, "no-store");
        for text in [
            "name",
            "party_size",
            "12",
            "shirt",
            "XXL",
            "rules",
            "perhaps",
        ] {
            assert!(
                page.body.contains(&format!("<td>{text}</td>")),
                "{text} in {}",
                page.body
            );
        }
        let cell = "<td>E-Mail</td><td>ADA@example.org</td>";
        assert!(page.body.contains(cell), "{}", page.body);
        for text in [option, flag] {
            assert!(page.body.contains(text), "{text} in {}", page.body);
        }
        for to_a_visitor in ["Enter your name.", "This answer cannot be used."] {
            assert!(!page.body.contains(to_a_visitor), "{}", page.body);
        }
    }
    for (language, known) in [("en", "Known columns: "), ("zh-CN", "可用的列：")] {
        browser.language = language;
        let fields = [
            ("csrf", csrf.as_str()),
            ("do", "check"),
            ("file", "name,status\n"),
        ];
        let page = upload(&mut browser, &app, &fields).await;
        let known = format!("{known}name, email, party_size, Shirt, Rules");
        assert!(page.body.contains(&known), "{known} in {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_checked_and_then_stored_once() {
    let app = gala(json!({ "waitlist": true })).await;
    let mut browser = Browser::new(&app);
    let nobody = upload(&mut browser, &app, &[("do", "check")]).await;
    assert_eq!(nobody.location(), "/admin/login");
    let csrf = browser.sign_in().await;
    browser
        .get("/admin/events/gala/import")
        .await
        .is_page(200, "no-store");
    let wrong = "name,email\nAda,ada@example.org\n,nobody\n";
    let page = upload(
        &mut browser,
        &app,
        &[("csrf", &csrf), ("do", "check"), ("file", wrong)],
    )
    .await;
    page.is_page(200, "no-store");
    for text in [
        ">3</th>",
        "This cell is empty.",
        "Enter an email address like",
    ] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    assert!(
        !page.body.contains("name=\"csv\""),
        "it cannot be confirmed: {}",
        page.body
    );

    let right = "name;email;party_size\n<Ada> \"A\";ada@example.org;2\nBob;;\n";
    let page = upload(
        &mut browser,
        &app,
        &[("csrf", &csrf), ("do", "check"), ("file", right)],
    )
    .await;
    page.is_page(200, "no-store");
    assert!(
        page.body.contains("2 registrations can be added."),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("1 of them goes to the waiting list."),
        "{}",
        page.body
    );
    assert!(page.body.contains("&#60;Ada&#62;"), "{}", page.body);
    assert!(rows(&app).await.is_empty(), "a check stores nothing");
    let once = page.value("once");
    let confirm = [
        ("csrf", csrf.as_str()),
        ("once", &once),
        ("csv", right),
        ("do", "import"),
    ];
    for _ in 0..2 {
        let stored = upload(&mut browser, &app, &confirm).await;
        assert_eq!(stored.location(), "/admin/events/gala/people?done=imported");
    }
    let stored = rows(&app).await;
    assert_eq!(stored.len(), 2, "a second click stores nobody again");
    assert_eq!(
        (&stored[1]["email"], &stored[1]["status"]),
        (&Value::Null, &json!("waiting"))
    );
    // Somebody has registered between the check and the confirmation.
    let late = [
        ("csrf", csrf.as_str()),
        ("once", "other"),
        ("csv", right),
        ("do", "import"),
    ];
    let page = upload(&mut browser, &app, &late).await;
    page.is_page(200, "no-store");
    assert!(page.body.contains("already registered"), "{}", page.body);
    assert_eq!(rows(&app).await.len(), 2);
    let forged = upload(&mut browser, &app, &[("do", "check"), ("file", right)]).await;
    assert_eq!(forged.status, 403);
    let cut = "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n";
    let origin = format!("http://{}", app.address());
    let headers = [
        ("origin", origin.as_str()),
        ("content-type", "multipart/form-data; boundary=edge"),
    ];
    let cut = browser
        .send("POST", "/admin/events/gala/import", cut, &headers)
        .await;
    assert_eq!(cut.status, 400);
}
