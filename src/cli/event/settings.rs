//! The settings of an event on the command line.

use clap::Args;
use serde_json::{Map, Value};

/// Settings of an event. `none` removes a limit, a moment or an address.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct Settings {
    /// The title.
    #[arg(long)]
    title: Option<String>,
    /// What it is about.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How many people may be confirmed: a number, or `none`.
    #[arg(long, value_name = "N", value_parser = limit)]
    capacity: Option<Value>,
    /// Whether a full event has a waiting list; `true` if no value is given.
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    waitlist: Option<bool>,
    /// The largest party that may register.
    #[arg(long, value_name = "N")]
    max_party_size: Option<u32>,
    /// When registering begins, e.g. 2026-12-01T09:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = text)]
    opens_at: Option<Value>,
    /// When registering ends.
    #[arg(long, value_name = "MOMENT", value_parser = text)]
    closes_at: Option<Value>,
    /// When the event begins.
    #[arg(long, value_name = "MOMENT", value_parser = text)]
    starts_at: Option<Value>,
    /// When the event ends.
    #[arg(long, value_name = "MOMENT", value_parser = text)]
    ends_at: Option<Value>,
    /// The zone of its times, e.g. Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Where it takes place.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// Where it takes place online, for people with a place.
    #[arg(long, value_name = "URL", value_parser = text)]
    online_url: Option<Value>,
    /// Whom to ask.
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Days after its end until everybody's data is erased: a number, or `none`.
    #[arg(long, value_name = "DAYS", value_parser = limit)]
    erase_after_days: Option<Value>,
    /// Any setting of the API by its name, e.g. public_chart=true. The value is JSON, or else text.
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    others: Vec<(String, Value)>,
}

pub(super) fn limit(given: &str) -> Result<Value, String> {
    match given {
        "none" => Ok(Value::Null),
        number => match number.parse::<u32>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err("a whole number, or none".to_owned()),
        },
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap's parsers return a result")]
fn text(given: &str) -> Result<Value, String> {
    Ok(match given {
        "none" => Value::Null,
        text => text.into(),
    })
}

fn pair(given: &str) -> Result<(String, Value), String> {
    let (name, value) = given
        .split_once('=')
        .ok_or("a setting is written as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    // Options have hyphens where the API has underscores.
    Ok((name.replace('-', "_"), value))
}

impl Settings {
    /// What was given, by the API's names.
    pub(super) fn given(&self) -> Map<String, Value> {
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let members = [
            ("title", text(&self.title)),
            ("description", text(&self.description)),
            ("capacity", self.capacity.clone()),
            ("waitlist", self.waitlist.map(Value::from)),
            ("max_party_size", self.max_party_size.map(Value::from)),
            ("opens_at", self.opens_at.clone()),
            ("closes_at", self.closes_at.clone()),
            ("starts_at", self.starts_at.clone()),
            ("ends_at", self.ends_at.clone()),
            ("time_zone", text(&self.time_zone)),
            ("location", text(&self.location)),
            ("online_url", self.online_url.clone()),
            ("contact", text(&self.contact)),
            ("erase_after_days", self.erase_after_days.clone()),
        ];
        let named = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        named.chain(self.others.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_or_text() {
        for (given, name, value) in [
            ("public_chart=true", "public_chart", json!(true)),
            ("max-party-size=3", "max_party_size", json!(3)),
            ("title=Spring = gala", "title", json!("Spring = gala")),
            ("capacity=null", "capacity", Value::Null),
            ("title=", "title", json!("")),
        ] {
            assert_eq!(pair(given), Ok((name.to_owned(), value)));
        }
        assert!(pair("title").is_err());
        assert_eq!(limit("none"), Ok(Value::Null));
        assert!(limit("-1").is_err() && limit("ten").is_err());
    }
}
