//! The one rule of RFC 6455 that tungstenite leaves out: a payload's length is written in the
//! fewest bytes (section 5.2).

/// The longest prefix of a frame that tells its length: two bytes and a 64-bit length.
const LONGEST: usize = 10;
/// Bytes of a mask; a client always sends one (section 5.1).
const MASK: u64 = 4;
/// The largest length that the second byte holds by itself.
const SHORT: u64 = 125;

/// A payload's length takes more bytes than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotMinimal;

/// Follows a client's bytes from frame to frame, in pieces of any size.
#[derive(Debug, Default)]
pub struct Lengths {
    prefix: [u8; LONGEST],
    have: u8,
    /// Bytes of the mask and the payload that are still to come.
    rest: u64,
}

impl Lengths {
    /// Looks at the next bytes.
    pub fn check(&mut self, mut bytes: &[u8]) -> Result<(), NotMinimal> {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let passed = bytes
                    .len()
                    .min(usize::try_from(self.rest).unwrap_or(usize::MAX));
                self.rest -= passed as u64;
                bytes = &bytes[passed..];
                continue;
            }
            self.prefix[usize::from(self.have)] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            self.read_prefix()?;
        }
        Ok(())
    }

    /// Reads the length once all of its bytes are there.
    fn read_prefix(&mut self) -> Result<(), NotMinimal> {
        let prefix = &self.prefix[..usize::from(self.have)];
        let &[_, second, ref extended @ ..] = prefix else {
            return Ok(());
        };
        let (wanted, least) = match second & 0x7f {
            126 => (2, SHORT + 1),
            127 => (8, u64::from(u16::MAX) + 1),
            _ => (0, 0),
        };
        if extended.len() < wanted {
            return Ok(());
        }
        let length = match wanted {
            0 => u64::from(second & 0x7f),
            _ => extended
                .iter()
                .fold(0, |length, b| length << 8 | u64::from(*b)),
        };
        if length < least {
            return Err(NotMinimal);
        }
        let mask = if second & 0x80 == 0 { 0 } else { MASK };
        self.rest = length.saturating_add(mask);
        self.have = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(prefix: &[u8], length: usize) -> Vec<u8> {
        [prefix, &[1, 2, 3, 4], &vec![0xff; length]].concat()
    }

    #[test]
    fn a_length_is_written_in_the_fewest_bytes() {
        for (frame, expected) in [
            (masked(&[0x81, 0x80], 0), Ok(())),
            (masked(&[0x81, 0xfd], 125), Ok(())),
            (masked(&[0x81, 0xfe, 0, 126], 126), Ok(())),
            (masked(&[0x81, 0xfe, 0xff, 0xff], 65_535), Ok(())),
            (
                masked(&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
                Ok(()),
            ),
            (masked(&[0x81, 0xfe, 0, 125], 125), Err(NotMinimal)),
            (masked(&[0x81, 0xfe, 0, 0], 0), Err(NotMinimal)),
            (
                masked(&[0x89, 0xff, 0, 0, 0, 0, 0, 0, 0, 5], 5),
                Err(NotMinimal),
            ),
            (
                masked(&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 65_535),
                Err(NotMinimal),
            ),
        ] {
            let head = &frame[..frame.len().min(14)];
            assert_eq!(Lengths::default().check(&frame), expected, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_say_the_same(
            lengths in prop::collection::vec((0usize..200, any::<bool>()), 1..6),
            piece in 1usize..40,
        ) {
            let mut bytes = Vec::new();
            for (length, long) in &lengths {
                let short = u8::try_from(*length).ok().filter(|l| *l < 126 && !long);
                let prefix = match short {
                    Some(length) => vec![0x81, 0x80 | length],
                    None => vec![0x81, 0xfe, 0, u8::try_from(*length).unwrap()],
                };
                bytes.extend(masked(&prefix, *length));
            }
            let minimal = lengths.iter().all(|(length, long)| !long || *length > 125);
            let mut reader = Lengths::default();
            let read = bytes.chunks(piece).try_for_each(|piece| reader.check(piece));
            prop_assert_eq!(read.is_ok(), minimal);
        }
    }
}
