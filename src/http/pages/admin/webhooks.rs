//! The console's pages of webhooks: the list, one of them with its deliveries, and their forms.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use warp::http::StatusCode;
use warp::reply::Response;

use super::once::{self, Submission};
use super::webhook_templates::{
    AdminWebhookPage, AdminWebhooksPage, DeliveryView, WebhookForm, WebhookView,
};
use super::{flash, reader};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::event::Slug;
use crate::domain::invalid::Invalid;
use crate::domain::language::Language;
use crate::domain::webhook::{Format, Settings, Target, Topic, Topics, Webhook};
use crate::http::body::Unread;
use crate::http::field_value::Check;
use crate::http::organiser::webhooks;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::{find, session};
use crate::problem::Problem;
use crate::text::Texts;
use crate::wire::digits::hex;

/// Deliveries on a page.
const SHOWN: u32 = 50;
/// How long the page that follows the form shows the new secret.
const SECRET_SHOWN: Duration = Duration::from_mins(10);
/// The code of the flash on that page.
const CREATED: &str = "webhook-created";
/// Where the pages are.
const HERE: &str = "/admin/webhooks";

/// `GET /admin/webhooks`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Administer).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let empty = Form::default();
    match list(&context, &visit, session.csrf, &empty, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/webhooks`.
pub(in crate::http::pages) async fn create(
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let act = |submission: Submission| async move {
        let Submission {
            context,
            visit,
            form,
            organiser,
        } = submission;
        let created = async {
            let settings = read(&context, &form).await?;
            webhooks::create(&context, settings, &organiser.actor()).await
        };
        match created.await {
            Ok(webhook) => see_other(&format!(
                "{HERE}/{}?done={CREATED}&shown={}",
                webhook.id,
                digest(&webhook)
            )),
            Err(problem) => again(&context, &visit, &form, &problem).await,
        }
    };
    once::submit(context, visit, body, Permission::Administer, act).await
}

/// The list with what was typed, and what is wrong with it.
async fn again(context: &Context, visit: &Visit, form: &Form, problem: &Problem) -> Response {
    let session = match session::session(context, &visit.head.headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other(super::LOGIN),
        Err(problem) => return problem_page(visit, &problem),
    };
    match list(context, visit, session.csrf, form, Some(problem)).await {
        Ok(template) => page(visit, problem.code().status(), Keep::Never, &template),
        Err(problem) => problem_page(visit, &problem),
    }
}

async fn list(
    context: &Context,
    visit: &Visit,
    csrf: session::Csrf,
    form: &Form,
    problem: Option<&Problem>,
) -> Result<AdminWebhooksPage, Problem> {
    let mut rows = Vec::new();
    for webhook in context.store.webhooks().await? {
        rows.push(view(context, visit.texts, &webhook).await?);
    }
    let mut events: Vec<_> = context.hub.channels();
    events.sort_by_key(|channel| channel.newest().event.id);
    let events = events.iter().map(|channel| {
        let event = channel.newest().event;
        (event.slug.to_string(), event.title.clone())
    });
    Ok(AdminWebhooksPage {
        t: visit.texts,
        here: HERE.to_owned(),
        csrf,
        once: once::draw(),
        flash: flash::read(visit),
        rows,
        events: events.collect(),
        form: WebhookForm::new(visit.texts, form, problem),
    })
}

async fn view(context: &Context, texts: Texts, webhook: &Webhook) -> Result<WebhookView, Problem> {
    let settings = &webhook.settings;
    let state = match (settings.active, webhook.gone) {
        (true, _) => "webhook-active",
        (false, true) => "webhook-gone",
        (false, false) => "webhook-inactive",
    };
    Ok(WebhookView {
        id: webhook.id,
        host: settings.target.authority().to_owned(),
        url: settings.target.reveal().to_owned(),
        topics: settings.topics.words(),
        event: webhooks::slug(context, webhook).await?,
        format: texts.get(format!("webhook-format-{}", settings.format.as_str())),
        state: texts.get(state),
        is_active: settings.active,
    })
}

/// The settings that a form names. Reports all mistakes at once.
async fn read(context: &Context, form: &Form) -> Result<Settings, Problem> {
    let mut check = Check::default();
    let target = check.take(Target::parse(form.get(Target::FIELD)));
    let topics = form.fields().filter(|(name, _)| *name == Topics::FIELD);
    let topics = check.take(Topics::parse(topics.map(|(_, word)| word)));
    let format = Format::parse(form.get(Format::FIELD)).ok_or_else(Format::unknown);
    let format = check.take(format);
    let language = Language::parse(form.get("language")).unwrap_or_default();
    let event = match form.get("event") {
        "" => None,
        slug => {
            let parsed = Slug::parse(slug).is_ok();
            let found = if parsed {
                find::event(context, slug).await.ok()
            } else {
                None
            };
            let unknown = || Invalid::new("event", "unknown", "there is no such event");
            check.take(found.map(|event| event.id).ok_or_else(unknown))
        }
    };
    if let Some(target) = &target {
        check.take(webhooks::check_target(context, target).await);
    }
    check.done()?;
    match (target, topics, format) {
        (Some(target), Some(topics), Some(format)) => Ok(Settings {
            target,
            topics,
            event,
            format,
            language,
            active: true,
        }),
        _ => Err(check.problem()),
    }
}

/// `GET /admin/webhooks/{id}`.
pub(in crate::http::pages) async fn one(id: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Administer).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let filled = async {
        let webhook = webhooks::find(&context, &id).await?;
        let before = visit.parameter("after").and_then(|key| key.parse().ok());
        let store = context.store_for(visit.head.peer);
        let (deliveries, next) =
            webhooks::deliveries_page(&store, webhook.id, before, SHOWN).await?;
        let now = context.clock.now();
        let deliveries = deliveries.into_iter();
        let deliveries = deliveries.map(|one| DeliveryView::new(visit.texts, one, now));
        Ok::<_, Problem>(AdminWebhookPage {
            t: visit.texts,
            here: visit.path.clone(),
            csrf: session.csrf.clone(),
            once: once::draw(),
            flash: flash::read(&visit),
            webhook: view(&context, visit.texts, &webhook).await?,
            secret: new_secret(&context, &visit, &webhook),
            zone: context.settings.time_zone.clone(),
            deliveries: deliveries.collect(),
            next,
        })
    };
    match filled.await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// The secret, on the page that follows the form. A second click on the form leads to the same page;
/// nobody who does not know the secret knows that address.
fn new_secret(context: &Context, visit: &Visit, webhook: &Webhook) -> Option<String> {
    let is_new = context.clock.now().since(webhook.created_at) < SECRET_SHOWN;
    let is_asked = visit.parameter("shown").as_deref() == Some(digest(webhook).as_str());
    (is_new && is_asked).then(|| webhook.secret.reveal().to_owned())
}

fn digest(webhook: &Webhook) -> String {
    hex(&Sha256::digest(webhook.secret.reveal()))
}

/// What a form of one webhook does.
#[derive(Debug, Clone, Copy)]
pub(in crate::http::pages) enum Action {
    /// Makes it active.
    Activate,
    /// Sends nothing more.
    Deactivate,
    /// Sends one delivery again.
    Resend,
    /// Removes it with its deliveries.
    Delete,
}

/// `POST /admin/webhooks/{id}/…`.
pub(in crate::http::pages) async fn act(
    action: Action,
    id: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let act = move |submission: Submission| async move {
        match carry_out(action, &id, &submission).await {
            Ok(location) => see_other(&location),
            Err(problem) => problem_page(&submission.visit, &problem),
        }
    };
    once::submit(context, visit, body, Permission::Administer, act).await
}

async fn carry_out(action: Action, id: &str, submission: &Submission) -> Result<String, Problem> {
    let (context, form) = (&submission.context, &submission.form);
    let by = submission.organiser.actor();
    let webhook = webhooks::find(context, id).await?;
    let here = format!("{HERE}/{}", webhook.id);
    match action {
        Action::Activate | Action::Deactivate => {
            let active = matches!(action, Action::Activate);
            let settings = Settings {
                active,
                ..webhook.settings
            };
            webhooks::update(context, webhook.id, &settings, &by).await?;
            let done = if active { "activated" } else { "deactivated" };
            Ok(format!("{here}?done=webhook-{done}"))
        }
        Action::Resend => {
            let key = form.get("delivery").parse().unwrap_or_default();
            let now = context.clock.now();
            let row = context.store.resend_delivery(webhook.id, key, now).await?;
            let outcome = match row {
                Some(_) => "done=webhook-resent",
                None => "error=not-found",
            };
            Ok(format!("{here}?{outcome}"))
        }
        Action::Delete => {
            webhooks::remove(context, webhook.id, &by).await?;
            Ok(format!("{HERE}?done=webhook-deleted"))
        }
    }
}

impl WebhookForm {
    fn new(texts: Texts, form: &Form, problem: Option<&Problem>) -> Self {
        let error = |field: &str| {
            let mistakes = problem.map(Problem::mistakes).unwrap_or_default();
            let mistake = mistakes.iter().find(|mistake| mistake.field == field)?;
            let own = format!("webhook-error-{field}-{}", mistake.reason);
            let general = || texts.get(format!("webhook-error-{field}"));
            Some(texts.find(&own).unwrap_or_else(general))
        };
        let ticked: Vec<_> = form
            .fields()
            .filter(|(name, _)| *name == Topics::FIELD)
            .collect();
        let topics = Topic::ALL.map(|topic| {
            let is_ticked = ticked.iter().any(|(_, word)| *word == topic.as_str());
            // A fresh form has them all.
            (topic.as_str(), is_ticked || problem.is_none())
        });
        Self {
            url: form.get(Target::FIELD).to_owned(),
            url_error: error(Target::FIELD),
            topics: topics.to_vec(),
            topics_error: error(Topics::FIELD),
            event: form.get("event").to_owned(),
            event_error: error("event"),
            format: form.get(Format::FIELD).to_owned(),
            language: form.sent("language").unwrap_or(texts.lang()).to_owned(),
            is_refused: problem.is_some(),
        }
    }
}
