//! Every technique side by side, and the event that its buttons fill.
//!
//! The page measures in the browser (`web/js/compare/`). This module gives it its texts, its number and permission to embed
//! one frame.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, embedding, page, problem_page, see_other};
use super::states;
use super::templates::ComparePage;
use super::views::TechniqueView;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::event::{Capacity, NewEvent, Slug};
use crate::http::incoming::Incoming;
use crate::http::text::Texts;
use crate::http::{auth, find, rate};
use crate::problem::{Code, Problem};
use crate::store::CreateError;

/// The event for trying things out, so that no made-up person ever stands in a real one. It is not listed on `/`.
pub(super) const LAB: &str = "lab";

/// In the order in which they are taught; the page ranks them by what it measures.
const TECHNIQUES: [&str; 6] = ["sse", "websocket", "socketio", "long-poll", "frame", "poll"];

/// `GET /e/{slug}/compare`.
pub(super) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let shown = match states::by_slug(&context, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let techniques = TECHNIQUES
        .into_iter()
        .map(|key| technique(visit.texts, key))
        .collect();
    let template = ComparePage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(),
        is_lab: slug == LAB,
        techniques,
    };
    embedding(page(&visit, StatusCode::OK, Keep::Revalidated, &template))
}

fn technique(texts: Texts, key: &'static str) -> TechniqueView {
    let text = |part: &str| texts.get(format!("technique-{key}-{part}"));
    TechniqueView {
        key,
        name: text("name"),
        how: text("how"),
        pick: text("pick"),
        mind: text("mind"),
    }
}

/// `POST /compare/lab`: makes the event if it is not there, and leads to it.
pub(super) async fn open_lab(context: Shared, visit: Visit) -> Response {
    match ensure(&context, &visit.incoming).await {
        Ok(()) => see_other(&format!("/e/{LAB}/compare")),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// Anybody may ask for it, so it counts as much as a registration does, and makes one fixed event at most.
async fn ensure(context: &Context, incoming: &Incoming) -> Result<(), Problem> {
    auth::refuse_cross_site(&context.settings, incoming)?;
    rate::registration(context, incoming.peer.ip)?;
    match find::event(context, LAB).await {
        Ok(_) => return Ok(()),
        Err(problem) if problem.code() == Code::EventNotFound => {}
        Err(problem) => return Err(problem),
    }
    let new = NewEvent {
        // A constant of the right form.
        slug: Slug::parse(LAB).expect("a valid slug"),
        title: "Lab · 实验室".to_owned(),
        description:
            "For trying things out: everybody here is made up.\n仅供试验，这里的人都是虚构的。"
                .to_owned(),
        capacity: Capacity::UNLIMITED,
        waitlist: false,
        opens_at: None,
        closes_at: None,
    };
    match context.registrar.create(new, Actor::Visitor).await {
        Ok(_) => Ok(()),
        // Another visitor, maybe on another node, was faster.
        Err(CreateError::SlugTaken) => find::event(context, LAB).await.map(drop),
        Err(error) => Err(error.into()),
    }
}
