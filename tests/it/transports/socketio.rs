//! Socket.IO over polling, packet by packet. The browser tests use the real client.

use serde_json::{Value, json};

use super::{gala, join};
use crate::support::app::{Answer, App};

/// A client that polls.
pub(super) struct Polling<'a> {
    app: &'a App,
    path: String,
    packets: std::collections::VecDeque<String>,
}

impl<'a> Polling<'a> {
    /// Opens the engine's connection.
    pub(super) async fn open(app: &'a App) -> Self {
        let answer = app.get("/socket.io/?EIO=4&transport=polling").await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some("*")),
            "{}",
            answer.head
        );
        let open: Value =
            serde_json::from_str(answer.body.strip_prefix('0').expect("an open packet"))
                .expect("JSON");
        assert_eq!(open["maxPayload"], 4096);
        let sid = open["sid"].as_str().expect("a session");
        Self {
            app,
            path: format!("/socket.io/?EIO=4&transport=polling&sid={sid}"),
            packets: std::collections::VecDeque::new(),
        }
    }

    /// Opens it and joins with `auth`.
    pub(super) async fn join(app: &'a App, auth: Value) -> Self {
        let mut client = Self::open(app).await;
        client.send(&format!("40{auth}")).await;
        assert!(client.next().await.starts_with("40{\"sid\":"));
        client
    }

    /// The address of its session.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) async fn send(&self, packet: &str) -> Answer {
        self.app
            .call(
                "POST",
                &self.path,
                &[("content-type", "text/plain;charset=UTF-8")],
                packet,
            )
            .await
    }

    /// The next packet of the protocol above the engine's; pings are answered.
    pub(super) async fn next(&mut self) -> String {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                match packet.as_str() {
                    "2" => drop(self.send("3").await),
                    "6" => {}
                    _ => return packet,
                }
                continue;
            }
            let answer = self.app.get(&self.path).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            self.packets
                .extend(answer.body.split('\x1e').map(str::to_owned));
        }
    }

    /// The payload of the next event of that name.
    pub(super) async fn event(&mut self, name: &str) -> Value {
        loop {
            let packet = self.next().await;
            if let Some(payload) = packet
                .strip_prefix(&format!("42[\"{name}\","))
                .and_then(|rest| rest.strip_suffix(']'))
            {
                return serde_json::from_str(payload).expect("JSON");
            }
        }
    }
}

#[tokio::test]
async fn a_client_follows_one_event_and_then_another() {
    let (app, position) = gala(&[]).await;
    app.event("other", 5).await;
    let mut client = Polling::join(&app, json!({ "event": "gala" })).await;
    assert_eq!(client.event("count").await["position"], position.as_str());
    let newer = join(&app, 1).await;
    assert_eq!(client.event("count").await["position"], newer.as_str());

    client.send("421[\"watch\",\"nope\"]").await;
    assert_eq!(
        client.next().await,
        r#"431[{"code":"event-not-found","ok":false}]"#
    );
    client.send("422[\"watch\",\"other\"]").await;
    let ack = client.next().await;
    assert!(
        ack.starts_with(r#"432[{"ok":true,"count":{"event":"other","#),
        "{ack}"
    );
    assert_eq!(client.event("count").await["event"], "other");
    join(&app, 2).await;
    app.register("other", "Ada", "ada@example.org").await;
    let count = client.event("count").await;
    assert!(
        count["event"] == "other" && count["registered"] == 1,
        "{count}"
    );

    // At the newest position nothing is sent before the next change.
    let newest = super::position(&app).await;
    let mut current = Polling::join(&app, json!({ "event": "gala", "after": newest })).await;
    let newest = join(&app, 3).await;
    assert_eq!(current.event("count").await["position"], newest.as_str());
    app.stop().await;
}

#[tokio::test]
async fn an_unknown_event_is_refused_with_its_code_and_another_may_be_tried() {
    let (app, _) = gala(&[]).await;
    let mut client = Polling::open(&app).await;
    for auth in ["", r#"{"event":"nope"}"#] {
        client.send(&format!("40{auth}")).await;
        let packet = client.next().await;
        let error: Value =
            serde_json::from_str(packet.strip_prefix("44").expect("a refusal")).expect("JSON");
        assert!(
            error["data"]["code"] == "event-not-found" && error["message"].is_string(),
            "{error}"
        );
    }
    client.send("40/admin,").await;
    assert_eq!(
        client.next().await,
        r#"44/admin,{"message":"Invalid namespace"}"#
    );
    client.send(r#"40{"event":"gala"}"#).await;
    assert!(client.next().await.starts_with("40{\"sid\":"));
    app.stop().await;
}

#[tokio::test]
async fn a_session_receives_the_drain_and_the_end_of_its_event() {
    let (app, _) = gala(&["--drain", "2s"]).await;
    app.event("short", 5).await;
    let mut short = Polling::join(&app, json!({ "event": "short" })).await;
    short.event("count").await;
    app.organise("DELETE", "/api/v1/events/short", &Value::Null)
        .await;
    assert_eq!(short.event("bye").await["reason"], "deleted");
    assert_eq!(short.next().await, "41");

    let mut client = Polling::join(&app, json!({ "event": "gala" })).await;
    client.event("count").await;
    app.running
        .context
        .hub
        .drain(std::time::Duration::from_secs(1));
    assert_eq!(client.event("bye").await["reason"], "drain");
    app.stop().await;
}

#[tokio::test]
async fn a_too_large_or_malformed_packet_ends_the_connection() {
    let (app, _) = gala(&[]).await;
    for packet in [
        format!("42[\"watch\",\"{}\"]", "x".repeat(5_000)),
        "4z".to_owned(),
        "451-[\"x\",{\"_placeholder\":true,\"num\":0}]".to_owned(),
    ] {
        let client = Polling::join(&app, json!({ "event": "gala" })).await;
        client.send(&packet).await;
        let path = client.path.clone();
        let gone = async { while app.get(&path).await.status == 200 {} };
        tokio::time::timeout(super::SOON, gone)
            .await
            .expect("it is gone");
    }
    app.stop().await;
}
