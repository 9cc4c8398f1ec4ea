//! How an event is going: its chart and what is computed from it, for the console, a spare monitor
//! and, if the event allows it, everybody.

use std::time::Duration;

use super::chart::{self, ChartView};
use super::visit::Visit;
use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId};
use crate::domain::occasion::Occasion;
use crate::domain::series::Step;
use crate::http::find;
use crate::problem::Problem;
use crate::stats::series::{self, POINTS_MAX, Range};
use crate::stats::summary;
use crate::text::Texts;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// Since the event was created.
    All,
    /// The last 24 hours.
    Day,
    /// The last hour.
    Hour,
}

impl Span {
    const ALL: [Self; 3] = [Self::All, Self::Day, Self::Hour];

    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }

    /// As the query's `span` says; else the whole history.
    fn of(visit: &Visit) -> Self {
        let word = visit.parameter("span").unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        all.find(|span| span.as_str() == word).unwrap_or(Self::All)
    }
}

/// Everything that the partial `_dashboard.html` shows.
#[derive(Debug)]
pub(super) struct DashboardView {
    /// The address that has the same dashboard: a script reads it again.
    pub(super) source: String,
    /// Whether ranges, a comparison and the picture are offered.
    pub(super) has_controls: bool,
    /// The page's own address.
    pub(super) here: String,
    pub(super) spans: Vec<SpanLink>,
    /// Its chart, and that of the event to compare with.
    pub(super) charts: Vec<Charted>,
    /// What it can be compared with; empty for everybody but organisers.
    pub(super) others: Vec<Other>,
    pub(super) facts: Vec<Fact>,
    /// Refusals by reason, for organisers.
    pub(super) refusals: Vec<(String, u32)>,
    pub(super) span: &'static str,
}

/// A link to another range.
#[derive(Debug)]
pub(super) struct SpanLink {
    pub(super) key: String,
    pub(super) href: String,
    pub(super) current: bool,
}

/// An event's chart.
#[derive(Debug)]
pub(super) struct Charted {
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) chart: ChartView,
}

/// An event that the chart may be compared with.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) chosen: bool,
}

/// A value with its name.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) note: String,
    /// Whether the value is a sentence.
    pub(super) is_long: bool,
}

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everybody: the chart, without what only this node knows.
    Public,
    /// Organisers.
    Organisers,
}

/// Reads all of it. `here` is the page's own path, `source` the address that a script reads.
pub(super) async fn read(
    context: &Context,
    visit: &Visit,
    event: &Event,
    audience: Audience,
    (here, source): (&str, &str),
) -> Result<DashboardView, Problem> {
    let (span, now) = (Span::of(visit), context.clock.now());
    let mut charts = vec![drawn(context, event, span, now, visit.texts).await?];
    let organises = audience == Audience::Organisers;
    // A deleted event is no reason to show nothing.
    let other = match visit.parameter("beside").filter(|_| organises) {
        Some(slug) => find::event(context, &slug).await.ok(),
        None => None,
    };
    let other = other.filter(|other| other.id != event.id);
    if let Some(other) = &other {
        charts.push(drawn(context, other, span, now, visit.texts).await?);
    }
    let chosen = other.map(|other| other.slug.to_string());
    let query = |span: Span| {
        let beside = chosen.as_ref().map(|slug| format!("&beside={slug}"));
        format!("span={}{}", span.as_str(), beside.unwrap_or_default())
    };
    let channel = context.hub.channel_by_id(event.id).filter(|_| organises);
    let refusals = channel.map(|channel| channel.refusals.counts());
    Ok(DashboardView {
        source: format!("{source}?{}", query(span)),
        spans: Span::ALL
            .into_iter()
            .map(|one| SpanLink {
                key: format!("chart-span-{}", one.as_str()),
                href: format!("{here}?{}", query(one)),
                current: one == span,
            })
            .collect(),
        facts: facts(context, event, audience, now, visit.texts).await?,
        others: if organises {
            others(context, event.id, chosen.as_deref())
        } else {
            Vec::new()
        },
        refusals: refusals
            .unwrap_or_default()
            .into_iter()
            .map(|(code, count)| (visit.texts.get(format!("problem-{code}-title")), count))
            .collect(),
        span: span.as_str(),
        has_controls: true,
        here: here.to_owned(),
        charts,
    })
}

async fn drawn(
    context: &Context,
    event: &Event,
    span: Span,
    now: Timestamp,
    texts: Texts,
) -> Result<Charted, Problem> {
    let range = range(context, event.id, span, now).await?;
    let points = series::read(&context.store, event.id, range, now).await?;
    let zone = &event.occasion.time_zone;
    Ok(Charted {
        slug: event.slug.to_string(),
        title: event.title.clone(),
        chart: chart::draw(&points, range.step.millis(), texts, zone),
    })
}

async fn range(
    context: &Context,
    event: EventId,
    span: Span,
    now: Timestamp,
) -> Result<Range, Problem> {
    let to = Timestamp::from_millis(now.as_millis() + 1);
    let last = |length_ms: i64| {
        let from = Timestamp::from_millis(now.as_millis() - length_ms);
        let step = Step::Minute;
        Range {
            step,
            // The step after the one that began the range: both ends would be touched in part.
            from: Timestamp::from_millis(step.start(from).as_millis() + step.millis()),
            to,
        }
    };
    match span {
        Span::Hour => Ok(last(Step::Hour.millis())),
        Span::Day => Ok(last(Step::Day.millis())),
        Span::All => {
            let created = series::first(&context.store, event, Step::Minute).await?;
            let created = created.unwrap_or(now).min(now);
            let since = |step: Step| Range {
                step,
                from: step.start(created),
                to,
            };
            let mut finest = Step::ALL.into_iter().map(since);
            let fits = |range: &Range| range.points() <= POINTS_MAX;
            Ok(finest.find(fits).unwrap_or_else(|| {
                let days = now.as_millis() - (POINTS_MAX - 1) * Step::Day.millis();
                Range {
                    step: Step::Day,
                    from: Step::Day.start(Timestamp::from_millis(days)),
                    to,
                }
            }))
        }
    }
}

/// The newest events: a list of thousands is no choice.
const OTHERS_MAX: usize = 100;

fn others(context: &Context, own: EventId, chosen: Option<&str>) -> Vec<Other> {
    let channels = context.hub.channels();
    let events = channels.iter().rev().map(|channel| channel.newest().event);
    events
        .filter(|event| event.id != own)
        .take(OTHERS_MAX)
        .map(|event| Other {
            slug: event.slug.to_string(),
            title: event.title.clone(),
            chosen: chosen == Some(event.slug.as_str()),
        })
        .collect()
}

async fn facts(
    context: &Context,
    event: &Event,
    audience: Audience,
    now: Timestamp,
    texts: Texts,
) -> Result<Vec<Fact>, Problem> {
    let summary = summary::read(&context.store, event, now).await?;
    let fact = |key: &str, value: String, note: String| Fact {
        name: texts.get(format!("fact-{key}")),
        value,
        note,
        is_long: key == "fills",
    };
    let nothing = || texts.get("fact-unknown");
    let came = || texts.get("fact-rate-note");
    let number = |value: u32| texts.number(&value);
    let fills = summary.fills.and_then(|(earliest, latest)| {
        // Whole minutes: seconds would promise too much.
        let minute = |at| Step::Minute.start(at);
        texts.when(&Occasion {
            starts_at: Some(minute(earliest)),
            ends_at: Some(minute(latest.plus(Duration::from_mins(1)))),
            time_zone: event.occasion.time_zone.clone(),
            ..Occasion::default()
        })
    });
    let fills_note = if fills.is_some() {
        texts.get("fact-fills-note")
    } else {
        texts.get("fact-fills-none")
    };
    let mut facts = vec![
        fact("rate-5", number(summary.in_5_minutes), came()),
        fact("rate-60", number(summary.in_60_minutes), came()),
        fact("fills", fills.unwrap_or_else(nothing), fills_note),
    ];
    if audience == Audience::Public {
        return Ok(facts);
    }
    let here = context
        .hub
        .channel_by_id(event.id)
        .map_or(0, |channel| channel.presence.open());
    // Every node's report, also this one's; none on SQLite.
    let reported = context.store.watching_elsewhere("").await?;
    let watching = here.max(reported.get(&event.id).copied().unwrap_or(0));
    let watching = u32::try_from(watching).unwrap_or(u32::MAX);
    let most = summary.watching_most.unwrap_or(0).max(watching);
    let most = texts.get1("fact-watching-most", "n", most);
    facts.push(fact("watching", number(watching), most));
    let ms = |took: Duration| format!("{:.0} ms", took.as_secs_f64() * 1_000.0);
    // Without a canary nobody measures: an operator's option, which an organiser cannot change.
    if let Some((median, worst)) = context.hub.delivery().quantiles() {
        let value = format!("{} / {}", ms(median), ms(worst));
        facts.push(fact("delivery", value, texts.get("fact-delivery-note")));
    }
    Ok(facts)
}
