//! Why something in the outbox was not delivered, in the page's language.
//!
//! The outbox stores a line of English (`src/outbox/`), which the API shows as it is. Pages translate
//! what Headcount itself says, and quote what a receiver or the system says.

use crate::text::Texts;

/// Lines that stand alone, and their messages `unsent-<key>`.
const WHOLE: &[(&str, &str)] = &[
    ("the webhook was deleted", "webhook-deleted"),
    ("the webhook is not active", "webhook-inactive"),
    ("the registration was erased", "erased"),
    ("answered 410; the webhook is not active any more", "gone"),
    ("the name cannot be resolved", "unresolved"),
    ("cannot connect: timed out", "connect-slow"),
    ("the attempt took too long", "slow"),
    ("unknown kind of mail", "kind-unknown"),
    ("the event does not send this kind of mail", "kind-off"),
    ("the event was deleted", "event-deleted"),
    ("the registration is gone", "registration-gone"),
    ("the registration has no address", "no-email"),
    ("the registration is cancelled", "cancelled"),
    ("the registration has its places again", "has-places"),
    ("the registration has its places by now", "has-places"),
    ("the round is over", "round-over"),
    ("the link is too old", "link-old"),
    ("the person has registered", "registered"),
    ("the person wants no such mail", "unwanted"),
    (
        "a mail server has refused the address before",
        "refused-before",
    ),
    (
        "an address that has not proven itself gets one mail a day",
        "unproven",
    ),
    ("the address is not one that mail servers take", "email"),
];

/// Beginnings of lines, and their messages. The rest is `said`.
const BEGINNINGS: &[(&str, &str)] = &[
    (
        "the name leads to an address that is not public: ",
        "forbidden",
    ),
    ("cannot connect: Connection refused", "connect-refused"),
    ("cannot connect: Connection timed out", "connect-slow"),
    ("cannot connect: ", "connect"),
    ("TLS fails: ", "tls"),
    ("the system's certificates cannot be read: ", "certificates"),
    ("no answer by HTTP: ", "http"),
    ("no answer within ", "timeout"),
    ("no answer in time: ", "mail-timeout"),
    ("the mail cannot be written: ", "unwritable"),
    (
        "the mail server takes only addresses of ASCII letters",
        "ascii",
    ),
    ("the mail server offers no STARTTLS", "starttls"),
    // What the mail client says of the server.
    ("Connection error: ", "mail-connect"),
    ("Connection error", "mail-connect-alone"),
    ("network error: ", "mail-network"),
    ("tls error: ", "tls"),
    ("response error: ", "mail-response"),
];

/// Replies of mail servers, by the class of their code.
const REPLIES: &[(&str, &str)] = &[
    ("permanent error (", "mail-refused"),
    ("transient error (", "mail-deferred"),
];

/// A stored line as a sentence of the page.
pub(super) fn sentence(texts: Texts, stored: &str) -> String {
    // The words of others cannot end their own quotation.
    let stored = &stored.replace(['“', '”'], "'");
    let message = |key: &str, said: &str| texts.get1(format!("unsent-{key}"), "said", said);
    if let Some((_, key)) = WHOLE.iter().find(|(line, _)| *line == stored) {
        return message(key, "");
    }
    if let Some(rest) = stored.strip_prefix("answered ") {
        return answered(texts, rest);
    }
    for (beginning, key) in REPLIES {
        let reply = stored.strip_prefix(beginning);
        if let Some((code, said)) = reply.and_then(|reply| reply.split_once(')')) {
            return with_status(texts, key, code, said);
        }
    }
    for (beginning, key) in BEGINNINGS {
        if let Some(said) = stored.strip_prefix(beginning) {
            return message(key, said);
        }
    }
    message("other", stored)
}

/// What a receiver answered: its status, and perhaps its own words.
fn answered(texts: Texts, rest: &str) -> String {
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (status, said) = rest.split_at(end.unwrap_or(rest.len()));
    if said == ", and redirects are not followed" {
        return texts.get1("unsent-redirect", "status", status);
    }
    if said == " without a result" {
        return texts.get1("unsent-no-result", "status", status);
    }
    match said.strip_prefix(" with error ") {
        Some(code) => texts.get2("unsent-error", "status", status, "said", code),
        None => with_status(texts, "answered", status, said),
    }
}

/// A status with what was said after it; `unsent-<key>` is the message without words.
fn with_status(texts: Texts, key: &str, status: &str, said: &str) -> String {
    let said = said.trim_start_matches(':').trim();
    if said.is_empty() {
        texts.get1(format!("unsent-{key}"), "status", status)
    } else {
        texts.get2(format!("unsent-{key}-said"), "status", status, "said", said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    /// Every reason for which the outbox drops something, as its source has them.
    fn dropped() -> Vec<&'static str> {
        let sources = [
            include_str!("../../../outbox/webhook/mod.rs"),
            include_str!("../../../outbox/mail/mod.rs"),
        ];
        let mut found = Vec::new();
        for source in sources {
            for mark in ["Dropped(", "Ok(Err("] {
                let after = source.split(mark).skip(1).map(str::trim_start);
                let literal = after.filter_map(|after| after.strip_prefix('"'));
                found.extend(literal.filter_map(|after| after.split('"').next()));
            }
        }
        found
    }

    #[test]
    fn every_reason_is_translated() {
        let reasons = dropped();
        assert!(reasons.len() >= 15, "{reasons:?}");
        for texts in [Language::English, Language::Chinese].map(Texts::new) {
            for stored in &reasons {
                let quoted = texts.get1("unsent-other", "said", *stored);
                assert_ne!(sentence(texts, stored), quoted, "{stored}");
            }
        }
    }

    #[test]
    fn own_words_are_translated_and_those_of_others_are_quoted() {
        let chinese = Texts::new(Language::Chinese);
        for (stored, words) in [
            ("answered 404", "接收方返回 404。"),
            (
                "answered 404: no_service here",
                "接收方返回 404：“no_service here”",
            ),
            (
                "answered 302, and redirects are not followed",
                "接收方返回 302。不跟随重定向。",
            ),
            (
                "answered 200 with error 19001",
                "接收方返回 200，错误代码 19001。",
            ),
            (
                "cannot connect: Connection refused (os error 111)",
                "接收方拒绝连接。",
            ),
            ("no answer within 20 s", "20 s 内没有响应。"),
            (
                "permanent error (550): 5.1.1 … no such user",
                "邮件服务器拒收（550）：“5.1.1 … no such user”",
            ),
            ("something new", "“something new”"),
        ] {
            assert_eq!(sentence(chinese, stored), words);
        }
    }
}
