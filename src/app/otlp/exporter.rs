//! OTLP over HTTP, with protobuf. Batches of spans are sent from a thread of OpenTelemetry's own.
//! When the receiver is away or slow, spans are dropped and nothing waits.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry::trace::{SpanId, TracerProvider as _};
use opentelemetry::{KeyValue, trace::TraceId};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::runtime::Handle;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::trace;

/// How long one request to the receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of the program waits for the last spans.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Sends spans until it is stopped.
pub struct Exporter(SdkTracerProvider);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl Exporter {
    /// Sends to `endpoint`, through connections of `runtime`. The error says what is wrong with the
    /// endpoint or the system's certificates; whether somebody is there shows later, in the log.
    pub fn start(endpoint: &str, runtime: &Handle) -> Result<Self, String> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| format!("the system's certificates cannot be read: {error}"))?
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client {
            client: HyperClient::new(connector, TIMEOUT, None),
            runtime: runtime.clone(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_id_generator(Ids::default())
            .with_resource(resource())
            .build();
        Ok(Self(provider))
    }

    pub(in crate::app) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("headcount"))
            .with_location(false)
            .with_threads(false)
            .with_target(false);
        layer.boxed()
    }

    /// Sends what is left, for a few seconds at most. The runtime must still be there.
    pub fn stop(self) {
        // What could not be sent was logged.
        let _ = self.0.shutdown_with_timeout(STOP_WITHIN);
    }
}

/// Who reports. OpenTelemetry's variables may say otherwise.
fn resource() -> Resource {
    let builder = Resource::builder_empty()
        .with_service_name("headcount")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        // `OTEL_RESOURCE_ATTRIBUTES`; what comes later wins.
        .with_detector(Box::new(EnvResourceDetector::new()));
    let name = std::env::var("OTEL_SERVICE_NAME").ok();
    match name.filter(|name| !name.is_empty()) {
        Some(name) => builder.with_service_name(name).build(),
        None => builder.build(),
    }
}

/// A trace begins with the id that the request's log lines and problem document have.
#[derive(Debug, Default)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let id = trace::id().map(|id| TraceId::from_bytes(id.bytes()));
        id.unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Sends on the program's runtime, because the thread that exports has none.
#[derive(Debug)]
struct Client {
    client: HyperClient<HttpsConnector<HttpConnector>>,
    runtime: Handle,
}

/// What is sent, until it is answered.
type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    // An async method, as the crate `async_trait` writes it.
    fn send_bytes<'this, 'sending>(&'this self, request: Request<Bytes>) -> Sending<'sending>
    where
        'this: 'sending,
        Self: 'sending,
    {
        let client = self.client.clone();
        let sending = async move { client.send_bytes(request).await };
        let sending = self.runtime.spawn(sending);
        Box::pin(async move { sending.await? })
    }
}
