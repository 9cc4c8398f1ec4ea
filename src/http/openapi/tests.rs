//! The document says what the program does.

use std::collections::BTreeSet;

use super::*;
use crate::http::urls;

#[test]
fn exactly_the_routed_addresses_and_methods_are_described() {
    let described: BTreeSet<_> = calls::all()
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
    let ids: BTreeSet<_> = calls::all().map(|call| call.id).collect();
    assert_eq!(ids.len(), calls::all().count());
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
    for call in calls::all() {
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
fn a_generated_client_finds_what_it_needs() {
    let document = bounded();
    assert_eq!(document["servers"][0]["url"], "/");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let call = format!("{method} {path}");
            assert!(
                operation["security"].is_array(),
                "{call} says whether it needs credentials"
            );
            let tags = operation["tags"].as_array().unwrap();
            let open = operation["security"].as_array().unwrap().is_empty();
            assert_eq!(open, !tags.contains(&"organiser".into()), "{call}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                for (media, content) in answer["content"].as_object().into_iter().flatten() {
                    let schema = content["schema"]["$ref"].as_str();
                    let schema = schema.and_then(|path| document.pointer(&path[1..]));
                    let schema = schema.unwrap_or_else(|| panic!("{call} {status} {media}"));
                    // NDJSON is one document a line, so as a whole it is a text.
                    let text = media.starts_with("text/") || media == "application/x-ndjson";
                    assert_eq!(text, schema["type"] == "string", "{call} {status} {media}");
                }
            }
            let writes = method != "get";
            let parameters = operation["parameters"].as_array();
            let takes =
                |name: &str| parameters.is_some_and(|all| all.iter().any(|p| p["name"] == name));
            assert_eq!(takes("If-Match"), writes, "{call}");
            assert_eq!(
                operation["responses"]["412"].is_object(),
                path.starts_with("/api/"),
                "{call}"
            );
        }
    }
    let ws = &document["paths"]["/api/v1/events/{slug}/ws"]["get"]["responses"];
    assert!(ws["426"].is_object());
}

#[test]
fn a_parameter_has_the_range_that_the_server_accepts() {
    let document = bounded();
    let schema = |path: &str, name: &str| {
        let parameters = &document["paths"][path]["get"]["parameters"];
        let found = parameters
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["name"] == name);
        found.unwrap_or_else(|| panic!("{name} of {path}"))["schema"].clone()
    };
    // Above what is given at once nothing is refused.
    for path in ["changes", "registrations", "audit"] {
        let limit = schema(&format!("/api/v1/events/{{slug}}/{path}"), "limit");
        assert_eq!(
            (&limit["minimum"], &limit["maximum"]),
            (&1.into(), &u32::MAX.into()),
            "{path}"
        );
    }
    let wait = schema("/api/v1/events/{slug}", "wait");
    assert_eq!(
        (&wait["minimum"], &wait["maximum"]),
        (&0.into(), &Value::Null)
    );
    for (path, kind) in [
        ("changes", "string"),
        ("registrations", "integer"),
        ("audit", "integer"),
    ] {
        let after = schema(&format!("/api/v1/events/{{slug}}/{path}"), "after");
        assert_eq!(after["type"], kind, "{path}");
    }
    let text = document
        .pointer("/components/schemas/Announcement/properties/text")
        .unwrap();
    assert_eq!(
        (&text["minLength"], &text["maxLength"]),
        (&1.into(), &500.into())
    );
    let pattern = text["pattern"].as_str().unwrap();
    assert!(
        pattern.contains("\\u0000-\\u001f"),
        "no line breaks: {pattern}"
    );
}

#[test]
fn the_count_is_described_as_it_is() {
    let document = serde_json::to_value(document()).unwrap();
    let described = &document["components"]["schemas"]["Count"];
    let real = crate::domain::event::NewEvent::new(
        crate::domain::event::Slug::parse("gala").unwrap(),
        "Gala",
        crate::domain::event::Capacity::UNLIMITED,
    );
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
