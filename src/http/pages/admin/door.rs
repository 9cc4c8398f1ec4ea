//! The list for the entrance: who has a place, by name, to be printed and ticked off.

use warp::http::StatusCode;
use warp::reply::Response;

use super::reader;
use super::templates::AdminDoorPage;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::registration::Status;
use crate::http::organiser::LIMIT_MAX;
use crate::http::organiser::registrations;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::states;
use crate::http::pages::views::RegistrationRow;
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::Problem;
use crate::store::{Filter, Order, SortKey};

/// `GET /admin/events/{slug}/door`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Read).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
    slug: &str,
) -> Result<AdminDoorPage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let now = context.clock.now();
    let number = |name: &str| visit.parameter(name).and_then(|text| text.parse().ok());
    let filter = Filter {
        status: Some(Status::Confirmed),
        round: shown.event.round,
        order: Order {
            by: SortKey::Name,
            descending: false,
        },
        after: number("after").unwrap_or(0),
        limit: LIMIT_MAX,
        ..Filter::default()
    };
    let store = context.store_for(visit.head.peer);
    let page = registrations::page(&store, shown.event.id, filter).await?;
    let mut rows: Vec<_> = page
        .rows
        .iter()
        .map(|row| RegistrationRow::new(row, Vec::new()).without_address())
        .collect();
    // Nobody looks for them by name.
    rows.sort_by_key(|row| row.is_erased);
    Ok(AdminDoorPage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        event: shown.view(now).read_by(session),
        rows,
        people: shown.event.registered,
        next: page.next,
        now,
    })
}
