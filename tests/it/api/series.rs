//! How an event's counts developed, as the API shows it.

use std::time::Duration;

use headcount::domain::event::EventId;
use headcount::domain::series::Step;
use headcount::live::presence_report::PresenceReporter;
use headcount::stats::sampler::Sampler;
use headcount::stats::series::{Range, read};
use serde_json::{Value, json};

use super::super::support::app::{App, call};
use super::super::support::sse::Stream;
use super::{bearer, refused};

async fn series(app: &App, file: &str, headers: &[(&str, &str)]) -> super::Answer {
    let path = format!("/api/v1/events/welcome/{file}");
    let bearer = bearer();
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    call(app.address(), "GET", &path, &all, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_ends_with_the_present_counts_and_is_revalidated() {
    let app = App::sqlite().await;
    for n in 0..3 {
        let email = format!("ada{n}@example.org");
        assert_eq!(app.register("welcome", "Ada", &email).await.status, 201);
    }
    refused(
        &app.get("/api/v1/events/welcome/series").await,
        401,
        "unauthorized",
    );
    let day = series(&app, "series?step=day", &[]).await;
    let document = day.json();
    assert_eq!((day.status, &document["step"]), (200, &"day".into()));
    let last = document["points"].as_array().unwrap().last().unwrap();
    assert_eq!(
        [&last["registered"], &last["waiting"], &last["cancelled"]],
        [3, 0, 0].map(Value::from).each_ref()
    );
    assert!(last["at"].as_str().unwrap().ends_with("T00:00:00.000Z"));
    let csv = series(&app, "series.csv?step=day", &[]).await;
    let mut lines = csv.body.lines();
    assert_eq!(
        lines.next(),
        Some("at,registered,waiting,cancelled,watching")
    );
    assert!(
        lines.next_back().unwrap().contains(",3,0,0,"),
        "{}",
        csv.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_has_at_most_two_thousand_steps_and_no_gaps() {
    let app = App::sqlite().await;
    let longest = "series?step=minute&from=2026-01-01T00:00:00Z&to=2026-01-02T09:20:00Z";
    let document = series(&app, longest, &[]).await.json();
    let points = document["points"].as_array().unwrap();
    assert_eq!(points.len(), 2_000);
    assert_eq!(points[1]["at"], "2026-01-01T00:01:00.000Z");
    assert_eq!(
        (&points[0]["registered"], &points[0]["watching"]),
        (&0.into(), &Value::Null)
    );
    for (query, named) in [
        (
            "step=minute&from=2026-01-01T00:00:00Z&to=2026-01-02T09:20:01Z",
            "from",
        ),
        ("step=week", "step"),
        ("from=yesterday", "from"),
        ("to=soon", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
    ] {
        let answer = series(&app, &format!("series?{query}"), &[]).await;
        refused(&answer, 400, "bad-request");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(&format!("query's {named} ")),
            "{query}: {detail}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_that_has_not_changed_is_304() {
    let app = App::sqlite().await;
    // A past range: its points do not change any more.
    let past = "step=hour&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    for file in ["series", "series.csv"] {
        let path = format!("{file}?{past}");
        let first = series(&app, &path, &[]).await;
        assert_eq!(first.status, 200, "{}", first.body);
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let etag = first.header("etag").unwrap();
        let again = series(&app, &path, &[("if-none-match", etag)]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        let other = series(&app, &path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_chart_opens_the_series_to_everybody() {
    let app = App::sqlite().await;
    let path = "/api/v1/events/welcome";
    let both = [format!("{path}/series"), format!("{path}/series.csv")];
    for file in &both {
        refused(&app.get(file).await, 401, "unauthorized");
    }
    let wrong = app
        .organise("PATCH", path, &json!({ "public_chart": "yes" }))
        .await;
    assert_eq!(super::fields(&wrong), ["public_chart"]);
    let edited = app
        .organise("PATCH", path, &json!({ "public_chart": true }))
        .await;
    assert_eq!(edited.json()["public_chart"], true, "{}", edited.body);
    let details = app.get(&format!("{path}/details")).await;
    assert_eq!(details.json()["public_chart"], true);
    for file in &both {
        let open = app.get(file).await;
        assert_eq!(open.status, 200, "{}", open.body);
        assert_eq!(open.header("cache-control"), Some("no-cache"));
    }
    app.organise("PATCH", path, &json!({ "public_chart": false }))
        .await;
    refused(&app.get(&both[0]).await, 401, "unauthorized");
    let unknown = "/api/v1/events/nothing/series";
    refused(&app.get(unknown).await, 401, "unauthorized");
    let unknown = app.organise("GET", unknown, &Value::Null).await;
    refused(&unknown, 404, "event-not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_in_which_nobody_counts_has_no_number_of_watchers() {
    let app = App::sqlite().await;
    let context = &app.running.context;
    let presence = PresenceReporter::new(context.store.clone(), context.hub.clone());
    let mut sampler = Sampler::new(context.store.clone(), presence);
    let now = context.clock.now();
    let at = |minutes: u64| now.plus(Duration::from_secs(60 * minutes));
    let path = "/api/v1/events/welcome/stream";
    let one = Stream::open_at(app.address(), path, "").await;
    sampler.sample(at(2)).await.unwrap();
    let two = Stream::open_at(app.address(), path, "").await;
    sampler.sample(at(2)).await.unwrap();
    drop(one);
    // The server notices that it is gone after a moment.
    let welcome = find_welcome(context);
    let leaves = async {
        while context.hub.watchers().get(&welcome) != Some(&1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), leaves)
        .await
        .expect("one watcher");
    sampler.sample(at(2)).await.unwrap();
    // Nobody counts in the third and the fourth minute.
    sampler.sample(at(5)).await.unwrap();
    drop(two);
    let range = Range {
        step: Step::Minute,
        from: Step::Minute.start(at(2)),
        to: at(6),
    };
    let points = read(&context.store, welcome, range, at(5)).await.unwrap();
    let watching: Vec<_> = points.iter().map(|point| point.watching).collect();
    assert_eq!(watching, [Some(2), None, None, Some(1)]);
}

fn find_welcome(context: &headcount::context::Context) -> EventId {
    context.hub.channels()[0].newest().event.id
}

/// What a page of an event shows must not slow down the page of all events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_public_charts_keeps_nobody_from_the_page_of_events() {
    let app = App::sqlite().await;
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 5, "public_chart": true });
    app.organise("POST", "/api/v1/events", &new).await;
    let throttle = &app.running.context.throttle;
    let stranger = "192.0.2.1".parse().unwrap();
    let [chart, list] = [
        throttle.series.take(stranger),
        throttle.lists.take(stranger),
    ];
    let held = chart.await.unwrap();
    let mut waiting = Vec::new();
    for path in [
        "/api/v1/events/gala/series",
        "/api/v1/events/gala/series.csv",
        "/e/gala/chart",
    ] {
        let address = app.address();
        waiting.push(tokio::spawn(async move {
            call(address, "GET", path, &[], "").await.status
        }));
    }
    for path in ["/", "/api/v1/events", "/events.ics"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    assert!(waiting.iter().all(|one| !one.is_finished()));
    drop(held);
    let held = list.await.unwrap();
    for one in waiting {
        assert_eq!(one.await.unwrap(), 200);
    }
    assert_eq!(app.get("/events.ics").await.status, 200);
    drop(held);
    app.stop().await;
}
