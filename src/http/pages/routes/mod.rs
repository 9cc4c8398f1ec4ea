//! The URLs of the pages.

use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, reject};

use super::admin::flash;
use super::visit::visit;
use super::{answer, language};
use crate::context::Shared;
use crate::context::head::request_head;
use crate::http::{first_of, read, with};

/// A page: its path and its handler.
macro_rules! get {
    ($context:ident, [$($path:tt)*], $handler:expr) => {
        at!($($path)*)
            .and(read())
            .and(with($context))
            .and(visit())
            .then($handler)
            .boxed()
    };
}

/// What a form is sent to.
macro_rules! post {
    ($context:ident, [$($path:tt)*], $handler:expr) => {
        at!($($path)*)
            .and(warp::post())
            .and(with($context))
            .and(visit())
            .and(body())
            .then($handler)
            .boxed()
    };
}

/// What a form without fields is sent to.
macro_rules! post_empty {
    ($context:ident, [$($path:tt)*], $handler:expr) => {
        at!($($path)*)
            .and(warp::post())
            .and(with($context))
            .and(visit())
            .then($handler)
            .boxed()
    };
}

mod console;
mod public;

/// Every page.
pub fn routes(context: Shared) -> BoxedFilter<(Response,)> {
    let choice = warp::query::raw().and_then(|query: String| async move {
        if query.contains("lang=") {
            Ok(())
        } else {
            Err(reject::not_found())
        }
    });
    let chosen = read()
        .and(choice)
        .untuple_one()
        .and(with(&context))
        .and(visit())
        .and_then(|context: Shared, visit| async move {
            language::switch(&context.settings, &visit).ok_or_else(reject::not_found)
        })
        .boxed();
    // Not where a session begins: what leads on from there came with the address.
    let acting = first_of([
        public::mails(&context),
        console::access(&context),
        console::events(&context),
        console::webhooks(&context),
    ]);
    let acting = request_head()
        .and(acting)
        .map(|head, response| flash::sign(&head, response))
        .boxed();
    let pages = first_of([
        chosen,
        public::pages(&context),
        console::signing_in(&context),
        acting,
    ]);
    if context.settings.webtransport.is_none() {
        return pages;
    }
    request_head()
        .and(pages)
        .map(move |head, response| {
            let settings = &context.settings;
            let webtransport = settings.webtransport.as_ref();
            match webtransport.and_then(|webtransport| webtransport.origin(&head, settings)) {
                Some(origin) => answer::connecting(response, &origin),
                None => response,
            }
        })
        .boxed()
}
