//! The overview of all events: those that are current, drafts, and the archive.

use super::spark::{self, Spark};
use crate::context::Context;
use crate::domain::event::Event;
use crate::http::pages::states;
use crate::http::pages::views::EventView;
use crate::text::Texts;

/// Events of one kind.
#[derive(Debug)]
pub(in crate::http::pages) struct Group {
    /// Its name in the page, and of its heading `group-<key>`.
    pub(in crate::http::pages) key: &'static str,
    pub(in crate::http::pages) rows: Vec<Row>,
}

/// One event.
#[derive(Debug)]
pub(in crate::http::pages) struct Row {
    pub(in crate::http::pages) event: EventView,
    /// How registration went lately; `None` for events that are too many to draw.
    pub(in crate::http::pages) spark: Option<Spark>,
}

fn is_current(event: &Event) -> bool {
    !event.archived && !event.is_draft()
}

fn is_unfinished(event: &Event) -> bool {
    !event.archived && event.is_draft()
}

fn is_archived(event: &Event) -> bool {
    event.archived
}

/// All groups, also those without events: another organiser may put one there.
pub(super) async fn all(context: &Context, texts: Texts) -> Vec<Group> {
    let mut sparks = spark::all(context, texts).await;
    let kinds = [
        ("current", is_current as fn(&Event) -> bool),
        ("drafts", is_unfinished),
        ("archive", is_archived),
    ];
    let mut groups = Vec::with_capacity(kinds.len());
    for (key, wanted) in kinds {
        let events = states::those(context, wanted).await;
        let rows = events.into_iter().map(|event| Row {
            spark: sparks.remove(event.slug.as_str()),
            event,
        });
        groups.push(Group {
            key,
            rows: rows.collect(),
        });
    }
    groups
}
