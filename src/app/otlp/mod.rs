//! Sends spans to an OpenTelemetry receiver (`--otlp-endpoint`). That needs the cargo feature
//! `otlp`; without it there is never an [`Exporter`].

#[cfg_attr(feature = "otlp", path = "exporter.rs")]
#[cfg_attr(not(feature = "otlp"), path = "absent.rs")]
mod exporter;

pub use exporter::Exporter;

/// `--otlp-endpoint`: the address of a receiver, without the path of spans.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    if !cfg!(feature = "otlp") {
        return Err(
            "this program was built without traces; build it with `--features otlp`".to_owned(),
        );
    }
    let url = url::Url::parse(text).map_err(|error| error.to_string())?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must not have a query or a fragment".to_owned());
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("it must begin with http:// or https:// and name a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("put a password into OTEL_EXPORTER_OTLP_HEADERS instead".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
