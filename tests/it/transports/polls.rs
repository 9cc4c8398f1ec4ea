//! Interval polling and long polling.

use std::time::Instant;

use super::{SOON, gala, join};
use crate::support::app::Answer;

const EVENT: &str = "/api/v1/events/gala";

#[track_caller]
fn whole(answer: &Answer, position: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("etag"),
        Some(format!("\"{position}\"").as_str())
    );
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("vary"), Some("accept, prefer"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.json()["position"], position);
}

#[tokio::test]
async fn a_poll_is_answered_304_while_it_is_up_to_date() {
    let (app, position) = gala(&[]).await;
    whole(&app.get(EVENT).await, &position);
    for known in [
        format!("\"{position}\""),
        format!("W/\"{position}\""),
        format!("\"x\", W/\"{position}\""),
        "*".to_owned(),
    ] {
        let answer = app
            .call("GET", EVENT, &[("if-none-match", &known)], "")
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{known}");
        assert_eq!(
            answer.header("etag"),
            Some(format!("\"{position}\"").as_str())
        );
        assert_eq!(answer.header("vary"), Some("accept, prefer"));
    }
    assert_eq!(
        app.get(&format!("{EVENT}?after={position}")).await.status,
        304
    );
    // The header wins over the query.
    let answer = app
        .call(
            "GET",
            &format!("{EVENT}?after={position}"),
            &[("if-none-match", "\"other\"")],
            "",
        )
        .await;
    whole(&answer, &position);

    let newer = join(&app, 1).await;
    whole(
        &app.call(
            "GET",
            EVENT,
            &[("if-none-match", &format!("\"{position}\""))],
            "",
        )
        .await,
        &newer,
    );
    app.stop().await;
}

#[tokio::test]
async fn a_refused_poll_explains_itself() {
    let (app, _) = gala(&[]).await;
    let answer = app.get("/api/v1/events/no-such").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (404, "event-not-found")
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let answer = app.call("GET", EVENT, &[("accept", "image/png")], "").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (406, "not-acceptable")
    );
    let answer = app.call("HEAD", EVENT, &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(
        answer
            .header("content-length")
            .is_some_and(|length| length != "0")
    );
    app.stop().await;
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_change() {
    let (app, position) = gala(&[]).await;
    let known = format!("\"{position}\"");
    let headers = [
        ("if-none-match", known.as_str()),
        ("prefer", "respond-async, Wait=\"30\""),
    ];
    let by_header = app.call("GET", EVENT, &headers, "");
    let path = format!("{EVENT}?after={position}&wait=30");
    let by_query = app.get(&path);
    let began = Instant::now();
    let (by_header, by_query, newer) = tokio::join!(by_header, by_query, async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        join(&app, 1).await
    });
    for answer in [by_header, by_query] {
        whole(&answer, &newer);
        assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    app.stop().await;
}

#[tokio::test]
async fn a_long_poll_waits_no_longer_than_it_was_asked_to() {
    let (app, position) = gala(&[]).await;
    let began = Instant::now();
    let answer = app.get(&format!("{EVENT}?after={position}&wait=1")).await;
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (304, Some("wait=1"))
    );
    assert!(began.elapsed() >= std::time::Duration::from_millis(990));
    for path in [
        format!("{EVENT}?wait=30"),
        format!("{EVENT}?wait=30&after=garbage"),
        format!("{EVENT}?wait=30&after=zzzzzz-1"),
    ] {
        let began = Instant::now();
        whole(&app.get(&path).await, &position);
        assert!(began.elapsed() < SOON, "{path}");
    }
    // A wait is cut to the maximum; with news the answer comes at once.
    assert_eq!(
        app.get(&format!("{EVENT}?wait=3600"))
            .await
            .header("preference-applied"),
        Some("wait=55")
    );
    app.stop().await;
}

#[tokio::test]
async fn a_long_poll_ends_in_the_drain() {
    let (app, position) = gala(&["--drain", "2s"]).await;
    let address = app.address();
    let held = tokio::spawn(async move {
        crate::support::app::call(
            address,
            "GET",
            &format!("{EVENT}?after={position}&wait=60"),
            &[],
            "",
        )
        .await
    });
    let channel = app
        .running
        .context
        .hub
        .channels()
        .into_iter()
        .find(|channel| channel.newest().event.slug.as_str() == "gala")
        .expect("the event");
    super::until(|| channel.presence.open() == 1).await;
    app.stop().await;
    assert_eq!(held.await.expect("an answer").status, 304);
    assert_eq!(channel.presence.open(), 0);
}
