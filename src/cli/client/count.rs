//! The count as a client reads it (docs/protocol.md, section 2).

use serde::{Deserialize, Deserializer};

use crate::domain::clock::Timestamp;
use crate::domain::position::Position;

/// The whole state of an event at one revision. Unknown fields are ignored, because a newer server
/// may send more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(in crate::cli) struct Count {
    /// The cursor of this state.
    #[serde(deserialize_with = "position")]
    pub(in crate::cli) position: Position,
    pub(in crate::cli) round: u32,
    /// `open`, `full`, …: only for display.
    pub(in crate::cli) state: String,
    pub(in crate::cli) capacity: Option<u32>,
    pub(in crate::cli) registered: u32,
    pub(in crate::cli) waiting: u32,
    /// The moment of the commit, by the server's clock.
    pub(in crate::cli) at: Timestamp,
    #[serde(default)]
    pub(in crate::cli) stale_since: Option<Timestamp>,
}

impl Count {
    pub(in crate::cli) fn revision(&self) -> i64 {
        self.position.revision
    }
}

fn position<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A count for the tests of this folder.
#[cfg(test)]
pub(in crate::cli) fn example(revision: i64, registered: u32) -> (Count, String) {
    let json = format!(
        r#"{{"event":"a","position":"q7f2k9-{revision}","revision":{revision},"round":1,"state":"open","capacity":100,"registered":{registered},"remaining":3,"over_by":0,"waiting":0,"at":"2026-11-21T09:00:00.123Z"}}"#
    );
    (serde_json::from_str(&json).unwrap(), json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_object_of_the_contract_and_more() {
        let (count, json) = example(128, 97);
        assert_eq!(
            (count.revision(), count.registered, count.capacity),
            (128, 97, Some(100))
        );
        let newer = json
            .replacen('{', r#"{"new":[1],"#, 1)
            .replace("\"capacity\":100", "\"capacity\":null");
        assert_eq!(
            serde_json::from_str::<Count>(&newer).unwrap().capacity,
            None
        );
        let stale = json.replacen('{', r#"{"stale_since":"2026-11-21T09:00:01.000Z","#, 1);
        assert!(
            serde_json::from_str::<Count>(&stale)
                .unwrap()
                .stale_since
                .is_some()
        );
        assert!(serde_json::from_str::<Count>(&json.replace("q7f2k9-128", "128")).is_err());
    }
}
