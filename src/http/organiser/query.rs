//! Query strings of the organiser's lists.

use std::str::FromStr;

use serde::Deserialize;

use crate::domain::event::Event;
use crate::domain::registration::Status;
use crate::domain::search::Search;
use crate::http::urlencoded;
use crate::problem::{Code, Problem};
use crate::store::{Filter, Order};

/// Lines on a page unless the client asks for another number.
const LIMIT: u32 = 100;
/// A longer page would occupy a connection of the database for too long.
pub(in crate::http) const LIMIT_MAX: u32 = 1_000;

/// The parameters of lists, of imports and of deletions; an empty one counts as absent, so that a form can be submitted as
/// it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Query {
    status: Option<String>,
    q: Option<String>,
    round: Option<String>,
    sort: Option<String>,
    after: Option<String>,
    limit: Option<String>,
    /// Whether an import only says what would happen.
    dry_run: Option<String>,
    /// Repeats the slug where registrations would be lost.
    pub(super) confirm: Option<String>,
}

impl Query {
    /// Reads the raw query; unknown parameters are tolerated.
    pub(in crate::http) fn parse(raw: &str) -> Result<Self, Problem> {
        urlencoded::read(raw.as_bytes()).map_err(|error| {
            Problem::new(
                Code::BadRequest,
                format!("the query cannot be read: {error}"),
            )
        })
    }

    /// Which registrations; the current round unless another is named.
    pub(super) fn filter(&self, event: &Event) -> Result<Filter, Problem> {
        let status = match given(self.status.as_ref()) {
            None => None,
            Some(word) => Some(
                Status::parse(word)
                    .ok_or_else(|| refuse("status", "confirmed, waiting or cancelled"))?,
            ),
        };
        Ok(Filter {
            status,
            search: given(self.q.as_ref())
                .and_then(Search::parse)
                .unwrap_or_default(),
            round: number("round", self.round.as_ref())?.unwrap_or(event.round),
            order: self.order()?,
            after: number("after", self.after.as_ref())?.unwrap_or(0),
            limit: self.limit()?,
        })
    }

    fn order(&self) -> Result<Order, Problem> {
        let Some(word) = given(self.sort.as_ref()) else {
            return Ok(Order::default());
        };
        Order::parse(word).ok_or_else(|| {
            let words = Order::ALL.map(|(word, _)| word).join(", ");
            refuse("sort", &format!("one of {words}"))
        })
    }

    /// How many lines.
    pub(in crate::http) fn limit(&self) -> Result<u32, Problem> {
        match number("limit", self.limit.as_ref())?.unwrap_or(LIMIT) {
            0 => Err(refuse(
                "limit",
                &format!("a whole number from 1 to {LIMIT_MAX}"),
            )),
            limit => Ok(limit.min(LIMIT_MAX)),
        }
    }

    /// Whether to store nothing.
    pub(super) fn dry_run(&self) -> Result<bool, Problem> {
        match given(self.dry_run.as_ref()) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(refuse("dry_run", "true or false")),
        }
    }

    /// The key after which an audit page begins.
    pub(in crate::http) fn cursor(&self) -> Result<Option<i64>, Problem> {
        number("after", self.after.as_ref())
    }
}

fn given(parameter: Option<&String>) -> Option<&str> {
    parameter
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

fn number<T: FromStr>(name: &str, parameter: Option<&String>) -> Result<Option<T>, Problem> {
    given(parameter)
        .map(|text| text.parse().map_err(|_| refuse(name, "a whole number")))
        .transpose()
}

fn refuse(name: &str, expected: &str) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!("the query's {name} must be {expected}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parameters_are_absent_and_wrong_ones_are_named() {
        let query = Query::parse("status=&q=+&round=&after=&limit=&other=1").unwrap();
        assert_eq!(
            (query.limit().unwrap(), query.cursor().unwrap()),
            (LIMIT, None)
        );
        assert_eq!(
            Query::parse("limit=5000").unwrap().limit().unwrap(),
            LIMIT_MAX
        );
        assert_eq!(
            Query::parse("limit=0").unwrap().limit().unwrap_err().code(),
            Code::BadRequest
        );
        for (query, dry_run) in [
            ("", false),
            ("dry_run=true", true),
            ("dry_run=false", false),
        ] {
            assert_eq!(Query::parse(query).unwrap().dry_run().unwrap(), dry_run);
        }
        let doubtful = Query::parse("dry_run=yes").unwrap().dry_run();
        assert_eq!(doubtful.unwrap_err().code(), Code::BadRequest);
        let problem = Query::parse("limit=many").unwrap().limit().unwrap_err();
        assert!(problem.detail().contains("limit"), "{}", problem.detail());
        assert_eq!(
            Query::parse("sort=-at").unwrap().order().unwrap().as_str(),
            "-at"
        );
        let problem = Query::parse("sort=email").unwrap().order().unwrap_err();
        assert!(problem.detail().contains("-number"), "{}", problem.detail());
        assert_eq!(
            Query::parse("limit=1&limit=2").unwrap_err().code(),
            Code::BadRequest
        );
        assert_eq!(Query::parse("q=%FF").unwrap_err().code(), Code::BadRequest);
    }
}
