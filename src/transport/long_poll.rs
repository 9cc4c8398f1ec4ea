//! Long polling: a poll that waits for a change (RFC 7240, section 4.3).

use std::time::Duration;

use warp::http::HeaderValue;
use warp::reply::Response;

use super::{meter, poll};
use crate::context::in_flight::InFlight;
use crate::domain::clock::Clock;
use crate::domain::position::Position;
use crate::live::channel::Channel;
use crate::live::long_poll::{self, Waited};
use crate::live::permit::Permit;
use crate::live::presence::Transport;
use crate::negotiation::etag::KnownPositions;
use crate::negotiation::prefer;
use crate::problem::Problem;

/// The longest wait, in seconds. Proxies cut a silent answer after 60 s (nginx's
/// `proxy_read_timeout`), so the answer leaves 5 s earlier.
pub const LONGEST_WAIT_S: u64 = 55;

/// What a client has, and how it waits for more.
pub(super) struct Client {
    pub(super) known: Option<KnownPositions>,
    pub(super) wait_s: u64,
    /// The request's slot among those in flight, which it needs only while it does not wait.
    pub(super) in_flight: Option<InFlight>,
    /// How long it may wait, if not for everybody's event.
    pub(super) permit: Option<Permit>,
}

/// The answer to `client`.
pub(super) async fn answer(
    channel: &Channel,
    clock: &Clock,
    slug: &str,
    client: Client,
) -> Response {
    let wait_s = client.wait_s.min(LONGEST_WAIT_S);
    let mut response = match client.known {
        // A client that does not say what it has gets the count at once.
        None => poll::whole(&channel.newest()),
        Some(known) => match held(channel, &known, (wait_s, client.permit), client.in_flight).await
        {
            (present, Waited::Changed(newest)) => {
                // A change from before the request says nothing about the transport's delay.
                if known.has(&present) && newest.position() != present {
                    meter::observe(Transport::LongPoll, clock, &newest.count.message);
                }
                poll::whole(&newest)
            }
            (_, Waited::Unchanged(newest)) => poll::answer(&newest, Some(&known)),
            (_, Waited::Deleted) => return Problem::event_not_found(slug).into_response(),
        },
    };
    // A number makes a header value.
    let applied =
        HeaderValue::try_from(format!("wait={wait_s}")).expect("a preference is a header value");
    response
        .headers_mut()
        .insert(prefer::PREFERENCE_APPLIED, applied);
    response
}

/// The position at the start, and how the wait ended. `*` means the position at this moment.
async fn held(
    channel: &Channel,
    known: &KnownPositions,
    (wait_s, permit): (u64, Option<Permit>),
    in_flight: Option<InFlight>,
) -> (Position, Waited) {
    let present = channel.newest().position();
    let has = |position: &_| match known {
        KnownPositions::Any => *position == present,
        KnownPositions::These(_) => known.has(position),
    };
    if let Some(in_flight) = in_flight.filter(|_| wait_s > 0 && has(&present)) {
        in_flight.release();
    }
    let waits = long_poll::changed(channel, has, Duration::from_secs(wait_s));
    let waited = match permit {
        None => waits.await,
        // Somebody who may no longer see a draft learns nothing of it.
        Some(permit) => tokio::select! {
            waited = waits => waited,
            () = permit => Waited::Deleted,
        },
    };
    (present, waited)
}
