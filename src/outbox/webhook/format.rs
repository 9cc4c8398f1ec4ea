//! The body that a receiver expects, and whether its answer says that it took it.

use serde_json::{Value, json};

use super::client::Answer;
use crate::domain::language::Language;
use crate::domain::webhook::{Format, Topic};
use crate::text::{TextValue, Texts};

/// Discord refuses longer messages; the other chats take more.
const MESSAGE_MAX: usize = 1_900;

/// The body of a message.
pub(super) fn body(format: Format, language: Language, payload: &Value) -> Value {
    if format == Format::Standard {
        return payload.clone();
    }
    let texts = Texts::new(language);
    let mut text = message(texts, payload);
    if let Some((end, _)) = text.char_indices().nth(MESSAGE_MAX) {
        text.truncate(end);
    }
    match format {
        Format::Standard => payload.clone(),
        // https://api.slack.com/reference/surfaces/formatting#escaping
        Format::Slack => json!({ "text": escaped(&text) }),
        // Nobody is called by a title that contains `@everyone`.
        Format::Discord => json!({ "content": text, "allowed_mentions": { "parse": [] } }),
        Format::Feishu => json!({ "msg_type": "text", "content": { "text": text } }),
        Format::DingTalk => {
            json!({ "msgtype": "text", "text": { "content": text }, "at": { "isAtAll": false } })
        }
        Format::WeCom => json!({ "msgtype": "text", "text": { "content": text } }),
    }
}

/// What went wrong, by the answer's body. The Chinese chats answer 200 with the code of an error.
pub(super) fn refusal(format: Format, answer: &Answer) -> Option<String> {
    let code = match format {
        Format::Standard | Format::Slack | Format::Discord => return None,
        Format::Feishu => ["code", "StatusCode"],
        Format::DingTalk | Format::WeCom => ["errcode", "errcode"],
    };
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let found = code.iter().find_map(|name| document[name].as_i64());
    match found {
        Some(0) => None,
        Some(code) => Some(format!("answered {} with error {code}", answer.status)),
        None => Some(format!("answered {} without a result", answer.status)),
    }
}

/// `Spring gala: registration No. 12 for 2 people. 12 of 20, 3 waiting`
fn message(texts: Texts, payload: &Value) -> String {
    let data = &payload["data"];
    let title = data["title"].as_str().unwrap_or_default();
    let topic = payload["type"].as_str().and_then(Topic::parse);
    let count = count(texts, &data["count"]);
    let what = topic.map(|topic| what(texts, topic, &data["registration"]));
    let what = what.unwrap_or_default();
    let values: [(_, &dyn TextValue); 3] = [("title", &title), ("what", &what), ("count", &count)];
    texts.get3("hook-message", values)
}

fn what(texts: Texts, topic: Topic, registration: &Value) -> String {
    let number = registration["number"].as_u64().unwrap_or_default();
    let people = registration["party_size"].as_u64().unwrap_or(1);
    let waits = registration["status"] == "waiting";
    let key = match topic {
        Topic::RegistrationCreated if waits => "hook-waiting",
        Topic::RegistrationCreated => "hook-created",
        Topic::RegistrationPromoted => "hook-promoted",
        Topic::RegistrationCancelled => "hook-cancelled",
        Topic::RegistrationChanged => "hook-changed",
        Topic::EventChanged => "hook-event-changed",
        Topic::EventCapacity => "hook-event-capacity",
        Topic::EventOpened => "hook-event-opened",
        Topic::EventClosed => "hook-event-closed",
        Topic::EventReset => "hook-event-reset",
        Topic::EventFull => "hook-event-full",
    };
    texts.get2(key, "number", number.to_string(), "people", people)
}

/// `12 of 20, 3 waiting`
fn count(texts: Texts, count: &Value) -> String {
    let number = |name: &str| count[name].as_u64();
    let registered = number("registered").unwrap_or_default();
    let waiting = number("waiting").unwrap_or_default();
    let taken = match number("capacity") {
        Some(capacity) => {
            let key = "hook-count-of";
            texts.get2(key, "registered", registered, "capacity", capacity)
        }
        None => texts.get1("hook-count", "registered", registered),
    };
    if waiting == 0 {
        return taken;
    }
    texts.get2("hook-count-waiting", "taken", taken, "waiting", waiting)
}

/// Slack's three control characters.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn payload(topic: &str) -> Value {
        json!({
            "type": topic,
            "timestamp": "2026-11-21T09:00:00.000Z",
            "data": {
                "event": "gala",
                "title": "Gala <b> & @everyone",
                "count": { "registered": 12, "capacity": 20, "waiting": 3 },
                "registration": { "number": 12, "party_size": 2, "status": "confirmed" },
            },
        })
    }

    #[test]
    fn chats_get_a_line_with_the_count() {
        let body = |format| body(format, Language::English, &payload("registration.created"));
        let text = "Gala <b> & @everyone: registration No. 12 for 2 people. 12 of 20, 3 waiting";
        assert_eq!(
            body(Format::Slack)["text"],
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        );
        let discord = body(Format::Discord);
        assert_eq!(
            (&discord["content"], &discord["allowed_mentions"]["parse"]),
            (&json!(text), &json!([]))
        );
        let feishu = body(Format::Feishu);
        assert_eq!(
            (&feishu["msg_type"], &feishu["content"]["text"]),
            (&json!("text"), &json!(text))
        );
        for format in [Format::DingTalk, Format::WeCom] {
            let sent = body(format);
            assert_eq!(
                (&sent["msgtype"], &sent["text"]["content"]),
                (&json!("text"), &json!(text))
            );
        }
        assert_eq!(body(Format::Standard), payload("registration.created"));
    }

    #[test]
    fn every_topic_has_its_words_in_both_languages() {
        for topic in Topic::ALL {
            for language in [Language::English, Language::Chinese] {
                let mut payload = payload(topic.as_str());
                payload["data"]["count"]["capacity"] = Value::Null;
                payload["data"]["count"]["waiting"] = json!(0);
                let text = body(Format::WeCom, language, &payload)["text"]["content"].to_string();
                assert!(!text.contains("hook-") && text.contains("12"), "{text}");
            }
        }
    }

    #[test]
    fn a_long_title_fits_discord() {
        let mut payload = payload("event.full");
        payload["data"]["title"] = json!("字".repeat(4_000));
        let sent = body(Format::Discord, Language::Chinese, &payload);
        assert!(sent["content"].as_str().unwrap().chars().count() <= 2_000);
    }

    #[test]
    fn chats_say_in_the_body_whether_they_took_it() {
        let answer = |body: &'static str| Answer {
            status: 200,
            body: Bytes::from_static(body.as_bytes()),
        };
        for (format, taken, refused) in [
            (
                Format::Feishu,
                r#"{"code":0,"msg":"success"}"#,
                r#"{"code":19021,"msg":"sign match fail"}"#,
            ),
            (Format::Feishu, r#"{"StatusCode":0}"#, "{}"),
            (
                Format::DingTalk,
                r#"{"errcode":0,"errmsg":"ok"}"#,
                r#"{"errcode":310000}"#,
            ),
            (
                Format::WeCom,
                r#"{"errcode":0}"#,
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
            ),
            (Format::WeCom, r#"{"errcode":0}"#, "<html>"),
        ] {
            assert_eq!(refusal(format, &answer(taken)), None);
            assert!(refusal(format, &answer(refused)).is_some(), "{refused}");
        }
        for format in [Format::Standard, Format::Slack, Format::Discord] {
            assert_eq!(refusal(format, &answer("")), None);
        }
    }
}
