//! An endless answer, handed from a handler to the connection that writes it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::Stream;

use crate::wire::chunk::Chunk;

/// The chunks of an endless answer. The answer ends with them.
pub type Chunks = Pin<Box<dyn Stream<Item = Chunk> + Send>>;

/// Carried in the extensions of a response with an empty body. The connection's driver (`server`)
/// takes the chunks and writes them as an ordinary body, or straight to the socket.
#[derive(Clone)]
pub struct Live(Arc<Mutex<Option<Chunks>>>);

impl Live {
    /// An answer that sends `chunks` and ends with them.
    pub fn new(chunks: impl Stream<Item = Chunk> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(chunks)))))
    }

    /// The chunks; only the first call gets them.
    pub fn take(&self) -> Option<Chunks> {
        // Extensions must be `Clone + Sync`; the lock is held for this one move only.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}
