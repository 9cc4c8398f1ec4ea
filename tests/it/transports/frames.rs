//! iframe streaming.

use super::{gala, join};

const FRAME: &str = "/api/v1/events/gala/frame";

#[tokio::test]
async fn the_document_is_live_and_may_be_framed_anywhere() {
    let (app, position) = gala(&[]).await;
    let mut wire = app.wire().await;
    wire.get(&format!("{FRAME}?theme=dark")).await;
    let head = wire.head().await;
    let nonce = head
        .split("script-src 'nonce-")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .expect("a nonce")
        .to_owned();
    assert!(
        head.contains("content-type: text/html")
            && head.contains("frame-ancestors *")
            && head.contains("no-transform"),
        "{head}"
    );
    assert!(
        !head.contains("x-frame-options") && !head.contains("unsafe-"),
        "{head}"
    );
    let first = wire.chunk().await.expect("a chunk");
    assert!(first.len() > 1_024, "nothing on the way holds it back");
    assert_eq!(
        first
            .to_ascii_lowercase()
            .matches(&format!("nonce=\"{nonce}\""))
            .count(),
        2,
        "the style and the one script"
    );
    assert!(
        first.contains("http-equiv=\"refresh\"")
            && first.contains("p:has(+ p){display:none}")
            && first.contains("color-scheme:dark")
    );
    assert!(
        first.contains(&format!("&quot;{position}&quot;")) && first.ends_with(">0 / 100</p>\n"),
        "{first}"
    );

    let newer = join(&app, 1).await;
    let update = wire.chunk().await.expect("a chunk");
    assert!(
        update.starts_with("<p data-count=\"{&quot;event&quot;:")
            && update.ends_with(">1 / 100</p>\n"),
        "{update}"
    );
    assert!(
        update.contains(&newer) && !update.contains("nonce"),
        "the same bytes for every watcher"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_frame_resumes_and_ends_in_the_drain() {
    let (app, position) = gala(&["--drain", "2s"]).await;
    let mut wire = app.wire().await;
    wire.get(&format!("{FRAME}?after={position}")).await;
    wire.head().await;
    assert!(
        !wire.chunk().await.expect("a head").contains("<p "),
        "it has this count already"
    );
    join(&app, 1).await;
    assert!(wire.chunk().await.expect("a count").contains(">1 / 100<"));
    let stop = tokio::spawn(app.stop());
    while let Some(chunk) = wire.chunk().await {
        assert_eq!(chunk, "<i></i>\n", "nothing but heartbeats");
    }
    stop.await.expect("a stop");
}

/// A frame of a deleted event says so, also when it is reloaded: people see no problem document.
#[tokio::test]
async fn a_frame_ends_with_its_event() {
    const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let (app, _) = gala(&[]).await;
    let mut wire = app.wire().await;
    wire.send(format!(
        "GET {FRAME} HTTP/1.1\r\nhost: test\r\naccept-language: zh-CN,zh;q=0.9\r\n\r\n"
    ))
    .await;
    wire.head().await;
    wire.chunk().await.expect("a count");
    app.organise("DELETE", "/api/v1/events/gala", &serde_json::Value::Null)
        .await;
    assert_eq!(
        wire.chunk().await.as_deref(),
        Some("<p class=\"over\" lang=\"zh-CN\">该活动已被删除</p>\n")
    );
    assert_eq!(wire.chunk().await, None);

    let page = app
        .call("GET", &format!("{FRAME}?theme=dark"), &[BROWSER], "")
        .await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );
    assert!(
        page.header("content-security-policy")
            .is_some_and(|policy| policy.contains("frame-ancestors *")),
        "{}",
        page.head
    );
    assert!(
        page.body.contains("This event has been deleted")
            && page.body.contains("color-scheme:dark"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("refresh"), "it is not loaded for ever");
    assert_eq!(
        app.get(FRAME).await.code(),
        "event-not-found",
        "a program gets the document"
    );
    app.stop().await;
}
