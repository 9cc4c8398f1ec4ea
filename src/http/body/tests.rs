//! Bodies, read from a client's bytes.

use super::*;
use crate::http::field_value::FieldValue;

#[derive(Debug, Deserialize, PartialEq)]
struct Fields<'a> {
    #[serde(borrow, default)]
    name: FieldValue<'a>,
}

fn content(media: Media, bytes: &'static [u8]) -> Content {
    Content {
        media,
        bytes: Bytes::from_static(bytes),
    }
}

fn headers(kind: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())])
}

#[test]
fn a_malformed_body_names_its_place() {
    let problem = content(Media::Json, b"{\n\"name\": \"Ada\",\n oops}")
        .decode::<Fields<'_>>()
        .unwrap_err();
    assert_eq!(problem.code(), Code::MalformedBody);
    let document = problem.document();
    assert_eq!(
        (&document["line"], &document["byte"]),
        (&json!(3), &json!(19)),
        "{document}"
    );
    for bad in [
        &b""[..],
        b"[]",
        b"7",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\xFF\"}",
        b"{} x",
        b"{\"name\":\"a\",\"name\":\"b\"}",
    ] {
        let problem = Content {
            media: Media::Json,
            bytes: Bytes::from_static(bad),
        }
        .decode::<Fields<'_>>()
        .unwrap_err();
        assert_eq!(problem.code(), Code::MalformedBody, "{bad:?}");
    }
}

#[test]
fn forms_and_json_give_the_same_fields() {
    let expected = Fields {
        name: FieldValue::Text("Ada L".into()),
    };
    assert_eq!(
        content(
            Media::Json,
            b"\xEF\xBB\xBF{\"name\":\"Ada L\",\"extra\":{\"deep\":[1]}}"
        )
        .decode::<Fields<'_>>()
        .unwrap(),
        expected
    );
    assert_eq!(
        content(Media::Form, b"extra=1&name=Ada+L")
            .decode::<Fields<'_>>()
            .unwrap(),
        expected
    );
    assert_eq!(
        content(Media::Form, b"").decode::<Fields<'_>>().unwrap(),
        Fields {
            name: FieldValue::Absent
        }
    );
}

#[test]
fn a_body_that_is_no_utf8_is_refused_with_its_place() {
    for (media, bytes, place) in [
        (Media::Form, &b"website=&name=%FF"[..], 9..=9),
        (Media::Form, b"website=&name=\xC3", 9..=9),
        // Where reading ended.
        (Media::Json, b"{\"name\":\"\xFF\"}", 9..=11),
    ] {
        let problem = content(media, bytes).decode::<Fields<'_>>().unwrap_err();
        assert_eq!(
            problem.code(),
            Code::MalformedBody,
            "{}",
            bytes.escape_ascii()
        );
        let byte = problem.document()["byte"].as_u64().unwrap();
        assert!(place.contains(&byte), "{}: {byte}", bytes.escape_ascii());
    }
}

#[test]
fn media_types_are_compared_without_case_and_parameters() {
    assert_eq!(
        media(
            &headers("Application/JSON; charset=UTF-8"),
            AllowedMedia::Json
        )
        .unwrap(),
        Media::Json
    );
    assert_eq!(
        media(&headers("application/merge-patch+json"), AllowedMedia::Json).unwrap(),
        Media::Json
    );
    assert_eq!(
        media(
            &headers("application/x-www-form-urlencoded;charset=utf-8"),
            AllowedMedia::JsonOrForm
        )
        .unwrap(),
        Media::Form
    );
    for refused in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "+js",
        "",
    ] {
        assert_eq!(
            media(&headers(refused), AllowedMedia::Json)
                .unwrap_err()
                .code(),
            Code::UnsupportedMediaType,
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_body_is_bounded_without_a_length() {
    let chunks = |n: usize| {
        Unread(Box::pin(futures_util::stream::iter(
            (0..n).map(|_| Ok(Bytes::from_static(&[b' '; 1024]))),
        )))
    };
    assert_eq!(chunks(16).collect(MAX).await.unwrap().len(), MAX);
    assert_eq!(
        chunks(17).collect(MAX).await.unwrap_err().code(),
        Code::BodyTooLarge
    );
}

#[tokio::test]
async fn a_slow_body_times_out() {
    let never = Unread(Box::pin(futures_util::stream::pending()));
    assert_eq!(
        never
            .collect_within(Duration::from_millis(5), MAX)
            .await
            .unwrap_err()
            .code(),
        Code::BadRequest
    );
}
