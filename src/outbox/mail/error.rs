//! What an error of the mail server says, without the address.

use lettre::transport::smtp::Error;

/// The longest text that is kept, in characters.
const LONGEST: usize = 300;
/// A shorter local part may be a word of the sentence.
const SHORTEST_LOCAL: usize = 3;

/// The text of an error for organisers and logs. Servers repeat the address in it, or its local
/// part: both are cut out.
pub(super) fn text(error: &Error, address: &str) -> String {
    redacted(&error.to_string(), address)
}

pub(super) fn redacted(text: &str, address: &str) -> String {
    const CUT: &str = "…";
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local = local.to_lowercase();
    let words = text.split_whitespace().map(|word| {
        let folded = word.to_lowercase();
        let has_local = local.chars().count() >= SHORTEST_LOCAL && folded.contains(&local);
        if word.contains('@') || has_local {
            CUT
        } else {
            word
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_reason_and_loses_the_address() {
        let address = "Ada.King@example.org";
        for (text, expected) in [
            (
                "permanent error (550): 5.1.1 <ada.king@example.org>: no such user",
                "permanent error (550): 5.1.1 … no such user",
            ),
            ("550 unknown user Ada.King\r\nbye", "550 unknown user … bye"),
            ("450 try again later", "450 try again later"),
        ] {
            assert_eq!(redacted(text, address), expected);
        }
        assert_eq!(redacted("450 a b", "a@example.org"), "450 a b");
        assert_eq!(redacted(&"x".repeat(900), address).len(), LONGEST);
    }
}
