//! A new event with the settings of another one.

use askama::Template;
use warp::http::StatusCode;
use warp::reply::Response;

use super::once::{self, Submission};
use super::{mistakes, reader};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::duplicate::Duplicate;
use crate::domain::event::{Event, Slug, parse_title};
use crate::domain::visibility::Visibility;
use crate::http::body::Unread;
use crate::http::field_value::Check;
use crate::http::organiser::settings;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::mistakes::{self as lists, Mistake};
use crate::http::pages::states;
use crate::http::pages::views::EventView;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Csrf, Session};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// What a suggested short name ends with.
const SUFFIX: &str = "-copy";

#[derive(Debug, Template)]
#[template(path = "admin_duplicate.html")]
struct DuplicatePage {
    t: Texts,
    here: String,
    csrf: Csrf,
    once: String,
    event: EventView,
    title: String,
    slug: String,
    visibility: String,
    keep_times: bool,
    title_error: Option<String>,
    slug_error: Option<String>,
    form_error: Option<String>,
}

impl DuplicatePage {
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            ("title", self.t.get("edit-title"), &self.title_error),
            ("slug", self.t.get("create-slug"), &self.slug_error),
        ];
        lists::list(self.t, fields, &[])
    }
}

/// `GET /admin/events/{slug}/duplicate`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Manage).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/events/{slug}/duplicate`.
pub(in crate::http::pages) async fn act(
    slug: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let act = |submission| answer(slug, submission);
    once::submit(context, visit, body, Permission::Manage, act).await
}

async fn answer(slug: String, submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let outcome = async {
        let shown = states::by_slug(&context, &slug).await?;
        let new = read(&form)?.of(&shown.event);
        settings::create(&context, new, &organiser).await
    };
    let refused = match outcome.await {
        Ok(made) => return see_other(&format!("/admin/events/{}?done=duplicated", made.slug)),
        Err(problem) => problem,
    };
    let again = async {
        let session = session::session(&context, &visit.head.headers)
            .await
            .ok()??;
        let typed = Some((&*form, &refused));
        fill(&context, &visit, &session, &slug, typed).await.ok()
    };
    match again.await {
        Some(template) => page(&visit, refused.code().status(), Keep::Never, &template),
        None => problem_page(&visit, &refused),
    }
}

fn read(form: &Form) -> Result<Duplicate, Problem> {
    let mut check = Check::default();
    let title = check.take(parse_title(form.get("title")));
    let slug = check.take(Slug::parse(form.get("slug").trim()));
    let visibility = check.take(Visibility::read(form.get(Visibility::FIELD)));
    check.done()?;
    let (Some(slug), Some(visibility)) = (slug, visibility) else {
        return Err(check.problem());
    };
    Ok(Duplicate {
        slug,
        title,
        keep_times: form.is_ticked("keep_times"),
        visibility,
    })
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
    slug: &str,
    typed: Option<(&Form, &Problem)>,
) -> Result<DuplicatePage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let event = &shown.event;
    let field = |name, default: String| match typed {
        Some((form, _)) => form.get(name).to_owned(),
        None => default,
    };
    let error = |name| mistakes::at(visit.texts, typed?.1, name);
    Ok(DuplicatePage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        once: once::draw(),
        event: shown.view(context.clock.now()).read_by(session),
        title: field("title", event.title.clone()),
        slug: field("slug", suggested(event)),
        visibility: field(Visibility::FIELD, Visibility::Draft.to_string()),
        keep_times: typed.is_some_and(|(form, _)| form.is_ticked("keep_times")),
        title_error: error("title"),
        slug_error: error("slug"),
        form_error: typed.map(|(_, problem)| visit.texts.get(explanation(problem))),
    })
}

/// What stands above the form; each field says what is wrong with it.
fn explanation(problem: &Problem) -> String {
    match problem.code() {
        Code::ValidationFailed | Code::SlugTaken => "error-heading".to_owned(),
        code => format!("problem-{}-meaning", code.as_str()),
    }
}

/// A short name that says where the copy comes from; it may be taken.
fn suggested(event: &Event) -> String {
    // A slug is ASCII.
    let room = Slug::MAX - SUFFIX.len();
    let kept = event.slug.as_str();
    format!("{}{SUFFIX}", &kept[..kept.len().min(room)])
}
