//! Spans, as OpenTelemetry's conventions for HTTP servers name them.

use http::{Method, StatusCode};
use tracing::field::Empty;
use tracing::{Level, Span};

use super::Trace;

/// The target of every span. No log shows it.
pub const SPANS: &str = "headcount::span";

/// Whether somebody records spans.
pub fn is_on() -> bool {
    tracing::span_enabled!(target: SPANS, Level::INFO)
}

/// The span of a request. `route` is the template of its address: a path itself may be a private
/// link, so no span has it.
pub fn of_request(
    trace: Trace,
    method: &Method,
    route: impl FnOnce() -> Option<&'static str>,
) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = known(method);
    let route = route();
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    follow(&span, trace);
    span
}

/// Notes the answer. A refusal is the client's error, not the server's.
pub fn status(span: &Span, status: StatusCode) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Anybody may make up a method; a span has the conventions' word for those.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("_OTHER")
}

/// Makes the client's span the parent.
#[cfg(feature = "otlp")]
fn follow(span: &Span, trace: Trace) {
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceState};
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let Some(caller) = trace.caller else {
        return;
    };
    let parent = SpanContext::new(
        opentelemetry::trace::TraceId::from_bytes(trace.id.bytes()),
        SpanId::from_bytes(caller.span.to_be_bytes()),
        TraceFlags::default().with_sampled(caller.sampled),
        true,
        TraceState::default(),
    );
    // It fails only when nothing records the span.
    let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
}

/// Nothing records spans.
#[cfg(not(feature = "otlp"))]
fn follow(_: &Span, _: Trace) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_somebody_made_up_names_no_span() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&Method::from_bytes(b"BREW").unwrap()), "_OTHER");
        assert_eq!(known(&Method::from_bytes(b"get").unwrap()), "_OTHER");
    }

    #[test]
    fn without_a_recorder_there_is_no_span() {
        let span = of_request(Trace::draw(), &Method::GET, || {
            panic!("no route is looked up")
        });
        assert!(span.is_disabled() && !is_on());
        status(&span, StatusCode::OK);
    }
}
