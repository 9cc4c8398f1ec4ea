//! Puts a letter into a message (RFC 5322, RFC 2045) and an envelope (RFC 5321).

use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::letter::Letter;
use crate::domain::clock::Timestamp;
use crate::domain::person::Email;

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error("the address is not one that mail servers take")]
    Address,
    #[error("the mail cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the header {0} is not valid")]
    Header(&'static str),
}

/// The address as SMTP takes it: its domain in ASCII.
pub(super) fn address(email: &Email) -> Result<Address, Unwritable> {
    let local = email.as_str().rsplit_once('@').map(|(local, _)| local);
    let domain = email.key().rsplit_once('@').map(|(_, domain)| domain);
    match (local, domain) {
        (Some(local), Some(domain)) => Address::new(local, domain).map_err(|_| Unwritable::Address),
        (_, _) => Err(Unwritable::Address),
    }
}

/// The message as bytes, with its envelope. Only the address is in `To`: a name comes from the form,
/// and strangers could have written it.
pub(super) fn seal(
    letter: Letter,
    from: &Mailbox,
    to: Address,
    message_id: String,
    written: Timestamp,
) -> Result<(Envelope, Vec<u8>), Unwritable> {
    let millis = u64::try_from(written.as_millis()).unwrap_or(0);
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject)
        .message_id(Some(message_id))
        .date(date);
    // RFC 3834, section 5: nobody's program answers. The second is what Exchange looks for.
    let automatic = [
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
    ];
    for (name, value) in automatic.into_iter().chain(letter.headers) {
        let header = HeaderName::new_from_ascii(name.to_owned());
        let header = header.map_err(|_| Unwritable::Header(name))?;
        message = message.raw_header(HeaderValue::new(header, value));
    }
    let text = SinglePart::plain(letter.text);
    let body = match letter.html {
        Some(html) => MultiPart::alternative()
            .singlepart(text)
            .singlepart(SinglePart::html(html)),
        None => MultiPart::mixed().singlepart(text),
    };
    let body = match letter.calendar {
        Some(calendar) => {
            // Without `method`: the file is no scheduling message (RFC 6047). A constant of the right form.
            let kind = ContentType::parse("text/calendar; charset=utf-8").expect("a content type");
            let file = Attachment::new("event.ics".to_owned()).body(calendar, kind);
            MultiPart::mixed().multipart(body).singlepart(file)
        }
        None => body,
    };
    let message = message.multipart(body)?;
    Ok((message.envelope().clone(), message.formatted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(letter: Letter) -> String {
        let from = "Events <events@example.org>".parse().unwrap();
        let to = address(&Email::parse("Ada@bücher.example").unwrap()).unwrap();
        let id = "<7.1.headcount@example.org>".to_owned();
        let at = Timestamp::from_millis(1_795_251_600_123);
        let (envelope, bytes) = seal(letter, &from, to, id, at).unwrap();
        assert_eq!(envelope.to()[0].to_string(), "Ada@xn--bcher-kva.example");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_message_says_that_a_program_wrote_it_and_has_the_same_id_each_time() {
        let letter = Letter {
            subject: "你好 and hello".to_owned(),
            text: "line\n.\nafter".to_owned(),
            html: Some("<p>ü</p>".to_owned()),
            calendar: Some("BEGIN:VCALENDAR".to_owned()),
            headers: vec![("List-Unsubscribe", "<https://example.org/u>".to_owned())],
        };
        let (one, two) = (sealed(letter.clone()), sealed(letter));
        for line in [
            "Message-ID: <7.1.headcount@example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Unsubscribe: <https://example.org/u>\r\n",
            "To: Ada@xn--bcher-kva.example\r\n",
            "Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n",
            "multipart/alternative",
            "text/calendar; charset=utf-8",
            "filename=\"event.ics\"",
        ] {
            assert!(one.contains(line), "{line:?} in {one}");
        }
        assert!(one.is_ascii() && two.contains("7.1.headcount"));
        assert!(
            one.split("\r\n").all(|line| line.len() <= 998),
            "RFC 5322, 2.1.1"
        );
    }
}
