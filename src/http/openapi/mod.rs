//! The OpenAPI 3.1 document of the whole API, at `/api/v1/openapi.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    Ref, Required, ResponseBuilder,
};
use warp::http::{HeaderValue, Method};
use warp::reply::Response;

use self::calls::Call;
use super::incoming::Incoming;
use super::{reply, session};
use crate::problem::{self, Code, Problem};

mod bounds;
mod calls;
mod schemas;

/// Name, where it stands, and what it says; [`bounds`] has the schemas.
const PARAMETERS: &[(&str, ParameterIn, &str)] = &[
    (
        "If-None-Match",
        ParameterIn::Header,
        "Entity tags that are known already",
    ),
    (
        "If-Match",
        ParameterIn::Header,
        "Refuse with 412 unless the event stands at one of these positions",
    ),
    (
        "Prefer",
        ParameterIn::Header,
        "`wait=N`: wait up to N seconds, at most 55, for another position (RFC 7240)",
    ),
    (
        "Last-Event-ID",
        ParameterIn::Header,
        "The position to resume from",
    ),
    (
        "Idempotency-Key",
        ParameterIn::Header,
        "1 to 255 characters that name this attempt, so that sending it again is safe",
    ),
    (
        "last_event_id",
        ParameterIn::Query,
        "`Last-Event-ID`, where a header cannot be set",
    ),
    (
        "after",
        ParameterIn::Query,
        "Go on after this position, number or cursor",
    ),
    (
        "wait",
        ParameterIn::Query,
        "`Prefer: wait=N`, where a header cannot be set",
    ),
    ("limit", ParameterIn::Query, "At most so many, up to 1,000"),
    (
        "status",
        ParameterIn::Query,
        "Only `confirmed`, `waiting` or `cancelled`",
    ),
    (
        "q",
        ParameterIn::Query,
        "Part of the name or e-mail address",
    ),
    (
        "round",
        ParameterIn::Query,
        "Which round; the current one unless given",
    ),
    (
        "confirm",
        ParameterIn::Query,
        "The event's slug: delete it even with its registrations",
    ),
];

/// The document and its validator, rendered once.
static DOCUMENT: LazyLock<(Bytes, HeaderValue)> = LazyLock::new(|| {
    // A tree of strings and numbers; serialising it to memory cannot fail.
    let text = serde_json::to_vec(&bounded()).expect("the document is representable as JSON");
    let etag = reply::content_etag(&text);
    (text.into(), etag)
});

/// `GET /api/v1/openapi.json`
pub(super) async fn get(incoming: Incoming) -> Result<Response, Problem> {
    let (text, etag) = &*DOCUMENT;
    Ok(reply::conditional(
        &incoming.headers,
        etag.clone(),
        text.clone(),
    ))
}

fn bounded() -> Value {
    // The same tree.
    let mut document =
        serde_json::to_value(document()).expect("the document is representable as JSON");
    bounds::apply(&mut document);
    document
}

fn document() -> OpenApi {
    let mut paths = Paths::new();
    for call in calls::ALL {
        paths.add_path_operation(
            call.path,
            vec![method(&call.method)],
            operation(call).build(),
        );
    }
    let info = InfoBuilder::new()
        .title("Headcount")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A live registration counter. Every error is a problem document (RFC 9457). The same counts are pushed by Socket.IO v5 at `/socket.io/`.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components().build()))
        .build()
}

fn components() -> ComponentsBuilder {
    use schemas as s;
    let session = ApiKeyValue::with_description(
        session::COOKIE,
        "The console's session. Writes need its X-CSRF-Token, or the browser's word that they come from this site.",
    );
    ComponentsBuilder::new()
        .schema_from::<s::State>()
        .schema_from::<s::Count>()
        .schema_from::<s::Event>()
        .schema_from::<s::Events>()
        .schema_from::<s::Kind>()
        .schema_from::<s::Change>()
        .schema_from::<s::ChangeLog>()
        .schema_from::<s::NewRegistration>()
        .schema_from::<s::Status>()
        .schema_from::<s::Links>()
        .schema_from::<s::Registration>()
        .schema_from::<s::Row>()
        .schema_from::<s::Rows>()
        .schema_from::<s::NewEvent>()
        .schema_from::<s::EventEdit>()
        .schema_from::<s::Reset>()
        .schema_from::<s::Announcement>()
        .schema_from::<s::Notice>()
        .schema_from::<s::AuditEntry>()
        .schema_from::<s::Audit>()
        .schema_from::<s::Moment>()
        .schema_from::<s::Health>()
        .schema_from::<s::FieldError>()
        .schema_from::<s::Problem>()
        .security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        )
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)))
}

fn operation(call: &Call) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(call.id))
        .summary(Some(call.summary))
        .tag(tag(call));
    if !call.notes.is_empty() {
        operation = operation.description(Some(call.notes));
    }
    for name in call
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True),
        );
    }
    for (name, place, says) in PARAMETERS
        .iter()
        .filter(|(name, ..)| call.takes.contains(name))
    {
        let parameter = ParameterBuilder::new()
            .name(*name)
            .parameter_in(place.clone())
            .required(Required::False);
        operation = operation.parameter(parameter.description(Some(*says)));
    }
    if let Some((schema, form)) = call.body {
        let content = || {
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(schema)))
                .build()
        };
        let mut body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", content());
        if form {
            body = body.content("application/x-www-form-urlencoded", content());
        }
        operation = operation.request_body(Some(body.build()));
    }
    if call.organiser {
        operation = operation.securities(Some(
            ["token", "session"].map(|name| SecurityRequirement::new(name, [""; 0])),
        ));
    }
    for (status, says, content) in call.answers {
        let mut response = ResponseBuilder::new().description(*says);
        for (media, schema) in *content {
            response = response.content(
                *media,
                ContentBuilder::new()
                    .schema(schema.map(Ref::from_schema_name))
                    .build(),
            );
        }
        operation = operation.response(status.to_string(), response.build());
    }
    refusals(call)
        .into_iter()
        .fold(operation, |operation, (status, says)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            operation.response(
                status,
                ResponseBuilder::new()
                    .description(says)
                    .content(problem::CONTENT_TYPE, content)
                    .build(),
            )
        })
}

/// One answer for each status, naming its codes.
fn refusals(call: &Call) -> BTreeMap<String, String> {
    let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    for code in call.refusals() {
        let codes = by_status
            .entry(code.status().as_u16().to_string())
            .or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let says = |codes: Vec<Code>| {
        codes
            .into_iter()
            .map(|code| format!("`{}`: {}", code.as_str(), code.title()))
            .collect::<Vec<_>>()
            .join("\n\n")
    };
    by_status
        .into_iter()
        .map(|(status, codes)| (status, says(codes)))
        .collect()
}

fn tag(call: &Call) -> &'static str {
    match (call.organiser, call.path.starts_with("/health/")) {
        (true, _) => "organiser",
        (_, true) => "operator",
        _ => "public",
    }
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        // `calls` names no other.
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::urls;

    #[test]
    fn exactly_the_routed_addresses_and_methods_are_described() {
        let described: BTreeSet<_> = calls::ALL
            .iter()
            .map(|call| (call.path, call.method.to_string()))
            .collect();
        let calls = |url: &&urls::Url| {
            ["/api/", "/health/"]
                .iter()
                .any(|prefix| url.pattern.starts_with(prefix))
        };
        let routed: BTreeSet<_> = urls::ALL
            .iter()
            .filter(calls)
            .flat_map(|url| {
                url.methods
                    .iter()
                    .map(|method| (url.pattern, method.to_string()))
            })
            .collect();
        assert_eq!(described, routed);
        let ids: BTreeSet<_> = calls::ALL.iter().map(|call| call.id).collect();
        assert_eq!(ids.len(), calls::ALL.len());
    }

    #[test]
    fn every_name_leads_somewhere() {
        let text = String::from_utf8(DOCUMENT.0.to_vec()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for reference in text
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                document["components"]["schemas"][reference].is_object(),
                "{reference}"
            );
        }
        for call in calls::ALL {
            for name in call.takes {
                assert!(PARAMETERS.iter().any(|(known, ..)| known == name), "{name}");
            }
        }
        for code in Code::ALL.into_iter().filter(|code| {
            !matches!(
                code,
                Code::NotFound | Code::MethodNotAllowed | Code::Internal
            )
        }) {
            assert!(
                text.contains(&format!("`{}`:", code.as_str())),
                "{} is never described",
                code.as_str()
            );
        }
    }

    #[test]
    fn the_count_is_described_as_it_is() {
        let document = serde_json::to_value(document()).unwrap();
        let described = &document["components"]["schemas"]["Count"];
        let real = crate::domain::event::NewEvent {
            slug: crate::domain::event::Slug::parse("gala").unwrap(),
            title: "Gala".into(),
            description: String::new(),
            capacity: crate::domain::event::Capacity::UNLIMITED,
            waitlist: false,
            opens_at: None,
            closes_at: None,
        };
        let real = real
            .open(
                crate::domain::position::Epoch::draw(),
                crate::domain::clock::Timestamp::default(),
            )
            .headcount();
        let real = serde_json::to_value(real).unwrap();
        let required: BTreeSet<_> = described["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            required,
            real.as_object().unwrap().keys().cloned().collect(),
            "{described:#}"
        );
    }
}
