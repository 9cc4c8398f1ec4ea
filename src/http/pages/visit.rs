//! One request for a page: path, query, sender, and the language of the response.

use std::net::{IpAddr, Ipv4Addr};

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::path::FullPath;

use crate::context::head::{RequestHead, request_head};
use crate::context::{Admission, Peer, Settings};
use crate::http::{language, query};
use crate::text::Texts;

/// What the handlers of pages need of a request.
#[derive(Debug)]
pub(super) struct Visit {
    /// The path, as it was sent.
    pub(super) path: String,
    /// The query without its question mark, maybe empty.
    pub(super) query: String,
    /// Headers, peer and host.
    pub(super) head: RequestHead,
    /// The texts of the response.
    pub(super) texts: Texts,
}

impl Visit {
    /// A value of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(&self.query).unwrap_or_default();
        pairs
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The absolute address of `path`; without a `Host` the path itself.
    pub(super) fn absolute(&self, settings: &Settings, path: &str) -> String {
        self.head.base_url(settings).unwrap_or_default() + path
    }

    /// The same visitor at `path`: a refused form is shown by the page it came from.
    pub(super) fn at(self, path: String) -> Self {
        Self { path, ..self }
    }

    /// The same visitor at another page, with a query.
    pub(super) fn with(&self, path: String, query: String) -> Self {
        Self {
            path,
            query,
            head: self.head.clone(),
            texts: self.texts,
        }
    }

    /// A visit with only its headers.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let peer = Peer {
            ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            secure: false,
        };
        let head = RequestHead {
            method: warp::http::Method::GET,
            headers: headers.clone(),
            peer,
            admission: Admission::Admitted,
            authority: None,
        };
        Self {
            path: "/".to_owned(),
            query: String::new(),
            head,
            texts: Texts::new(language::preferred(headers)),
        }
    }
}

/// Gathers a visit; never rejects.
pub(super) fn visit() -> BoxedFilter<(Visit,)> {
    let visit = |path: FullPath, query: String, head: RequestHead| Visit {
        path: path.as_str().to_owned(),
        query,
        texts: Texts::new(language::preferred(&head.headers)),
        head,
    };
    let parts = warp::path::full().and(query()).and(request_head());
    parts.map(visit).boxed()
}
