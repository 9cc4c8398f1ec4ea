//! What the server refuses by itself, because it breaks HTTP's rules.

use super::host::{Host, config};
use super::wire::Ending;

#[tokio::test]
async fn a_request_names_its_host_exactly_once() {
    let host = Host::start(config());
    let body = "\r\nContent-Length: 3\r\n\r\nabc";
    for (line, fields) in [
        ("GET /hello HTTP/1.1", "\r\n\r\n"),
        ("GET http://test/hello HTTP/1.1", "\r\n\r\n"),
        (
            "GET /stream HTTP/1.1",
            "\r\nHost: test\r\nHost: test\r\n\r\n",
        ),
        (
            "GET /hello HTTP/1.1",
            "\r\nHost: test\r\nX-Between: 1\r\nhost: other\r\n\r\n",
        ),
        (
            "GET /hello HTTP/1.0",
            "\r\nHost: test\r\nHost: other\r\n\r\n",
        ),
        ("POST /echo HTTP/1.1", body),
    ] {
        let mut wire = host.connect().await;
        // What is pipelined behind it is not answered.
        wire.send(format!(
            "{line}{fields}GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"
        ))
        .await;
        let (head, document) = wire.answer().await;
        assert!(
            head.starts_with("http/1.") && head[8..].starts_with(" 400 "),
            "{line}{fields}: {head}"
        );
        assert!(
            head.contains("content-type: application/problem+json")
                && head.contains("connection: close"),
            "{head}"
        );
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(
            (&document["code"], &document["status"]),
            (&"bad-request".into(), &400.into()),
            "{document}"
        );
        assert!(
            document["detail"].as_str().unwrap().contains("Host"),
            "{document}"
        );
        assert!(wire.rest().await.0.is_empty(), "{line}{fields}");
    }
    assert_eq!(host.feed.watchers(), 0, "the application was not asked");
    for (line, fields) in [
        ("GET /hello HTTP/1.1", "\r\nHost:\r\n\r\n"),
        ("GET /hello HTTP/1.1", "\r\nhOST: test\r\n\r\n"),
        ("GET /hello HTTP/1.0", "\r\n\r\n"),
    ] {
        let mut wire = host.connect().await;
        wire.send(format!("{line}{fields}")).await;
        assert_eq!(wire.answer().await.1, "hello", "{line}{fields}");
    }
    // Its connection is one of many; the refusal of a HEAD has no body.
    let mut wire = host.connect().await;
    wire.send("HEAD /hello HTTP/1.1\r\n\r\n").await;
    assert!(wire.head().await.starts_with("http/1.1 400 "));
    assert_eq!(wire.rest().await, (Vec::new(), Ending::Closed));
    assert_eq!(host.finish().await.cut, 0);
}
