//! What transports read from a request.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderName, Method};

use crate::context::Context;
use crate::context::head::{RequestHead, request_head};
use crate::context::in_flight::InFlight;
use crate::domain::event::Slug;
use crate::domain::position::Position;
use crate::live::channel::Channel;
use crate::negotiation::etag::{self, KnownPositions};
use crate::negotiation::prefer;

/// WHATWG HTML, section 9.2.4.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The parts of a request that a transport looks at.
#[derive(Debug)]
pub(super) struct Request {
    /// `GET` or `HEAD`.
    pub(super) method: Method,
    /// Its fields, and whether it is within the limits.
    pub(super) head: RequestHead,
    /// The connection, for a switch to another protocol.
    pub(super) upgrade: Option<OnUpgrade>,
    /// The request's slot among those in flight, if it needs one.
    pub(super) in_flight: Option<InFlight>,
    query: Query,
}

/// The pairs of a request's query.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

/// The cursor that a client sends. An invalid one is never an error.
pub(super) type After = Option<Result<Position, ()>>;

/// Extracts the request; never refuses one.
pub(super) fn request() -> BoxedFilter<(Request,)> {
    let query = warp::query::raw().or_else(|_| async { Ok::<_, Infallible>((String::new(),)) });
    let (upgrade, in_flight) = (warp::ext::optional(), warp::ext::optional());
    warp::method()
        .and(request_head())
        .and(query)
        .and(upgrade)
        .and(in_flight)
        .map(|method, head, query: String, upgrade, in_flight| Request {
            method,
            head,
            upgrade,
            in_flight,
            query: Query::parse(&query),
        })
        .boxed()
}

impl Query {
    /// Reads a query; what is not UTF-8 is replaced.
    pub(super) fn parse(query: &str) -> Self {
        Self(serde_urlencoded::from_str(query).unwrap_or_default())
    }

    /// The first value of that name.
    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `?after=`, for those who cannot set a header.
    pub(super) fn after(&self) -> After {
        self.get("after").map(parse)
    }
}

impl Request {
    /// The first value of that name in the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name)
    }

    /// `?after=`, for those who cannot set a header.
    pub(super) fn after(&self) -> After {
        self.query.after()
    }

    /// The cursor of an event stream: `Last-Event-ID`, else `?last_event_id=`, else `?after=`.
    pub(super) fn last_event_id(&self) -> After {
        match self.head.headers.get(LAST_EVENT_ID) {
            Some(value) => Some(value.to_str().map_err(|_| ()).and_then(parse)),
            None => self
                .query("last_event_id")
                .map(parse)
                .or_else(|| self.after()),
        }
    }

    /// The position that a poll's client has: `If-None-Match`, else `?after=`.
    pub(super) fn known(&self) -> Option<KnownPositions> {
        etag::if_none_match(&self.head.headers)
            .or_else(|| Some(KnownPositions::These(self.after()?.into_iter().collect())))
    }

    /// For how many seconds a poll is willing to wait: `Prefer: wait=N`, else `?wait=N`.
    pub(super) fn wait(&self) -> Option<u64> {
        prefer::wait(&self.head.headers).or_else(|| self.query("wait").and_then(prefer::seconds))
    }
}

fn parse(text: &str) -> Result<Position, ()> {
    Position::from_str(text).map_err(|_| ())
}

/// The event of a path segment. For visitors a draft is none.
pub(super) fn channel(context: &Context, slug: &str) -> Option<Arc<Channel>> {
    any_channel(context, slug).filter(|channel| !channel.newest().event.is_draft())
}

/// The same for organisers.
pub(super) fn any_channel(context: &Context, slug: &str) -> Option<Arc<Channel>> {
    context.hub.channel(&Slug::parse(slug).ok()?)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use warp::http::HeaderMap;

    use super::*;
    use crate::context::{Admission, Peer};

    fn of(query: &str, headers: &[(&str, &str)]) -> Request {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_str(name).unwrap(), value.parse().unwrap());
        }
        Request {
            method: Method::GET,
            head: RequestHead {
                method: Method::GET,
                headers: map,
                peer: Peer {
                    ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                    secure: false,
                },
                admission: Admission::Admitted,
                authority: None,
            },
            upgrade: None,
            in_flight: None,
            query: Query::parse(query),
        }
    }

    fn at(revision: i64) -> Position {
        Position {
            epoch: "q7f2k9".parse().unwrap(),
            revision,
        }
    }

    #[test]
    fn a_header_wins_over_the_query_and_garbage_is_a_cursor_too() {
        let id = |query, headers: &[_]| of(query, headers).last_event_id();
        assert_eq!(id("", &[]), None);
        assert_eq!(id("after=q7f2k9-1", &[]), Some(Ok(at(1))));
        assert_eq!(
            id("after=q7f2k9-1&last_event_id=q7f2k9-2", &[]),
            Some(Ok(at(2)))
        );
        assert_eq!(
            id(
                "after=q7f2k9-1&last_event_id=q7f2k9-2",
                &[("last-event-id", "q7f2k9-3")]
            ),
            Some(Ok(at(3)))
        );
        assert_eq!(
            id("after=q7f2k9-1", &[("last-event-id", "garbage")]),
            Some(Err(()))
        );
        assert_eq!(id("after=", &[]), Some(Err(())));
        assert_eq!(id("after=%ff%00", &[]), Some(Err(())));
        assert_eq!(id("after=q7f2k9%2d4", &[]), Some(Ok(at(4))));
    }

    #[test]
    fn what_a_poll_knows_comes_from_the_tag_or_the_query() {
        assert_eq!(of("", &[]).known(), None);
        assert_eq!(
            of("after=q7f2k9-1", &[]).known(),
            Some(KnownPositions::These(vec![at(1)]))
        );
        assert_eq!(
            of("after=garbage", &[]).known(),
            Some(KnownPositions::These(vec![]))
        );
        assert_eq!(
            of("after=q7f2k9-1", &[("if-none-match", "\"q7f2k9-2\"")]).known(),
            Some(KnownPositions::These(vec![at(2)]))
        );
    }

    #[test]
    fn the_wait_comes_from_the_header_or_the_query() {
        assert_eq!(of("wait=3", &[]).wait(), Some(3));
        assert_eq!(of("wait=3", &[("prefer", "wait=9")]).wait(), Some(9));
        assert_eq!(of("wait=3", &[("prefer", "respond-async")]).wait(), Some(3));
        assert_eq!(of("wait=-3", &[]).wait(), None);
    }
}
