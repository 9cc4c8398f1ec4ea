//! What is served.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::linger::RequestBody;

type BoxError = Box<dyn Error + Send + Sync>;

/// A tower service such as `warp::service(routes)`, with or without layers. Everything of this
/// shape implements it.
pub trait Application:
    Service<
        Request<RequestBody>,
        Response = Response<<Self as Application>::Body>,
        Error: Into<BoxError> + Send,
        Future: Send,
    > + Clone
    + Send
    + 'static
{
    /// Of its answers.
    type Body: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;
}

impl<S, B> Application for S
where
    S: Service<
            Request<RequestBody>,
            Response = Response<B>,
            Error: Into<BoxError> + Send,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Body = B;
}
