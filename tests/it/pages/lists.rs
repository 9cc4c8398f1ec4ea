//! The console's list of registrations, and the door list.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_has_pages() {
    let app = App::sqlite().await;
    for n in 1..=60 {
        assert_eq!(
            app.register(
                "welcome",
                &format!("Person {n}"),
                &format!("p{n}@example.org")
            )
            .await
            .status,
            201
        );
    }
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let numbers = |page: &str| -> Vec<u32> {
        let cells = page.split("class=\"table-number\">").skip(1);
        cells
            .map(|row| row.split('<').next().unwrap().parse().expect("a number"))
            .collect()
    };
    let link = |page: &str, rel: &str| {
        let found = page.split(&format!("rel=\"{rel}\"")).nth(1)?;
        let href = found.split("href=\"").nth(1)?.split('"').next()?;
        Some(href.replace("&#38;", "&"))
    };
    let first = browser
        .get("/admin/events/welcome/people?q=person&sort=-number")
        .await
        .body;
    assert_eq!(numbers(&first), (11..=60).rev().collect::<Vec<_>>());
    assert!(first.contains("60 registrations"), "{first}");
    assert_eq!(link(&first, "prev"), None);
    let next = link(&first, "next").expect("a second page");
    assert_eq!(
        next,
        "/admin/events/welcome/people?q=person&sort=-number&after=11"
    );
    let second = browser.get(&next).await.body;
    assert_eq!(numbers(&second), (1..=10).rev().collect::<Vec<_>>());
    assert_eq!(link(&second, "next"), None);
    let previous = link(&second, "prev").expect("the first page");
    let back = browser.get(&previous).await.body;
    assert_eq!(numbers(&back), numbers(&first));
    assert_eq!(link(&back, "prev"), None, "there is nothing before");
    assert_eq!(
        link(&back, "next").as_deref(),
        Some("/admin/events/welcome/people?q=person&sort=-number&after=11")
    );

    // The file has what all pages show, in their order.
    let file = second
        .split("href=\"")
        .find(|href| href.contains("registrations.csv"))
        .and_then(|href| href.split('"').next())
        .expect("a file")
        .replace("&#38;", "&");
    assert_eq!(
        file,
        "/api/v1/events/welcome/registrations.csv?q=person&round=1&sort=-number"
    );
    let file = app.organise("GET", &file, &serde_json::Value::Null).await;
    let rows = file
        .body
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap());
    assert_eq!(
        rows.collect::<Vec<_>>(),
        (1..=60)
            .rev()
            .map(|n: u32| n.to_string())
            .collect::<Vec<_>>()
    );

    // A form in the list leads back to its page; what else is in the query is left out.
    let csrf = second
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .expect("a token");
    let csrf = csrf.split('"').next().expect("a token").to_owned();
    let mut forms = second.split("action=\"");
    let id = forms.find_map(|form| {
        let path = form.split('"').next()?.strip_suffix("/cancel")?;
        path.rsplit('/').next()
    });
    let id = id.expect("a form to cancel");
    let cancel = format!("/admin/events/welcome/registrations/{id}/cancel");
    let list = "q%3Dperson%26sort%3D-number%26after%3D11%26done%3Dreset%26x%3D%0d%0a";
    let done = browser
        .post(&cancel, &format!("csrf={csrf}&list={list}"))
        .await;
    assert_eq!(
        done.location(),
        format!(
            "/admin/events/welcome/people?done=cancelled&undo={id}&q=person&sort=-number&after=11"
        )
    );
    let again = browser
        .post(&cancel, &format!("csrf={csrf}&list=after%3D11"))
        .await;
    assert_eq!(
        again.location(),
        format!("/admin/events/welcome/people?done=cancelled&undo={id}&after=11")
    );
    // The message of a cancellation offers to take it back.
    let offered = browser.get(again.location()).await.body;
    let restore = format!("/admin/events/welcome/registrations/{id}/restore");
    let (message, _) = offered.split_once("id=\"registrations\"").unwrap();
    assert!(message.contains(&restore), "{message}");
    for odd in ["x", "1-1-1%22", "../../login"] {
        let page = browser
            .get(&format!("/admin/events/welcome/people?undo={odd}"))
            .await;
        assert!(!page.body.contains("class=\"undo\""), "{odd}");
    }
    app.stop().await;
}

/// The door list shows who has a place, by name, and no addresses or answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_list_has_everybody_with_a_place_by_name() {
    let app = App::sqlite().await;
    app.event("gala", 3).await;
    for (n, name) in ["zoe", "Émile", "ada", "Late <i>"].into_iter().enumerate() {
        let email = format!("p{n}@example.org");
        app.register("gala", name, &email).await;
    }
    let mut browser = Browser::new(&app);
    assert_eq!(
        browser.get("/admin/events/gala/door").await.location(),
        signs_in_for("/admin/events/gala/door")
    );
    browser.sign_in().await;
    let page = browser.get("/admin/events/gala/door").await;
    page.is_page(200, "no-store");
    let names = page.body.split("<th scope=\"row\">").skip(1);
    let names: Vec<_> = names
        .filter_map(|row| row.split('<').next())
        .map(str::trim)
        .collect();
    assert_eq!(names, ["ada", "Émile", "zoe"], "who waits has no place yet");
    assert!(page.body.contains("3 people have a place"), "{}", page.body);
    // Every page has an example of an email address among its words.
    let listed = page.body.replace("name@example.org", "");
    assert!(!listed.contains("example.org"), "{listed}");
    browser
        .get("/admin/events/none/door")
        .await
        .is_page(404, "no-store");
    app.stop().await;
}
