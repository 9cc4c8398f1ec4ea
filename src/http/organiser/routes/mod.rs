//! The URLs of the organiser's API.

use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::http::first_of;

/// A call below `/api/v1`: its method, its path, its handler, and what the handler takes besides the
/// context and the head.
macro_rules! call {
    ($method:expr, $context:ident, [$($path:tt)*], $handler:expr $(, $more:expr)?) => {
        at!("api" / "v1" / $($path)*)
            .and($method)
            .and(with($context))
            .and(request_head())
            $(.and($more))?
            .then($handler)
            .map(answer)
            .boxed()
    };
}

macro_rules! get {
    ($($call:tt)*) => { call!(read(), $($call)*) };
}

macro_rules! post {
    ($($call:tt)*) => { call!(warp::post(), $($call)*) };
}

macro_rules! patch {
    ($($call:tt)*) => { call!(warp::patch(), $($call)*) };
}

macro_rules! delete {
    ($($call:tt)*) => { call!(warp::delete(), $($call)*) };
}

mod events;
mod server;
mod webhooks;

/// All of them.
pub(in crate::http) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        events::routes(context),
        server::routes(context),
        webhooks::routes(context),
    ])
}
