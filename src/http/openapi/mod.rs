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
    Ref, Required, ResponseBuilder, ServerBuilder,
};
use warp::http::{HeaderValue, Method};
use warp::reply::Response;

use self::calls::Call;
use super::{reply, session};
use crate::context::head::RequestHead;
use crate::problem::{self, Code, Problem};

mod bounds;
mod calls;
mod schemas;

/// Name, place and description; [`bounds`] has the schemas.
const PARAMETERS: &[(&str, ParameterIn, &str)] = &[
    (
        "If-None-Match",
        ParameterIn::Header,
        "Entity tags that are known already",
    ),
    (
        "If-Match",
        ParameterIn::Header,
        "Do nothing and answer 412 unless the event stands at one of these positions",
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
    (
        "limit",
        ParameterIn::Query,
        "The most items of the page, up to 1,000",
    ),
    (
        "from",
        ParameterIn::Query,
        "Begin with the step that contains this moment; the event's creation unless given",
    ),
    (
        "to",
        ParameterIn::Query,
        "End before this moment; now unless given",
    ),
    (
        "step",
        ParameterIn::Query,
        "`minute`, `hour` or `day`; the shortest that fits unless given",
    ),
    (
        "sort",
        ParameterIn::Query,
        "The order; `-` is from the last to the first",
    ),
    (
        "status",
        ParameterIn::Query,
        "Only `confirmed`, `waiting` or `cancelled`",
    ),
    (
        "q",
        ParameterIn::Query,
        "Words that are part of the name or email address, in any order, or a number: `No. 12`",
    ),
    (
        "round",
        ParameterIn::Query,
        "Which round; the current one unless given",
    ),
    (
        "dry_run",
        ParameterIn::Query,
        "`true`: store nothing, and say what would happen",
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
pub(super) async fn get(head: RequestHead) -> Result<Response, Problem> {
    let (text, etag) = &*DOCUMENT;
    Ok(reply::conditional(
        &head.headers,
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
    for call in calls::all() {
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
            "A live registration counter. Every error is a problem document (RFC 9457). The same \
            counts are pushed by Socket.IO v5 at `/socket.io/`.",
        ))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT")
                .identifier(Some("MIT"))
                .build(),
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        // Relative to the document: behind a proxy no other address is certain.
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some("This server"))
            .build()]))
        .paths(paths)
        .components(Some(components().build()))
        .build()
}

fn components() -> ComponentsBuilder {
    use schemas as s;
    let session = ApiKeyValue::with_description(
        session::COOKIE,
        "The console's session. Writes need its X-CSRF-Token, or the browser's word that they \
        come from this site.",
    );
    ComponentsBuilder::new()
        .schema_from::<s::State>()
        .schema_from::<s::Count>()
        .schema_from::<s::Event>()
        .schema_from::<s::Events>()
        .schema_from::<s::Kind>()
        .schema_from::<s::Change>()
        .schema_from::<s::ChangeLog>()
        .schema_from::<s::CountStream>()
        .schema_from::<s::CountLines>()
        .schema_from::<s::ChangeStream>()
        .schema_from::<s::Frame>()
        .schema_from::<s::Csv>()
        .schema_from::<s::Document>()
        .schema_from::<s::NewRegistration>()
        .schema_from::<s::LostLink>()
        .schema_from::<s::Nothing>()
        .schema_from::<s::MailKind>()
        .schema_from::<s::AddedRegistration>()
        .schema_from::<s::RegistrationChange>()
        .schema_from::<s::Organiser>()
        .schema_from::<s::ProofOfWork>()
        .schema_from::<s::Visibility>()
        .schema_from::<s::Duplicate>()
        .schema_from::<s::Challenge>()
        .schema_from::<s::ImportReport>()
        .schema_from::<s::LineError>()
        .schema_from::<s::WaitingFor>()
        .schema_from::<s::QuestionKind>()
        .schema_from::<s::Question>()
        .schema_from::<s::NewQuestion>()
        .schema_from::<s::AnswerValue>()
        .schema_from::<s::Answers>()
        .schema_from::<s::AnswerChange>()
        .schema_from::<s::AnswerChanges>()
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
        .schema_from::<s::Point>()
        .schema_from::<s::Series>()
        .schema_from::<s::Role>()
        .schema_from::<s::Scope>()
        .schema_from::<s::Account>()
        .schema_from::<s::Accounts>()
        .schema_from::<s::NewAccount>()
        .schema_from::<s::AccountEdit>()
        .schema_from::<s::Token>()
        .schema_from::<s::Tokens>()
        .schema_from::<s::NewToken>()
        .schema_from::<s::Session>()
        .schema_from::<s::Sessions>()
        .schema_from::<s::WebhookFormat>()
        .schema_from::<s::Webhook>()
        .schema_from::<s::Webhooks>()
        .schema_from::<s::NewWebhook>()
        .schema_from::<s::WebhookEdit>()
        .schema_from::<s::DeliveryStatus>()
        .schema_from::<s::Delivery>()
        .schema_from::<s::Deliveries>()
        .schema_from::<s::Moment>()
        .schema_from::<s::WebTransport>()
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
    for (name, place, says) in PARAMETERS.iter().filter(|(name, ..)| call.takes(name)) {
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
            .content(
                if schema == "Csv" {
                    "text/csv"
                } else {
                    "application/json"
                },
                content(),
            );
        if form {
            body = body.content("application/x-www-form-urlencoded", content());
        }
        operation = operation.request_body(Some(body.build()));
    }
    // Either of them, or an empty list: none is needed.
    let credentials: &[&str] = if call.organiser {
        &["token", "session"]
    } else {
        &[]
    };
    let securities = credentials
        .iter()
        .map(|name| SecurityRequirement::new(*name, [""; 0]));
    operation = operation.securities(Some(securities));
    for (status, says, content) in call.answers {
        let mut response = ResponseBuilder::new().description(*says);
        for (media, schema) in *content {
            response = response.content(
                *media,
                ContentBuilder::new()
                    .schema(Some(Ref::from_schema_name(*schema)))
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
mod tests;
