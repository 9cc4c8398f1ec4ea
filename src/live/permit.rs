//! What a long-lived answer depends on beside its event: an account or a token, which may end first.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Ready once the answer is no longer allowed. For its reader the event is then gone.
pub struct Permit(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Permit {
    /// A permit that lasts until `revoked` is ready.
    pub fn until(revoked: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(revoked))
    }
}

impl Future for Permit {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
