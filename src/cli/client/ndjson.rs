//! NDJSON (docs/protocol.md, section 4).

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::BodyExt as _;

use super::request::{self, Http};
use super::session::{Cut, Session};

/// The media type.
const NDJSON: &str = "application/x-ndjson";
/// The longest line of a server.
pub(super) const LONGEST: usize = 256 * 1024;

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let mut http = Http::new(session.target, session.meter);
    let resume = session
        .cursor()
        .map(|cursor| format!("?after={cursor}"))
        .unwrap_or_default();
    let path = session.target.path(&format!("/stream{resume}"));
    let response = http.get(&path, NDJSON, &[], Duration::ZERO).await?;
    let mut body = request::expect(response, NDJSON).await?.into_body();
    session.connected()?;
    let mut lines = Lines::default();
    while let Some(piece) = Session::alive(session.meter, body.frame()).await? {
        let piece = piece.map_err(|error| Cut::later(format!("the stream broke off: {error}")))?;
        let Some(data) = piece.data_ref() else {
            continue;
        };
        lines.0.extend_from_slice(data);
        for line in lines.by_ref() {
            let line = std::str::from_utf8(&line)
                .map_err(|_| Cut::Hopeless("a line that is not UTF-8".into()))?;
            session.envelope(line)?;
        }
        if lines.0.len() > LONGEST {
            return Err(Cut::Hopeless("a line without an end".into()));
        }
    }
    Err(Cut::later("the stream has ended"))
}

/// What was received and is not yet a whole line.
#[derive(Default)]
pub(super) struct Lines(pub(super) Vec<u8>);

impl Iterator for Lines {
    type Item = Vec<u8>;

    /// The next whole line that is not a heartbeat, without its end.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let end = self.0.iter().position(|&byte| byte == b'\n')?;
            let mut line: Vec<u8> = self.0.drain(..=end).collect();
            line.pop();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_that_come_byte_by_byte() {
        let wire = "{\"a\":1}\n\n\n{\"b\":\"ü\"}\n{\"c\"";
        for size in [1, 2, 3, 7, wire.len()] {
            let mut lines = Lines::default();
            let mut read = Vec::new();
            for piece in wire.as_bytes().chunks(size) {
                lines.0.extend_from_slice(piece);
                read.extend(lines.by_ref().map(|line| String::from_utf8(line).unwrap()));
            }
            assert_eq!(read, ["{\"a\":1}", "{\"b\":\"ü\"}"], "{size}");
            assert_eq!(lines.0, b"{\"c\"");
        }
    }
}
