//! How an event's counts developed.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;

use super::details::Reader;
use super::{auth, find, rate, reply, urlencoded};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId};
use crate::domain::series::Step;
use crate::problem::{Code, Problem};
use crate::stats::series::{self, POINTS_MAX, Point, Range, SeriesError};

/// The parameters; an empty one counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    from: Option<String>,
    to: Option<String>,
    step: Option<String>,
}

#[derive(Serialize)]
struct Document {
    step: &'static str,
    points: Vec<Point>,
}

/// `GET /api/v1/events/{slug}/series`
pub(super) async fn get(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    let (reader, event) = opened(&context, &head, &slug).await?;
    let (step, points) = points(&context, &head, reader, &event, &query).await?;
    let text = reply::text(&Document {
        step: step.as_str(),
        points,
    });
    let etag = reply::content_etag(&text);
    Ok(reply::conditional(&head.headers, etag, text))
}

/// `GET /api/v1/events/{slug}/series.csv`
pub(super) async fn get_csv(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    let (reader, event) = opened(&context, &head, &slug).await?;
    let (_, points) = points(&context, &head, reader, &event, &query).await?;
    Ok(csv(&head.headers, &event, &points))
}

/// The event, if the sender may see how its counts developed.
async fn opened(
    context: &Context,
    head: &RequestHead,
    slug: &str,
) -> Result<(Reader, Arc<Event>), Problem> {
    let need = Permission::Read.on(slug);
    match find::known_to_all(context, slug).await {
        Ok(event) if event.public_chart => Ok((Reader::of(context, head, need).await, event)),
        // Only an organiser learns that there is no such event.
        _ => {
            auth::reader(context, head, need).await?;
            Ok((Reader::Organiser, find::event(context, slug).await?))
        }
    }
}

async fn points(
    context: &Context,
    head: &RequestHead,
    reader: Reader,
    event: &Event,
    query: &str,
) -> Result<(Step, Vec<Point>), Problem> {
    // A series is as expensive as a list, so visitors take turns.
    let _permit = match reader {
        Reader::Anybody => Some(rate::series(context, head.peer.ip).await?),
        Reader::Organiser => None,
    };
    let range = range(context, event.id, query).await?;
    let points = series::read(&context.store, event.id, range, context.clock.now()).await?;
    Ok((range.step, points))
}

/// Which steps. Without parameters: the whole history in the finest steps that the limit allows.
async fn range(context: &Context, event: EventId, query: &str) -> Result<Range, Problem> {
    let query: Query = urlencoded::read(query.as_bytes()).map_err(|error| {
        Problem::new(
            Code::BadRequest,
            format!("the query cannot be read: {error}"),
        )
    })?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let step = given(&query.step)
        .map(|word| Step::parse(&word).ok_or_else(|| refuse("step", "minute, hour or day")))
        .transpose()?;
    let from = moment("from", given(&query.from))?;
    let now = context.clock.now();
    // The step that contains this moment is part of the answer.
    let to = moment("to", given(&query.to))?.unwrap_or_else(|| now.plus(MILLISECOND));
    if from.is_some_and(|from| from > to) {
        return Err(refuse("from", "before its to"));
    }
    let Some(from) = from else {
        return whole(context, event, step, to).await;
    };
    let ranges = match step {
        Some(step) => vec![step],
        None => Step::ALL.to_vec(),
    };
    let mut ranges = ranges.into_iter().map(|step| Range {
        step,
        from: step.start(from),
        to,
    });
    ranges.find(fits).ok_or_else(|| {
        refuse(
            "from",
            &format!("at most {POINTS_MAX} steps before its to; take a longer step"),
        )
    })
}

const MILLISECOND: std::time::Duration = std::time::Duration::from_millis(1);

/// The history up to `to`: in the finest step that the limit allows, or as much of it as the limit
/// allows in `step`.
async fn whole(
    context: &Context,
    event: EventId,
    step: Option<Step>,
    to: Timestamp,
) -> Result<Range, Problem> {
    let created = series::first(&context.store, event, Step::Minute)
        .await?
        .unwrap_or(to)
        .min(to);
    let since = |step: Step| Range {
        step,
        from: step.start(created),
        to,
    };
    let finest = step.unwrap_or_else(|| {
        let mut steps = Step::ALL.into_iter();
        steps.find(|step| fits(&since(*step))).unwrap_or(Step::Day)
    });
    let range = since(finest);
    if fits(&range) {
        return Ok(range);
    }
    let last = to.as_millis() - POINTS_MAX * finest.millis();
    // One step later: the first and the last step may both be touched in part.
    let from = finest.start(Timestamp::from_millis(last + finest.millis()));
    Ok(Range { from, ..range })
}

fn fits(range: &Range) -> bool {
    range.points() <= POINTS_MAX
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| {
        let moment = text.trim().parse();
        moment.map_err(|_| refuse(name, "a moment such as 2026-11-21T09:00:00Z"))
    })
    .transpose()
}

fn refuse(name: &str, expected: &str) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!("the query's {name} must be {expected}"),
    )
}

fn csv(headers: &HeaderMap, event: &Event, points: &[Point]) -> Response {
    let mut text = String::from("at,registered,waiting,cancelled,watching\r\n");
    for point in points {
        let watching = point.watching.map(|watching| watching.to_string());
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "{},{},{},{},{}\r\n",
            point.at,
            point.registered,
            point.waiting,
            point.cancelled,
            watching.unwrap_or_default()
        );
    }
    let etag = reply::content_etag(text.as_bytes());
    let name = format!("attachment; filename=\"{}-series.csv\"", event.slug);
    let mut response = reply::conditional(headers, etag, text.into());
    if response.status() == warp::http::StatusCode::OK {
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        );
        // A slug is letters, digits and hyphens.
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(name).expect("a plain file name"),
        );
    }
    response
}

impl From<SeriesError> for Problem {
    fn from(error: SeriesError) -> Self {
        match error {
            SeriesError::Behind => Self::new(
                Code::Busy,
                "the event's history is still being added up; try again in a second",
            )
            .header(header::RETRY_AFTER, HeaderValue::from_static("1")),
            SeriesError::Store(error) => error.into(),
        }
    }
}
