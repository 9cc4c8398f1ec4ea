//! Readers that take nothing: each answer has a deadline, endless or not, in every version of HTTP.

use std::time::Duration;

use headcount::server::{Config, Deadlines, Tls};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::deadlines::PREFACE;
use super::host::{Host, config, until};
use super::tls;
use super::wire::Wire;
use crate::hostile::http2::{DATA, Frame, HEADERS, Http2, RST_STREAM};

const STALL: Duration = Duration::from_millis(600);

fn hasty(tls: Option<Tls>) -> Config {
    let deadlines = Deadlines {
        stall: STALL,
        ..config().deadlines
    };
    Config {
        tls,
        deadlines,
        ..config()
    }
}

/// A host of either kind, and how to reach it over HTTP/2.
async fn connect(host: &Host, certificate: Option<&CertificateDer<'static>>, window: u32) -> Http2 {
    match certificate {
        Some(certificate) => Http2::tls(host.addr, certificate, window).await,
        None => Http2::plain(host.addr, window).await,
    }
}

#[tokio::test]
async fn an_http_2_stream_whose_client_takes_nothing_is_reset_and_others_go_on() {
    let (own_tls, certificate) = tls::certificate();
    for (own_tls, certificate) in [(None, None), (Some(own_tls), Some(&certificate))] {
        let host = Host::start(hasty(own_tls));
        // Closed windows, and windows that open for a part of the answer.
        for window in [0, 1, 4] {
            let mut connection = connect(&host, certificate, window).await;
            let paths = ["/stream", "/big", "/small", "/hello"];
            // The first write of an answer to a closed window belongs to the connection, so
            // `/hello` only counts there.
            let paths = if window == 0 { &paths[..] } else { &paths[..3] };
            for path in paths {
                let stream = connection.get(path).await;
                connection.next(HEADERS, stream).await;
                host.feed.publish("another that it does not take");
                connection.next(RST_STREAM, stream).await;
            }
            let stream = connection.get("/wait").await;
            host.feed.release.notify_waiters();
            host.feed.release.notify_one();
            connection.next(HEADERS, stream).await;
        }
        host.watched_by(0).await;
        host.finish().await;
    }
}

/// The client reads a part first; the deadline begins when it stops.
#[tokio::test]
async fn an_http_2_client_that_takes_a_part_is_reset_as_well() {
    let (own_tls, certificate) = tls::certificate();
    for (own_tls, certificate) in [(None, None), (Some(own_tls), Some(&certificate))] {
        let host = Host::start(hasty(own_tls));
        let mut connection = connect(&host, certificate, 4).await;
        for path in ["/stream", "/small", "/big"] {
            let stream = connection.get(path).await;
            let Frame { payload, .. } = connection.next(DATA, stream).await;
            assert_eq!(payload.len(), 4, "{path}");
            host.feed.publish("the next count");
            connection.next(RST_STREAM, stream).await;
        }
        host.watched_by(0).await;
        drop(connection);
        host.finish().await;
    }
}

#[tokio::test]
async fn an_http_2_client_that_takes_its_answers_gets_them_whole() {
    let host = Host::start(hasty(None));
    let mut connection = Http2::plain(host.addr, 65_535).await;
    for (path, length) in [("/hello", 5), ("/big", 10_000)] {
        let stream = connection.get(path).await;
        let mut read = 0;
        while read < length {
            let Frame { payload, .. } = connection.next(DATA, stream).await;
            read += payload.len();
        }
        assert_eq!(read, length);
    }
    // An answer that takes longer than the deadline is not the client's fault.
    let stream = connection.get("/wait").await;
    tokio::time::sleep(2 * STALL).await;
    host.feed.release.notify_one();
    connection.next(DATA, stream).await;
    drop(connection);
    host.finish().await;
}

#[tokio::test]
async fn an_http_1_client_that_takes_nothing_of_a_finite_answer_is_closed() {
    let host = Host::start(hasty(None));
    let mut wire = Wire::connect_narrow(host.addr).await;
    // 10 MB of answers do not fit into any buffer.
    let requests = "GET /big HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1_000);
    wire.send_until_refused(requests.as_bytes(), 1).await;
    tokio::time::sleep(3 * STALL).await;
    let (answers, _) = wire.rest().await;
    assert!(answers.len() < 9_000_000, "{} bytes came", answers.len());
    // Nothing has to be cut: the connection has gone by itself.
    assert_eq!(host.finish().await.cut, 0);
}

#[tokio::test]
async fn streams_of_one_connection_take_the_places_of_connections() {
    let host = Host::start(Config {
        max_connections: 5,
        ..config()
    });
    let client = tls::client().http2_prior_knowledge().build().unwrap();
    let mut watching = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        let url = format!("http://{}/stream", host.addr);
        let answer = client.get(url).send().await.unwrap();
        if answer.headers().contains_key("content-type") {
            watching.push(answer);
        } else {
            assert_eq!(answer.text().await.unwrap(), "bye limit");
            refused += 1;
        }
    }
    assert_eq!((watching.len(), refused), (5, 15));
    // A stream that ends frees its place.
    watching.pop();
    until(|| host.feed.watchers() == 4).await;
    let url = format!("http://{}/stream", host.addr);
    let answer = client.get(url).send().await.unwrap();
    assert!(answer.headers().contains_key("content-type"));
    drop((watching, answer));
    host.finish().await;
}

#[tokio::test]
async fn a_connection_that_leaves_too_much_unread_gets_no_more() {
    let host = Host::start(config());
    let mut connection = Http2::plain(host.addr, 0).await;
    let mut answered = Vec::new();
    // 100 answers of 100 KB.
    for _ in 0..100 {
        let stream = connection.get("/huge").await;
        let Frame { payload, .. } = connection.next(HEADERS, stream).await;
        // `:status 200` is entry 8 of the static table (RFC 7541, appendix A).
        answered.push(payload[0] == 0x88);
    }
    let kept = answered.iter().filter(|kept| **kept).count();
    assert!((1..=21).contains(&kept), "{kept} answers of 100 KB wait");
    drop(connection);
    host.drained().await;
}

/// 128 MiB may wait for one address. A client that fills that must not shut out its neighbours
/// behind the same NAT.
#[tokio::test]
async fn an_address_that_leaves_all_unread_still_gets_short_answers_on_other_connections() {
    let (own_tls, certificate) = tls::certificate();
    for (own_tls, certificate) in [(None, None), (Some(own_tls), Some(&certificate))] {
        let host = Host::start(Config {
            max_requests: 10_000,
            max_requests_per_address: 10_000,
            tls: own_tls,
            ..config()
        });
        // 140 MB, asked for at once on each connection.
        let mut held = Vec::new();
        for _ in 0..70 {
            let mut connection = connect(&host, certificate, 0).await;
            let last = connection.get_many("/huge", 20).await;
            connection.next(HEADERS, last).await;
            held.push(connection);
        }
        let mut neighbour = connect(&host, certificate, 65_535).await;
        for path in ["/who", "/small", "/big", "/huge"] {
            let stream = neighbour.get(path).await;
            let Frame { payload, .. } = neighbour.next(HEADERS, stream).await;
            // `:status 200` (RFC 7541, appendix A).
            assert_eq!(payload[0], 0x88, "{path}");
            neighbour.next(DATA, stream).await;
        }
        let mut wire = match certificate {
            Some(certificate) => Wire::new(tls::stream(host.addr, certificate, b"http/1.1").await),
            None => host.connect().await,
        };
        wire.get("/huge").await;
        assert_eq!(wire.answer().await.1.len(), 100_000);
        drop((held, neighbour));
        host.drained().await;
    }
}

#[tokio::test]
async fn a_request_refused_before_its_body_arrived_closes_the_connection() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.send("POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n")
        .await;
    let (head, _) = wire.answer().await;
    assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
    let mut wire = host.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc")
        .await;
    let (head, body) = wire.answer().await;
    assert!(!head.contains("connection: close"), "{head}");
    assert_eq!(body, "abc");
    host.finish().await;
}

#[tokio::test]
async fn the_server_speaks_the_protocol_that_alpn_chose() {
    let (own_tls, certificate) = tls::certificate();
    let host = Host::start(hasty(Some(own_tls)));
    let request = b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n";
    for (agreed, said, never) in [
        (&b"h2"[..], &request[..], &b"hello"[..]),
        // The server's preface would be a SETTINGS frame.
        (b"http/1.1", PREFACE, b"\x00\x04\x00\x00\x00\x00\x00"),
    ] {
        let stream = tls::stream(host.addr, &certificate, agreed).await;
        let mut wire = Wire::new(stream);
        wire.send(said).await;
        let (answer, _) = wire.rest().await;
        let found = answer.windows(never.len()).any(|part| part == never);
        assert!(!found, "{}", answer.escape_ascii());
    }
    host.finish().await;
}

#[tokio::test]
async fn answers_over_tls_carry_hsts() {
    let (own_tls, certificate) = tls::certificate();
    let host = Host::start(hasty(Some(own_tls)));
    let mut wire = Wire::new(tls::stream(host.addr, &certificate, b"http/1.1").await);
    wire.get("/hello").await;
    let head = wire.answer().await.0;
    assert!(
        head.contains("\r\nstrict-transport-security: max-age="),
        "{head}"
    );
    host.finish().await;
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.get("/hello").await;
    let head = wire.answer().await.0;
    assert!(!head.contains("strict-transport-security"), "{head}");
    host.finish().await;
}
