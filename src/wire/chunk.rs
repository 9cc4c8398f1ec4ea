//! Bytes that serve as body data (HTTP/2, TLS, HTTP/1.0) and as an HTTP/1.1 chunk.

use bytes::{Bytes, BytesMut};

/// A piece of a streamed body, framed once as an HTTP/1.1 chunk (RFC 9112, section 7.1). The plain
/// data is a slice of it, so all watchers share one allocation for both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    framed: Bytes,
    start: u32,
}

impl Chunk {
    /// Frames `data`, which must not be empty: an empty chunk would end the body.
    pub fn new(data: &[u8]) -> Self {
        debug_assert!(!data.is_empty(), "an empty chunk ends the body");
        let head = format!("{:x}\r\n", data.len());
        let mut framed = BytesMut::with_capacity(head.len() + data.len() + 2);
        framed.extend_from_slice(head.as_bytes());
        framed.extend_from_slice(data);
        framed.extend_from_slice(b"\r\n");
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a head is at most 16 hexadecimal digits and a line end"
        )]
        let start = head.len() as u32;
        Self {
            framed: framed.freeze(),
            start,
        }
    }

    /// The data alone.
    pub fn data(&self) -> Bytes {
        self.framed
            .slice(self.start as usize..self.framed.len() - 2)
    }

    /// The data as a chunk of an HTTP/1.1 body.
    pub fn framed(&self) -> &Bytes {
        &self.framed
    }
}

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_hexadecimal_and_gives_the_data_back() {
        let chunk = Chunk::new(&[b'x'; 26]);
        assert_eq!(&chunk.framed()[..4], b"1a\r\n");
        assert_eq!(&chunk.framed()[30..], b"\r\n");
        assert_eq!(chunk.data(), vec![b'x'; 26]);
    }
}
