//! Style sheets, scripts and images of `web/`, from the binary; in a debug build from the disk, so
//! that a change shows at once.
//!
//! Promises an `ETag` of the bytes and revalidation each time (`no-cache`), so that no page ever
//! runs an old script with new markup. Never serves templates or catalogues, and never anything
//! outside the folders named here.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};
use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::path::FullPath;
use warp::reply::Response;

use super::reply;
use super::session::hex;
use crate::problem::{Code, Problem};

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// The folders that browsers may read, and each file's media type.
const KINDS: [(&str, &str, &str); 3] = [
    ("css/", ".css", "text/css; charset=utf-8"),
    ("js/", ".js", "text/javascript; charset=utf-8"),
    ("img/", ".svg", "image/svg+xml"),
];

/// `/assets/…`.
pub fn routes() -> BoxedFilter<(Response,)> {
    warp::path("assets")
        .and(warp::get().or(warp::head()).unify())
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .map(|path: FullPath, headers: HeaderMap| {
            let name = path.as_str().strip_prefix("/assets/").unwrap_or_default();
            file(name, &headers).unwrap_or_else(|| {
                Problem::new(Code::NotFound, "there is no such asset").into_response()
            })
        })
        .boxed()
}

/// The answer to a request for `web/<name>`; `None` when there is no such file for browsers.
pub(crate) fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let (_, _, content_type) = KINDS
        .into_iter()
        .find(|(folder, ending, _)| name.starts_with(folder) && name.ends_with(ending))?;
    // This project's file names need no other characters. Without `..`, `\`, `%` and NUL a path
    // cannot leave the folder.
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
        && !name.contains("..")
        && !name.contains("//");
    let bytes = if plain { read(name) } else { None }?;
    // Hexadecimal digits in quotes are a header value.
    let etag = HeaderValue::try_from(format!("\"{}\"", hex(&Sha256::digest(&bytes)[..16]))).ok()?;
    let known = reply::none_match(headers, &etag);
    let response = if known {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(bytes.into_owned().into())
    };
    let mut response = reply::with_etag(response, etag);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Some(response)
}

fn read(name: &str) -> Option<Cow<'static, [u8]>> {
    #[cfg(debug_assertions)]
    if let Ok(bytes) = std::fs::read(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("web")
            .join(name),
    ) {
        return Some(bytes.into());
    }
    Web::get(name).map(|file| file.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, known: Option<&str>) -> warp::http::Response<String> {
        let headers: Vec<_> = known
            .map(|known| ("if-none-match", known))
            .into_iter()
            .collect();
        crate::http::pages::samples::ask(routes(), "GET", path, &headers).await
    }

    #[tokio::test]
    async fn an_asset_is_sent_once() {
        let first = get("/assets/js/site.js", None).await;
        assert_eq!(first.status(), 200);
        assert_eq!(
            first.headers()["content-type"],
            "text/javascript; charset=utf-8"
        );
        assert_eq!(first.headers()["cache-control"], "no-cache");
        assert_eq!(first.headers()["x-content-type-options"], "nosniff");
        assert!(!first.body().is_empty());
        let etag = first.headers()["etag"].to_str().unwrap();
        for known in [
            etag.to_owned(),
            format!("\"other\", W/{etag}"),
            "*".to_owned(),
        ] {
            let second = get("/assets/js/site.js", Some(&known)).await;
            assert_eq!(
                (second.status().as_u16(), second.body().len()),
                (304, 0),
                "{known}"
            );
            assert_eq!(second.headers()["etag"], etag);
        }
        assert_eq!(
            get("/assets/js/site.js", Some("\"other\"")).await.status(),
            200
        );
    }

    #[tokio::test]
    async fn each_kind_says_what_it_is() {
        assert_eq!(
            get("/assets/css/tokens.css", None).await.headers()["content-type"],
            "text/css; charset=utf-8"
        );
        assert_eq!(
            get("/assets/img/mark.svg", None).await.headers()["content-type"],
            "image/svg+xml"
        );
        assert_eq!(
            get("/assets/js/transports/sse.js", None).await.status(),
            200
        );
    }

    // It must not read the source, the host's files, or what only the server needs.
    #[tokio::test]
    async fn nothing_else_is_served() {
        for path in [
            "/assets/",
            "/assets",
            "/assets/js/",
            "/assets/templates/layout.html",
            "/assets/locales/en/main.ftl",
            "/assets/js/../templates/layout.html",
            "/assets/js/../locales/en/main.ftl",
            "/assets/js/../../src/main.js",
            "/assets/js/%2e%2e/%2e%2e/Cargo.js",
            "/assets/js/..%2f..%2fx.js",
            "/assets//etc/passwd",
            "/assets/js//etc/x.js",
            "/assets/js/site.js%00.js",
            "/assets/css/site.js",
            "/assets/js/site.js/",
        ] {
            assert_eq!(get(path, None).await.status(), 404, "{path}");
        }
    }

    #[test]
    fn every_file_the_templates_name_exists() {
        for name in Web::iter().filter(|name| name.starts_with("templates/")) {
            let template = Web::get(&name).unwrap();
            for path in String::from_utf8_lossy(&template.data)
                .split("\"/assets/")
                .skip(1)
                .filter_map(|rest| rest.split_once('"').map(|(path, _)| path))
            {
                assert!(
                    file(path, &HeaderMap::new()).is_some(),
                    "{name} names {path}"
                );
            }
        }
    }
}
