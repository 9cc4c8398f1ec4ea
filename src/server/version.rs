//! Which HTTP a connection speaks, seen from its first bytes.
//!
//! hyper knows HTTP/1.0 and HTTP/1.1 only, and answers any other version with 400. Two rules of
//! RFC 9110 (sections 2.5 and 15.6.6) need a look at the first request line before hyper's:
//!
//! - A later minor version of HTTP/1 is answered as HTTP/1.1 would be.
//! - Another major version is answered with 505.
//!
//! In both cases the digits become `1.1` on their way to hyper. The answer closes the connection,
//! so each request of such a client begins a connection and is seen here.

/// The start of an HTTP/2 connection without TLS (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The part of a request line before the version's digits.
const NAME: &[u8] = b"HTTP/";

/// The version in the first request line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Claimed {
    /// HTTP/1.1, HTTP/1.0, or nothing that could be read.
    #[default]
    Known,
    /// HTTP/1.2 to HTTP/1.9.
    LaterMinor,
    /// HTTP/0.9, HTTP/2.0 and the like.
    OtherMajor,
}

/// Parses the first request line of a connection, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct RequestLine {
    state: State,
    claimed: Claimed,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Before the method; empty lines are skipped (RFC 9112, section 2.2).
    #[default]
    Before,
    Method,
    Target,
    /// This many bytes of the version have passed.
    Version(usize),
    Over,
}

impl RequestLine {
    /// Whether there is nothing more to parse.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The version that was found.
    pub(super) fn claimed(&self) -> Claimed {
        self.claimed
    }

    /// Looks at the next bytes, and makes a version that hyper does not know HTTP/1.1.
    pub(super) fn pass(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.state = match (self.state, *byte) {
                (State::Over, _) => return,
                (State::Before, b'\r' | b'\n') => State::Before,
                (State::Before | State::Method, b' ') => State::Target,
                (State::Target, b' ') => State::Version(0),
                // A line that ends here has no version.
                (State::Method | State::Target, b'\n') => State::Over,
                (State::Before | State::Method, _) => State::Method,
                (State::Target, _) => State::Target,
                (State::Version(at), _) => self.version(at, byte),
            };
        }
    }

    fn version(&mut self, at: usize, byte: &mut u8) -> State {
        let next = State::Version(at + 1);
        match (at, *byte) {
            (0..5, byte) if NAME[at] == byte => next,
            (5, b'1') | (6, b'.') => next,
            (5, b'0'..=b'9') => {
                self.claimed = Claimed::OtherMajor;
                *byte = b'1';
                next
            }
            (7, b'0'..=b'9') => {
                match self.claimed {
                    Claimed::OtherMajor => *byte = b'1',
                    Claimed::Known if *byte > b'1' => {
                        self.claimed = Claimed::LaterMinor;
                        *byte = b'1';
                    }
                    Claimed::Known | Claimed::LaterMinor => {}
                }
                State::Over
            }
            _ => State::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_hyper_does_not_know_become_http_1_1_in_whichever_pieces_they_come() {
        for (line, passed, claimed) in [
            ("GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n", Claimed::Known),
            ("GET / HTTP/1.0\r\n", "GET / HTTP/1.0\r\n", Claimed::Known),
            (
                "GET / HTTP/1.2\r\n",
                "GET / HTTP/1.1\r\n",
                Claimed::LaterMinor,
            ),
            (
                "\r\nGET / HTTP/1.9\r\n",
                "\r\nGET / HTTP/1.1\r\n",
                Claimed::LaterMinor,
            ),
            (
                "GET / HTTP/2.0\r\n",
                "GET / HTTP/1.1\r\n",
                Claimed::OtherMajor,
            ),
            (
                "GET / HTTP/0.9\r\n",
                "GET / HTTP/1.1\r\n",
                Claimed::OtherMajor,
            ),
            (
                "GET /\r\nA: b HTTP/1.2\r\n",
                "GET /\r\nA: b HTTP/1.2\r\n",
                Claimed::Known,
            ),
            ("GET / http/1.2\r\n", "GET / http/1.2\r\n", Claimed::Known),
            (
                "GET / HTTP/1.1\r\nA: b HTTP/1.2",
                "GET / HTTP/1.1\r\nA: b HTTP/1.2",
                Claimed::Known,
            ),
        ] {
            for piece in [1, 3, 7, line.len()] {
                let mut seen = RequestLine::default();
                let mut bytes = line.as_bytes().to_vec();
                for piece in bytes.chunks_mut(piece) {
                    seen.pass(piece);
                }
                assert_eq!(bytes, passed.as_bytes(), "{line:?} by {piece}");
                assert_eq!(seen.claimed(), claimed, "{line:?} by {piece}");
            }
        }
    }
}
