//! Counts the lines of a file, as a text editor numbers them.

/// A position in a file that only moves forward.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// The beginning, on line 1.
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self {
            file,
            at: 0,
            line: 1,
        }
    }

    /// The line of the first record at or after this byte: line ends before it belong to earlier
    /// lines. A line ends with LF, CRLF or CR, as the reader of records takes it.
    pub(super) fn of_record(&mut self, byte: usize) -> u64 {
        let is_end = |at: usize| matches!(self.file.get(at), Some(b'\r' | b'\n'));
        let mut begin = byte;
        while is_end(begin) {
            begin += 1;
        }
        while self.at < begin.min(self.file.len()) {
            let ends = match self.file[self.at] {
                b'\n' => true,
                b'\r' => self.file.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for file in ["a\nb\n\nc", "a\r\nb\r\n\r\nc", "a\rb\r\rc"] {
            let mut lines = Lines::new(file.as_bytes());
            let byte = |letter| file.find(letter).unwrap();
            assert_eq!(lines.of_record(byte('a')), 1, "{file:?}");
            assert_eq!(lines.of_record(byte('b')), 2, "{file:?}");
            // From the end of the line before.
            assert_eq!(lines.of_record(byte('b') + 1), 4, "{file:?}");
            assert_eq!(lines.of_record(byte('c')), 4, "{file:?}");
            assert_eq!(lines.of_record(99), 4, "{file:?}");
        }
    }
}
