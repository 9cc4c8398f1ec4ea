//! Rate limits: of registering, of changing a registration, of opening the lab, of lists, series and
//! calendars.

use std::net::IpAddr;
use std::time::Duration;

use crate::context::Context;
use crate::context::render_queue::RenderPermit;
use crate::problem::{Code, Problem};

/// Counts one attempt to register from `address`.
pub(super) fn registration(context: &Context, address: IpAddr) -> Result<(), Problem> {
    context.throttle.registration(address).map_err(|wait| {
        too_many(
            "too many registrations from this address; nothing was stored",
            wait,
        )
    })
}

/// Counts one attempt to change a registration from `address`.
pub(super) fn change(context: &Context, address: IpAddr) -> Result<(), Problem> {
    context.throttle.change(address).map_err(|wait| {
        too_many(
            "too many changes of registrations from this address; nothing was changed",
            wait,
        )
    })
}

/// A permit to render a list of all events for `address`.
pub(super) async fn list(context: &Context, address: IpAddr) -> Result<RenderPermit<'_>, Problem> {
    let permit = context.throttle.lists.take(address).await;
    permit.map_err(|_| Problem::lists_waiting())
}

/// A permit to read how an event's counts developed, for `address`.
pub(super) async fn series(
    context: &Context,
    address: IpAddr,
) -> Result<RenderPermit<'_>, Problem> {
    let permit = context.throttle.series.take(address).await;
    permit.map_err(|_| Problem::lists_waiting())
}

/// A permit to render a calendar file for `address`.
pub(super) async fn calendar(
    context: &Context,
    address: IpAddr,
) -> Result<RenderPermit<'_>, Problem> {
    let permit = context.throttle.calendars.take(address).await;
    permit.map_err(|_| Problem::lists_waiting())
}

/// Counts one opening of the lab, from any address.
pub(super) fn lab(context: &Context) -> Result<(), Problem> {
    let wait = context.throttle.lab();
    wait.map_err(|wait| too_many("the lab was opened too often; nothing was stored", wait))
}

/// 429, RFC 6585, section 4.
pub(super) fn too_many(detail: &str, wait: Duration) -> Problem {
    Problem::new(Code::TooManyRequests, detail).retry_after(wait)
}
