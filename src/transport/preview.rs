//! Organisers follow a draft, as long as they are allowed to.
//!
//! An account may be deleted or lose its role, a token may expire, a session may end, each on another
//! node as well. So the sender of a request is asked for again while its answer goes on.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::sleep;

use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::live::channel::Channel;
use crate::live::permit::Permit;
use crate::problem::Problem;

/// Whether the sender of a request may follow a draft: organisers may. An error says that this cannot
/// be known now.
pub type Preview = fn(Shared, RequestHead, String) -> BoxFuture<'static, Result<bool, Problem>>;

/// How often it is asked again. A question is one read by a key, and few people follow a draft.
const EVERY: Duration = Duration::from_secs(2);

/// Lasts as long as the sender of `head` may follow the draft of `channel`. Once the draft is
/// published, everybody may.
pub(super) fn permit(
    context: Shared,
    channel: &Arc<Channel>,
    preview: Preview,
    head: RequestHead,
) -> Permit {
    let channel = Arc::downgrade(channel);
    Permit::until(async move {
        loop {
            sleep(EVERY).await;
            // The streams of a deleted event end by themselves.
            let event = channel.upgrade().map(|channel| channel.newest().event);
            let Some(draft) = event.filter(|event| event.is_draft()) else {
                return pending().await;
            };
            let slug = draft.slug.to_string();
            if let Ok(false) = preview(Arc::clone(&context), head.clone(), slug).await {
                return;
            }
        }
    })
}
