//! The list of registrations in an event's console: its filter, its order and its pages.

use crate::domain::access::Permission;
use crate::domain::event::Event;
use crate::domain::registration::{Registration, Status};
use crate::domain::search::Search;
use crate::http::organiser::registrations::{self, Page};
use crate::http::pages::questions;
use crate::http::pages::views::RegistrationRow;
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::Problem;
use crate::store::{Filter, Order, Store};

/// Registrations on one page of the table.
const PAGE: u32 = 50;

/// The list as the page shows it.
#[derive(Debug)]
pub(in crate::http::pages) struct List {
    pub(in crate::http::pages) rows: Vec<RegistrationRow>,
    /// How many there are on all pages.
    pub(in crate::http::pages) total: u32,
    pub(in crate::http::pages) narrowing: ListQuery,
    /// Which round is shown. It may be over.
    pub(in crate::http::pages) round: u32,
    /// Queries of the pages before and after this one.
    pub(in crate::http::pages) previous: Option<String>,
    pub(in crate::http::pages) next: Option<String>,
    /// The query of this page, for the forms in it.
    pub(in crate::http::pages) here: String,
    /// The query of the file with everything that the list shows, on all pages.
    pub(in crate::http::pages) file: String,
    /// Whether the reader may change what it lists.
    pub(in crate::http::pages) manages: bool,
}

impl List {
    /// The query of the list in the order of a column, and of the other direction if it has that order
    /// already. A name has one direction.
    pub(in crate::http::pages) fn sorted_by(&self, column: &str) -> String {
        let reversed = format!("-{column}");
        let sort = match (self.order_of(column), Order::parse(&reversed)) {
            (Some("ascending"), Some(_)) => reversed,
            (Some(_) | None, _) => column.to_owned(),
        };
        let list = ListQuery {
            sort,
            ..self.narrowing.clone()
        };
        list.page(None, None)
    }

    /// The value of `aria-sort` for a column, if the list has its order.
    pub(in crate::http::pages) fn order_of(&self, column: &str) -> Option<&'static str> {
        let sort = match self.narrowing.sort.as_str() {
            "" => Order::default().as_str(),
            sort => sort,
        };
        match sort.strip_prefix('-') {
            Some(descending) => (descending == column).then_some("descending"),
            None => (sort == column).then_some("ascending"),
        }
    }

    /// The message that describes an order.
    pub(in crate::http::pages) fn sort_key(word: &str) -> String {
        // `-at` is `sort-at-down`: a message's name begins with a letter.
        match word.strip_prefix('-') {
            Some(by) => format!("sort-{by}-down"),
            None => format!("sort-{word}"),
        }
    }
}

/// Reads the page that a query asks for. Invalid values are ignored: the address may be old or typed
/// by hand.
pub(super) async fn show(
    store: &Store,
    visit: &Visit,
    event: &Event,
    session: &Session,
) -> Result<List, Problem> {
    let narrowing = ListQuery::of(&visit.query);
    let shows_addresses = session.has(Permission::ReadAddresses);
    let filter = match narrowing.filter(event) {
        filter if shows_addresses => filter,
        filter => filter.of_names(),
    };
    let round = filter.round;
    // Always names the round: a reset must not change what is downloaded.
    let shown = ListQuery {
        round: round.to_string(),
        ..narrowing.clone()
    };
    let Page {
        rows, total, next, ..
    } = match narrowing.before {
        // Read backwards, the page before is the page after.
        Some(before) => {
            let backwards = Filter {
                order: filter.order.reversed(),
                after: before,
                ..filter
            };
            let mut page = registrations::page(store, event.id, backwards).await?;
            page.rows.reverse();
            page
        }
        None => registrations::page(store, event.id, filter).await?,
    };
    let ends = [rows.first(), rows.last()].map(|row| Some(row?.registration.locator.number));
    let (before, after) = match narrowing.before {
        // Further back there may be more; forwards is the page that we came from.
        Some(_) => (next.and(ends[0]), ends[1]),
        None => (narrowing.after.and(ends[0]), next),
    };
    let answers =
        |row: &Registration| questions::shown(visit.texts, &event.questions, &row.answers);
    Ok(List {
        rows: rows
            .iter()
            .map(|row| RegistrationRow::new(row, answers(&row.registration)))
            .map(|row| {
                if shows_addresses {
                    row
                } else {
                    row.without_address()
                }
            })
            .collect(),
        total,
        round,
        previous: before.map(|number| narrowing.page(Some(number), None)),
        next: after.map(|number| narrowing.page(None, Some(number))),
        here: narrowing.page(narrowing.before, narrowing.after),
        file: shown.page(None, None),
        manages: session.has(Permission::Manage),
        narrowing,
    })
}

/// What a query asks for.
#[derive(Debug, Clone)]
pub(in crate::http::pages) struct ListQuery {
    pub(in crate::http::pages) q: String,
    pub(in crate::http::pages) status: String,
    round: String,
    pub(in crate::http::pages) sort: String,
    /// The numbers of the registrations beside which the page begins.
    before: Option<u32>,
    after: Option<u32>,
}

impl ListQuery {
    /// Reads a query. What the list does not know is left out: the API would refuse it.
    pub(super) fn of(query: &str) -> Self {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let value = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map_or("", |(_, value)| value.trim()).to_owned()
        };
        let number = |name: &str| value(name).parse::<u32>().ok().filter(|number| *number > 0);
        let status = Status::parse(&value("status")).map_or("", Status::as_str);
        let sort = Order::parse(&value("sort")).map_or("", Order::as_str);
        Self {
            q: value("q"),
            status: status.to_owned(),
            round: number("round").map_or_else(String::new, |round| round.to_string()),
            sort: sort.to_owned(),
            before: number("before"),
            after: number("after"),
        }
    }

    /// Whether a query is about the list.
    pub(super) fn is_in(query: &str) -> bool {
        !Self::of(query).here().is_empty()
    }

    /// The query of the same list, from another registration on.
    fn page(&self, before: Option<u32>, after: Option<u32>) -> String {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let pairs = [
            ("q", Some(self.q.clone())),
            ("status", Some(self.status.clone())),
            ("round", Some(self.round.clone())),
            ("sort", Some(self.sort.clone())),
            ("before", number(before)),
            ("after", number(after)),
        ];
        let given = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|(_, value)| !value.is_empty());
        // Text always becomes a query.
        serde_urlencoded::to_string(given.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// The query of this very page.
    pub(super) fn here(&self) -> String {
        self.page(self.before, self.after)
    }

    fn filter(&self, event: &Event) -> Filter {
        let round = self.round.parse().ok();
        Filter {
            status: Status::parse(&self.status),
            search: Search::parse(&self.q).unwrap_or_default(),
            round: round
                .filter(|round| (1..=event.round).contains(round))
                .unwrap_or(event.round),
            order: Order::parse(&self.sort).unwrap_or_default(),
            after: self.after.unwrap_or(0),
            limit: PAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    #[test]
    fn a_search_takes_what_makes_sense() {
        let event = Event {
            round: 3,
            ..samples::event()
        };
        let plain = ListQuery::of("").filter(&event);
        assert_eq!((plain.status, plain.round, plain.after), (None, 3, 0));
        assert_eq!(plain.search, Search::default());
        let full = ListQuery::of("q=+%E6%9D%8E+&status=waiting&round=2&after=50&sort=-at");
        assert_eq!(full.q, "李");
        let filter = full.filter(&event);
        assert_eq!(
            (filter.status, filter.round, filter.after, filter.order),
            (Some(Status::Waiting), 2, 50, Order::parse("-at").unwrap())
        );
        let odd =
            ListQuery::of("status=gone&round=4&after=-1&sort=x&done=cancelled").filter(&event);
        assert_eq!((odd.status, odd.round, odd.after), (None, 3, 0));
        assert_eq!(odd.order, Order::default());
    }

    #[test]
    fn a_heading_sorts_and_a_second_time_the_other_way() {
        let list = |query: &str| List {
            rows: Vec::new(),
            total: 0,
            narrowing: ListQuery::of(query),
            round: 1,
            previous: None,
            next: None,
            here: String::new(),
            file: String::new(),
            manages: true,
        };
        for (query, column, order, link) in [
            ("", "number", Some("ascending"), "sort=-number"),
            ("", "name", None, "sort=name"),
            (
                "sort=name&q=x&after=7",
                "name",
                Some("ascending"),
                "q=x&sort=name",
            ),
            ("sort=-at", "at", Some("descending"), "sort=at"),
            ("sort=-at", "number", None, "sort=number"),
        ] {
            let list = list(query);
            assert_eq!(list.order_of(column), order, "{query}");
            assert_eq!(list.sorted_by(column), link, "{query}");
        }
    }

    #[test]
    fn the_query_of_a_page_is_that_of_its_list() {
        let here = |query| ListQuery::of(query).here();
        assert_eq!(here(""), "");
        assert_eq!(
            here("done=cancelled&q=a+%26+b&status=waiting&sort=name&round=2&after=7&x=y"),
            "q=a+%26+b&status=waiting&round=2&sort=name&after=7"
        );
        assert_eq!(here("status=gone&round=x&sort=email&after=-1"), "");
        assert_eq!(here("before=9&csrf=secret"), "before=9");
        assert_eq!(here("q=%0D%0Ax%23y"), "q=x%23y");
    }
}
