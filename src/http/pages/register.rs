//! One event's page, and its form.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, page, problem_page, see_other};
use super::confirm;
use super::form::Form;
use super::refused::Refused;
use super::states::{self, Shown};
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::characters::described;
use crate::domain::invalid::Invalid;
use crate::http::body::{self, Unread};
use crate::http::{find, registration};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// `GET /e/{slug}`.
pub(super) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    match states::previewed(&context, &visit, &slug).await {
        Ok(shown) => {
            let mut form = Refused::default().fill(
                &context.settings,
                &visit,
                &shown,
                context.clock.now(),
                &Form::default(),
            );
            form.mails = context.store.outgoing().mails();
            page(&visit, StatusCode::OK, shown.keep(), &form)
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /e/{slug}/register`.
pub(super) async fn submit(slug: String, context: Shared, visit: Visit, body: Unread) -> Response {
    // An unknown event is refused below, after its form was read.
    let event = find::known_to_all(&context, &slug).await.ok();
    let most = event.as_deref().map_or(body::MAX, registration::body_max);
    let permit = event
        .as_deref()
        .map(|event| registration::permit_for_body(&context, &visit.head, event));
    let _permit = match permit.transpose() {
        Ok(permit) => permit,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let sent = match Form::content(body, &visit.head, most).await {
        Ok(sent) => sent,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let accepted = async {
        let event = registration::admit(&context, &visit.head, &slug).await?;
        registration::submit(&context, &visit.head, event, &sent).await
    };
    let problem = match accepted.await {
        Ok(accepted) => return see_other(&format!("/r/{}", accepted.registration.token())),
        Err(problem) => problem,
    };
    let form = sent.decode().unwrap_or_default();
    let visit = visit.at(format!("/e/{slug}"));
    let answer = Answered {
        slug: &slug,
        form: &form,
    };
    let event = event.filter(|_| confirm::lacks_only_proof(&problem));
    let Some(event) = event.filter(|_| context.store.outgoing().mails()) else {
        return answer.again(&context, &visit, &problem).await;
    };
    // Boxed: rare, and large enough to make every request's future large.
    let asked = Box::pin(confirm::ask(&context, &visit, &event, &sent)).await;
    match asked {
        Ok(()) => answer.confirm(&context, &visit).await,
        Err(problem) => answer.again(&context, &visit, &problem).await,
    }
}

/// A form that did not register anybody.
struct Answered<'a> {
    slug: &'a str,
    form: &'a Form,
}

impl Answered<'_> {
    /// The same page with what was typed and what to correct.
    async fn again(&self, context: &Context, visit: &Visit, problem: &Problem) -> Response {
        // A form that another site sent is not shown as if it came from this page.
        let shown = if problem.code() == Code::Forbidden {
            None
        } else {
            states::for_all(context, self.slug).await.ok()
        };
        let Some(shown) = shown else {
            return problem_page(visit, problem);
        };
        let refused = Refused::new(visit.texts, self.form, problem, &shown.event);
        let status = problem.code().status();
        let mut response = self.page(context, visit, &shown, refused, status);
        response.headers_mut().extend(problem.headers().clone());
        response
    }

    /// The same page, which says that a mail is on its way. With scripts it goes on by itself.
    async fn confirm(&self, context: &Context, visit: &Visit) -> Response {
        let shown = match states::for_all(context, self.slug).await {
            Ok(shown) => shown,
            Err(problem) => return problem_page(visit, &problem),
        };
        let said = Refused::unproven(visit.texts.get("confirm-sent"));
        self.page(context, visit, &shown, said, StatusCode::ACCEPTED)
    }

    fn page(
        &self,
        context: &Context,
        visit: &Visit,
        shown: &Shown,
        refused: Refused,
        status: StatusCode,
    ) -> Response {
        let now = context.clock.now();
        let mut template = refused.fill(&context.settings, visit, shown, now, self.form);
        template.mails = context.store.outgoing().mails();
        page(visit, status, Keep::Never, &template)
    }
}

/// The message about the party's size, if that was refused. The limit is in the refusal.
pub(super) fn party_message(texts: Texts, problem: &Problem) -> Option<String> {
    let mut refused = problem.errors().into_iter();
    let (_, message) = refused.find(|(field, _)| field == "party_size")?;
    let most = message.rsplit(' ').next().unwrap_or_default().to_owned();
    Some(texts.get1("error-party_size-invalid", "most", most))
}

/// The message about one field; the scripts show the same ones.
pub(super) fn message(texts: Texts, invalid: &Invalid) -> String {
    if let Some(c) = invalid.character {
        return texts.get1("error-character", "character", described(c));
    }
    let reason = match invalid.reason {
        "empty" => "missing",
        "too-long" => "long",
        _ => "invalid",
    };
    texts.get(format!("error-{}-{reason}", invalid.field))
}
