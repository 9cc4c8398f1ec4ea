//! Spans, as a receiver of OTLP over HTTP gets them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message as _;
use serde_json::json;

use super::{ID, Logged, TRACEPARENT, id_of};
use crate::server::host::TIMEOUT;
use crate::support::app::{Answer, call, organise};
use crate::support::port::free_address;
use crate::support::sqlite::File;

const ROUTE: &str = "POST /api/v1/events/{slug}/registrations";

/// Receives spans.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Receiver {
    async fn listen() -> (SocketAddr, Self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, receiver) = (listener.local_addr().unwrap(), Self::default());
        let kept = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                let service = service_fn(move |request| kept.clone().receive(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (address, receiver)
    }

    async fn receive(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        assert_eq!(request.uri().path(), "/v1/traces");
        assert_eq!(request.headers()["content-type"], "application/x-protobuf");
        let body = request.into_body().collect().await?.to_bytes();
        let sent = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
        self.0.lock().unwrap().push(sent);
        Ok(Response::default())
    }

    /// The spans of one trace by name.
    fn spans(&self, trace: &str) -> BTreeMap<String, Span> {
        let requests = self.0.lock().unwrap();
        let spans = requests
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans);
        spans
            .filter(|span| hex(&span.trace_id) == trace)
            .map(|span| (span.name.clone(), span.clone()))
            .collect()
    }

    /// The spans of one trace, once all of a registration are there.
    async fn registration(&self, trace: &str) -> BTreeMap<String, Span> {
        let begun = Instant::now();
        loop {
            let spans = self.spans(trace);
            if spans.len() >= 5 {
                return spans;
            }
            assert!(begun.elapsed() < TIMEOUT, "{trace}: {spans:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The attributes of the process.
    fn process(&self) -> BTreeMap<String, String> {
        let requests = self.0.lock().unwrap();
        let resource = requests[0].resource_spans[0].resource.clone().unwrap();
        attributes(&resource.attributes)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.clone().and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), text(pair)))
        .collect()
}

/// A server that sends its spans every 50 ms.
fn start(file: &File, receiver: SocketAddr, delay: &str) -> Logged {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.env("OTEL_BSP_SCHEDULE_DELAY", delay);
    let endpoint = format!("http://{receiver}");
    Logged::of(command, &file.text(), &["--otlp-endpoint", &endpoint])
}

/// An event of the organiser.
async fn event(address: SocketAddr, slug: &str) {
    let event = json!({ "slug": slug, "title": slug, "capacity": 2 });
    let made = organise(address, "POST", "/api/v1/events", &event).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

async fn register(address: SocketAddr, person: &str, traceparent: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(traceparent.map(|value| ("traceparent", value)));
    let body = format!("{{\"name\":\"Ada\",\"email\":\"{person}@example.org\"}}");
    let path = "/api/v1/events/gala/registrations";
    call(address, "POST", path, &headers, &body).await
}

#[track_caller]
fn assert_parents(spans: &BTreeMap<String, Span>) {
    let names: Vec<_> = spans.keys().map(String::as_str).collect();
    assert_eq!(names, [ROUTE, "batch", "commit", "publish", "queue"]);
    for (name, parent) in [
        ("queue", ROUTE),
        ("batch", ROUTE),
        ("commit", "batch"),
        ("publish", "batch"),
    ] {
        let (span, parent) = (&spans[name], &spans[parent]);
        assert_eq!(hex(&span.parent_span_id), hex(&parent.span_id), "{name}");
        assert!(
            parent.start_time_unix_nano <= span.start_time_unix_nano
                && span.start_time_unix_nano <= span.end_time_unix_nano,
            "{name}"
        );
    }
    for (first, second) in [("queue", "commit"), ("commit", "publish")] {
        assert!(
            spans[first].end_time_unix_nano <= spans[second].start_time_unix_nano,
            "{first} ends before {second}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_shows_a_registration_from_its_request_to_its_publication() {
    let (address, receiver) = Receiver::listen().await;
    let file = File::new();
    let server = start(&file, address, "50");
    event(server.address(), "gala").await;

    let made = register(server.address(), "ada", Some(TRACEPARENT)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let spans = receiver.registration(ID).await;
    assert_parents(&spans);
    let request = &spans[ROUTE];
    let caller = TRACEPARENT.split('-').nth(2).unwrap();
    assert_eq!(hex(&request.parent_span_id), caller);
    assert_eq!(request.kind(), SpanKind::Server);
    let noted = attributes(&request.attributes);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/v1/events/{slug}/registrations"),
        ("http.response.status_code", "201"),
    ] {
        assert_eq!(noted[name], value);
    }
    assert_eq!(attributes(&spans["batch"].attributes)["commands"], "1");
    let process = receiver.process();
    assert_eq!(
        (
            process["service.name"].as_str(),
            process["service.version"].as_str()
        ),
        ("headcount", env!("CARGO_PKG_VERSION"))
    );

    // A trace of its own begins with the id of the problem document.
    let again = register(server.address(), "ada", None).await;
    assert_eq!(again.status, 409);
    let spans = receiver.registration(&id_of(&again.json())).await;
    assert_parents(&spans);
    assert!(spans[ROUTE].parent_span_id.is_empty());
    // The client's error, and not the server's.
    let status = spans[ROUTE].status.clone().unwrap_or_default();
    assert_eq!(status.code(), StatusCode::Unset);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_have_no_private_link_and_a_caller_may_decline_them() {
    let (address, receiver) = Receiver::listen().await;
    let file = File::new();
    let server = start(&file, address, "50");
    event(server.address(), "gala").await;
    let unsampled = TRACEPARENT.replace("-01", "-00");
    let made = register(server.address(), "ada", Some(&unsampled)).await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/registrations/{token}");
    let traceparent = TRACEPARENT.replace("4bf9", "5bf9");
    let headers = [("traceparent", traceparent.as_str())];
    let own = call(server.address(), "GET", &path, &headers, "").await;
    assert_eq!(own.status, 200);
    let begun = Instant::now();
    let trace = ID.replace("4bf9", "5bf9");
    while receiver.spans(&trace).is_empty() {
        assert!(begun.elapsed() < TIMEOUT, "no span");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let spans = receiver.spans(&trace);
    assert_eq!(
        spans.keys().collect::<Vec<_>>(),
        ["GET /api/v1/registrations/{token}"]
    );
    // Everything that was sent before is here: the declined trace is not.
    assert!(receiver.spans(ID).is_empty());
    let all = format!("{:?}", receiver.0.lock().unwrap());
    let secret = token.rsplit('-').next().unwrap();
    assert!(!all.contains(secret) && !all.contains("ada@example.org"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_spans_are_sent_when_the_server_stops() {
    let (address, receiver) = Receiver::listen().await;
    let file = File::new();
    let server = start(&file, address, "3600000");
    event(server.address(), "gala").await;
    assert_eq!(
        register(server.address(), "ada", Some(TRACEPARENT))
            .await
            .status,
        201
    );
    assert!(receiver.spans(ID).is_empty());
    server.process.signal("TERM");
    let process = server.process;
    assert_eq!(process.exit_code(), Some(0));
    assert_parents(&receiver.registration(ID).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_away_delays_nobody_and_is_logged() {
    let file = File::new();
    let server = start(&file, free_address(), "50");
    event(server.address(), "gala").await;
    let made = register(server.address(), "ada", None).await;
    assert_eq!(made.status, 201, "{}", made.body);
    server.line("BatchSpanProcessor.ExportError").await;
    server.process.signal("TERM");
    let begun = Instant::now();
    assert_eq!(server.process.exit_code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn an_endpoint_that_is_no_address_is_a_mistake() {
    for (endpoint, said) in [
        ("127.0.0.1:4318", "--otlp-endpoint: "),
        ("ftp://127.0.0.1", "http:// or https://"),
        (
            "http://ada:secret@127.0.0.1:4318",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ),
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_headcount"))
            .args(["--otlp-endpoint", endpoint])
            .output()
            .expect("the binary runs");
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.code() == Some(2) && stderr.contains(said) && !stderr.contains("secret@"),
            "{done:?}"
        );
    }
}
