//! A form of the console acts once: a second click, a retry or another node does not repeat it.
//!
//! Every form carries an idempotency key drawn by its page. The first submission claims the key in
//! the database. The others wait for its outcome and redirect to the same page. A refused one
//! releases the claim.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use warp::http::{HeaderMap, header};
use warp::reply::Response;

use super::writer;
use crate::context::Shared;
use crate::domain::access::Permission;
use crate::domain::registration::Secret;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::pages::answer::{problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::problem::{Code, Problem};
use crate::store::{Claim, StoreError};
use crate::trace;
use crate::wire::digits::hex;

/// The field that carries the key.
const FIELD: &str = "once";
/// Pages draw shorter keys.
const MAX: usize = 64;
/// How long a second submission waits for the first: as long as a transaction may take.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause between two reads of a pending claim.
const PAUSE: Duration = Duration::from_millis(50);

/// A form's action, boxed because it holds a whole page while it renders.
pub(super) type Act = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Where other submissions of a form lead, in the extensions of a response that is no redirect: it
/// shows a secret, which is not stored.
#[derive(Debug, Clone)]
pub(super) struct Outcome(pub(super) String);

/// What an action works with.
pub(super) struct Submission {
    pub(super) context: Shared,
    pub(super) visit: Arc<Visit>,
    pub(super) form: Arc<Form>,
    pub(super) organiser: Organiser,
}

/// A key for the forms of one page.
pub(super) fn draw() -> String {
    Secret::draw().reveal().to_owned()
}

/// Identifies this submission: a digest of the page's key, the address and every field. Another
/// entry in the same page is another submission. `None` without a key.
fn name(path: &str, form: &Form) -> Option<String> {
    let key = form.sent(FIELD)?;
    if key.is_empty() || key.len() > MAX {
        return None;
    }
    let mut digest = Sha256::new().chain_update(path);
    for (name, value) in form.fields() {
        digest.update(name.len().to_be_bytes());
        digest.update(name);
        digest.update(value.len().to_be_bytes());
        digest.update(value);
    }
    Some(hex(&digest.finalize()))
}

/// Reads the form and runs `act` with it, unless the same form was submitted before.
pub(super) async fn submit<A: Future<Output = Response> + Send + 'static>(
    context: Shared,
    visit: Visit,
    body: Unread,
    permission: Permission,
    act: impl FnOnce(Submission) -> A,
) -> Response {
    submit_and(context, visit, body, permission, act, |response, _| {
        response
    })
    .await
}

/// Like [`submit`]. What `finish` does with the response is not stored.
pub(super) async fn submit_and<A: Future<Output = Response> + Send + 'static>(
    context: Shared,
    visit: Visit,
    body: Unread,
    permission: Permission,
    act: impl FnOnce(Submission) -> A,
    finish: impl FnOnce(Response, &Form) -> Response,
) -> Response {
    let (organiser, form) = match writer(&context, &visit, body, permission).await {
        Ok(submitted) => submitted,
        Err(answer) => return answer,
    };
    let (visit, form) = (Arc::new(visit), Arc::new(form));
    let act = act(Submission {
        context: Shared::clone(&context),
        visit: Arc::clone(&visit),
        form: Arc::clone(&form),
        organiser,
    });
    let response = once(context, &visit, &form, Box::pin(act)).await;
    finish(response, &form)
}

/// Runs `act` in a task of its own: at a second click the browser closes the first request, which
/// must still finish.
pub(super) async fn once(context: Shared, visit: &Visit, form: &Form, act: Act) -> Response {
    let Some(name) = name(&visit.path, form) else {
        return act.await;
    };
    let headers = visit.head.headers.clone();
    let carried_out = trace::spawn(async move {
        match claim(&context, &name).await {
            Ok(Claim::First) => {
                let response = act.await;
                settle(&context, &name, &response).await;
                response
            }
            Ok(Claim::Done(location)) => see_other(&location),
            Ok(Claim::Pending) => refused(
                &headers,
                &Problem::new(Code::Busy, "the same form is still being carried out"),
            ),
            Err(error) => refused(&headers, &error.into()),
        }
    });
    carried_out.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a form of the console failed");
        problem_page(visit, &Problem::new(Code::Internal, "an internal error"))
    })
}

async fn claim(context: &Shared, name: &str) -> Result<Claim, StoreError> {
    let until = Instant::now() + OUTCOME_TIMEOUT;
    loop {
        let claim = context.store.claim_form(name, context.clock.now()).await?;
        if claim != Claim::Pending || Instant::now() >= until {
            return Ok(claim);
        }
        sleep(PAUSE).await;
    }
}

/// Stores the outcome for the other submissions, or releases the claim of a refused one.
async fn settle(context: &Shared, name: &str, response: &Response) {
    let outcome = response.extensions().get::<Outcome>();
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .filter(|location| !location.contains("?error="));
    let location = outcome
        .map(|Outcome(location)| location.as_str())
        .or(location);
    let settled = match location {
        Some(location) => context.store.finish_form(name, location).await,
        None => context.store.release_form(name).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "cannot store a form's outcome; another submission of it will time out");
    }
}

fn refused(headers: &HeaderMap, problem: &Problem) -> Response {
    problem_page(&Visit::of_headers(headers), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &str) -> Form {
        serde_urlencoded::from_str(fields).unwrap()
    }

    #[test]
    fn one_form_sent_twice_has_one_name() {
        let name = |path: &str, fields: &str| name(path, &form(fields));
        let first = name("/admin/events/gala/announce", "once=k&text=Doors");
        assert!(first.is_some());
        assert_eq!(
            first,
            name("/admin/events/gala/announce", "once=k&text=Doors")
        );
        for (path, fields) in [
            ("/admin/events/gala/announce", "once=k&text=Doors+open"),
            ("/admin/events/gala/announce", "once=j&text=Doors"),
            ("/admin/events/ball/announce", "once=k&text=Doors"),
        ] {
            assert_ne!(first, name(path, fields), "{path} {fields}");
        }
        let long = format!("once={}", "x".repeat(65));
        for keyless in ["", "text=Doors", "once=", long.as_str()] {
            assert_eq!(name("/admin/events", keyless), None, "{keyless}");
        }
    }
}
