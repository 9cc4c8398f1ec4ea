//! Every URL. Live ones are `transport`'s, pages and assets are `http::pages`' and `http::assets`',
//! the rest is listed in [`urls::ALL`]. A rejection only means "not this route"; every refusal is
//! an answer.

use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, reject};

use crate::context::{Admission, Shared};
use crate::http::{self, assets, headers, pages, urls};
use crate::problem::Problem;
use crate::transport;

/// Everything that is served.
pub fn all(context: &Shared) -> BoxedFilter<(Response,)> {
    let routes = http::first_of([
        // Before the limit filter: registering checks the limit itself, and saves a filter in a
        // crowd.
        http::registering(context),
        over_limit(),
        transport::routes(context.clone(), http::frame_sentences, http::may_preview),
        not_taken(context),
        http::routes(context),
        pages::routes(context.clone()),
        assets::routes(),
        unanswered(context),
    ]);
    // The rare route comes first, so that its answers get the same headers as all others.
    let routes = http::conditional_reads(routes.clone()).or(routes).unify();
    warp::method()
        .and(warp::path::full())
        .and(http::auth::sends_credentials())
        .and(routes)
        .map(|method, path, credentials, response| {
            headers::finish(&method, &path, credentials, response)
        })
        .boxed()
}

/// 503 for a connection over a limit (docs/protocol.md, section 13). Transports refuse in their
/// own way, and the operator's probes are always answered.
fn over_limit() -> BoxedFilter<(Response,)> {
    let refuse = |admission: Admission, path: FullPath| async move {
        let spared = |path: &str| {
            path.starts_with(urls::HEALTH) || urls::find(path).is_some_and(|url| url.live)
        };
        if admission != Admission::OverLimit || spared(path.as_str()) {
            return Err(reject::not_found());
        }
        Ok(Problem::over_limit().into_response())
    };
    warp::ext::get::<Admission>()
        .and(warp::path::full())
        .and_then(refuse)
        .boxed()
}

/// Answers a method that an address does not take. Otherwise a route that takes any segment, such as
/// the id of a registration, would read the last word of another address as one.
fn not_taken(context: &Shared) -> BoxedFilter<(Response,)> {
    warp::method()
        .and(warp::path::full())
        .and_then(|method: Method, path: FullPath| async move {
            if urls::takes(&method, path.as_str()) {
                Err(reject::not_found())
            } else {
                Ok(())
            }
        })
        .untuple_one()
        .and(unanswered(context))
        .boxed()
}

/// Answers when no route matches: a page for people, a document for programs.
fn unanswered(context: &Shared) -> BoxedFilter<(Response,)> {
    let context = context.clone();
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .map(move |method: Method, path: FullPath, headers: HeaderMap| {
            if let Some(page) = urls::page_of_form(&method, path.as_str()) {
                return pages::see_other(page);
            }
            urls::unanswered(&method, path.as_str(), &headers).unwrap_or_else(|problem| {
                if path.as_str().starts_with("/api/") {
                    problem.into_response()
                } else {
                    pages::error_page(&context, &headers, &problem)
                }
            })
        })
        .boxed()
}
