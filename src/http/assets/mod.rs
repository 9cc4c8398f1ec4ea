//! Style sheets, scripts and images of `web/`, from the binary; in a debug build from the disk, so
//! that a change shows at once.
//!
//! A page names its assets below `/assets/<version>/`, and a module imports its neighbours, so all are of
//! one version. Under the version of now they are cached for a year; under any other, and without one,
//! they are revalidated each time, so that no page ever runs an old script with new markup. Never
//! serves templates or catalogues, and never anything outside the folders named here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};
use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::path::FullPath;
use warp::reply::Response;

use super::{compress, reply};
use crate::negotiation::encoding::accepts_gzip;
use crate::problem::{Code, Problem};
use crate::wire::digits::hex;

mod lean;

use self::lean::lean;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// The folders that browsers may read, and each file's media type.
const KINDS: [(&str, &str, &str); 3] = [
    ("css/", ".css", "text/css; charset=utf-8"),
    ("js/", ".js", "text/javascript; charset=utf-8"),
    ("img/", ".svg", "image/svg+xml"),
];

/// Digits of a version: 64 bits tell builds apart.
const VERSION_DIGITS: usize = 16;
/// How a template loads a style sheet; its name stands between.
const SHEET: &str = "<link rel=\"stylesheet\" href=\"/assets/css/";
const SHEET_END: &str = ".css\" />";
/// Compressed answers in memory: about 90 files, a few combinations for each page, and in a debug build what was
/// edited. Each takes a few KiB.
const COMPRESSED_MAX: usize = 512;
/// A year, the longest that caches keep (RFC 8246 for `immutable`).
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `/assets/…`.
pub fn routes() -> BoxedFilter<(Response,)> {
    warp::path("assets")
        .and(warp::get().or(warp::head()).unify())
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .map(|path: FullPath, headers: HeaderMap| {
            let name = path.as_str().strip_prefix("/assets/").unwrap_or_default();
            let (version, name) = match name.split_once('/') {
                Some((first, rest)) if is_version(first) => (Some(first), rest),
                Some(_) | None => (None, name),
            };
            let served = match version {
                Some(_) => lean(name).and_then(|(kind, bytes)| answer(kind, bytes, &headers)),
                None => file(name, &headers),
            };
            let Some(mut response) = served else {
                return Problem::new(Code::NotFound, "there is no such asset").into_response();
            };
            if version == Some(&*self::version()) {
                response
                    .headers_mut()
                    .insert(header::CACHE_CONTROL, FOREVER);
            }
            response
        })
        .boxed()
}

fn is_version(segment: &str) -> bool {
    segment.len() == VERSION_DIGITS && segment.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A page with the addresses of its assets under the version of now. Text of users cannot be changed: in
/// markup its quotes are escaped, and in JSON too.
pub(crate) fn with_versions(html: &str) -> String {
    let base = format!("/assets/{}/", version());
    let mut pieces = html.split(SHEET);
    let mut page = pieces.next().unwrap_or_default().to_owned();
    let (at, mut sheets) = (page.len(), Vec::new());
    for piece in pieces {
        let (sheet, rest) = piece.split_once(SHEET_END).unwrap_or((piece, ""));
        sheets.push(sheet);
        page.push_str(rest);
    }
    if !sheets.is_empty() {
        page.insert_str(at, &[SHEET, &sheets.join(","), SHEET_END].concat());
    }
    page.replace("href=\"/assets/", &format!("href=\"{base}"))
        .replace("src=\"/assets/", &format!("src=\"{base}"))
}

/// Differs when any asset differs. In a debug build a file on the disk may change at any time.
fn version() -> Cow<'static, str> {
    static BUILT: OnceLock<String> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        digest(|name, hash| {
            if let Some(file) = Web::get(name) {
                hash.update(&file.data);
            }
        })
    });
    if cfg!(debug_assertions) {
        Cow::Owned(digest(|name, hash| {
            let on_disk = std::fs::metadata(disk(name));
            if let Ok(modified) = on_disk.and_then(|file| file.modified()) {
                hash.update(format!("{modified:?}"));
            }
        }))
    } else {
        Cow::Borrowed(built)
    }
}

/// The version of the assets that `add` describes one by one.
fn digest(add: impl Fn(&str, &mut Sha256)) -> String {
    let mut hash = Sha256::new();
    for name in Web::iter().filter(|name| kind(name).is_some()) {
        hash.update(name.as_bytes());
        add(&name, &mut hash);
    }
    let mut version = hex(&hash.finalize());
    version.truncate(VERSION_DIGITS);
    version
}

/// The media type of a file for browsers.
fn kind(name: &str) -> Option<&'static str> {
    let mut kinds = KINDS.into_iter();
    kinds
        .find(|(folder, ending, _)| name.starts_with(folder) && name.ends_with(ending))
        .map(|(_, _, content_type)| content_type)
}

/// The answer to a request for `web/<name>`; `None` when there is no such file for browsers.
pub(crate) fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    answer(kind(name)?, plain(name)?, headers)
}

/// The file `web/<name>`, for browsers only.
fn plain(name: &str) -> Option<Cow<'static, [u8]>> {
    kind(name)?;
    // This project's file names need no other characters. Without `..`, `\`, `%` and NUL a path
    // cannot leave the folder.
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
        && !name.contains("..")
        && !name.contains("//");
    if plain { read(name) } else { None }
}

fn answer(kind: &'static str, bytes: Cow<'static, [u8]>, headers: &HeaderMap) -> Option<Response> {
    let digest = hex(&Sha256::digest(&bytes)[..16]);
    let is_compressed = accepts_gzip(headers);
    // Each coding is a representation with a tag of its own (RFC 9110, section 8.8.3.3).
    let suffix = if is_compressed { "-gzip" } else { "" };
    // Hexadecimal digits in quotes are a header value.
    let etag = HeaderValue::try_from(format!("\"{digest}{suffix}\"")).ok()?;
    let response = if reply::none_match(headers, &etag) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else if is_compressed {
        compress::response(compressed(digest, &bytes))
    } else {
        Response::new(bytes.into_owned().into())
    };
    let mut response = reply::with_etag(response, etag);
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    own.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    own.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Some(response)
}

/// The compressed bytes of an answer. Those of pages are compressed once; a client may ask for more
/// combinations of style sheets than are kept.
fn compressed(digest: String, bytes: &[u8]) -> Bytes {
    static DONE: Mutex<BTreeMap<String, Bytes>> = Mutex::new(BTreeMap::new());
    // The lock guards look-ups only; two requests may compress the same file, with the same result.
    let done = || DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = done().get(&digest).cloned();
    known.unwrap_or_else(|| {
        let made = compress::gzip(bytes);
        let mut done = done();
        if done.len() < COMPRESSED_MAX {
            done.insert(digest, made.clone());
        }
        made
    })
}

fn read(name: &str) -> Option<Cow<'static, [u8]>> {
    if cfg!(debug_assertions)
        && let Ok(bytes) = std::fs::read(disk(name))
    {
        return Some(bytes.into());
    }
    Web::get(name).map(|file| file.data)
}

/// The file in the working tree.
fn disk(name: &str) -> std::path::PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("web").join(name)
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
    async fn an_asset_is_kept_for_a_year_under_its_version_only() {
        let page = with_versions("<link href=\"/assets/css/base.css\" /><p>&#34;/assets/css/</p>");
        assert!(page.ends_with("<p>&#34;/assets/css/</p>"), "{page}");
        let path = page.split('"').nth(1).unwrap();
        let cached = |path: String| async move {
            let answer = get(&path, None).await;
            assert_eq!(answer.status(), 200, "{path}");
            answer.headers()["cache-control"].clone()
        };
        assert_eq!(cached(path.to_owned()).await, FOREVER);
        // A page of another build, which a rolling upgrade still shows.
        for path in [
            "/assets/0123456789abcdef/css/base.css",
            "/assets/css/base.css",
        ] {
            assert_eq!(cached(path.to_owned()).await, "no-cache");
        }
        for path in [
            "/assets/0123456789abcdef/",
            "/assets/0123456789abcdeg/css/base.css",
        ] {
            assert_eq!(get(path, None).await.status(), 404, "{path}");
        }
    }

    #[test]
    fn a_client_that_takes_gzip_gets_the_same_bytes_compressed() {
        use std::io::Read as _;
        let gzip = HeaderValue::from_static("gzip, deflate, br");
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, gzip)]);
        let plain = read("js/site.js").unwrap();
        let mut unpacked = Vec::new();
        let packed = compress::gzip(&plain);
        flate2::read::GzDecoder::new(&*packed)
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, *plain);
        let [coded, whole] =
            [&headers, &HeaderMap::new()].map(|headers| file("js/site.js", headers).unwrap());
        assert_eq!(coded.headers()["content-encoding"], "gzip");
        assert_eq!(whole.headers().get("content-encoding"), None);
        assert_ne!(coded.headers()["etag"], whole.headers()["etag"]);
        for response in [coded, whole] {
            assert_eq!(response.headers()["vary"], "Accept-Encoding");
        }
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
