//! The event of a run, and the API calls for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::header::{HeaderName, RETRY_AFTER};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::lookup_host;
use tokio::time::sleep;
use tokio_rustls::rustls::ClientConfig;

use super::CompareArgs;
use super::age::Commit;
use super::clock::{Sample, ServerClock};
use crate::cli::client::address::Base;
use crate::cli::client::api::{Answer, Api, Call};
use crate::cli::client::count::Count;
use crate::cli::client::retry_after;
use crate::cli::client::target::Target;
use crate::cli::value;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::Slug;

/// The time limit of a whole call, such as a page of 1,000 changes.
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// The event of a run, and its server.
pub(super) struct Lab {
    pub(super) base: Base,
    pub(super) slug: Slug,
    pub(super) clock: ServerClock,
    /// Whether the server is on this machine's loopback.
    pub(super) local: bool,
    tls: Arc<ClientConfig>,
    api: Api,
    /// Distinguishes the names and keys of this run's people.
    run: String,
    people: AtomicU64,
    /// The token that created the event and deletes it; `None` for somebody else's event.
    owner: Option<String>,
}

/// The shown part of RFC 9457's object.
#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    code: String,
}

impl Lab {
    /// Creates an event for this run, or uses the one from `--event`.
    pub(super) async fn open(
        base: Base,
        tls: Arc<ClientConfig>,
        args: &CompareArgs,
    ) -> Result<Self, String> {
        let api = Api::new(base.clone(), Arc::clone(&tls), API_TIMEOUT);
        let addresses = lookup_host((base.host.as_str(), base.port))
            .await
            .map_err(|error| format!("cannot resolve {}: {error}", base.host))?;
        let local = addresses
            .into_iter()
            .all(|address| address.ip().is_loopback());
        let run = format!("{:08x}", rand::random::<u32>());
        let wanted = args.event.clone().unwrap_or_else(|| format!("lab-{run}"));
        let slug = Slug::parse(&wanted).map_err(|_| format!("{wanted:?} is no slug"))?;
        let mut lab = Self {
            base,
            slug,
            clock: ServerClock::local(),
            local,
            tls,
            api,
            run,
            people: AtomicU64::new(0),
            owner: None,
        };
        if !local {
            lab.clock = lab.estimate_clock().await?;
        }
        if args.event.is_none() {
            let token = args.admin_token.clone().ok_or(
                "give --admin-token or HEADCOUNT_ADMIN_TOKEN to create an event for this run, or \
                name an existing one with --event and --yes-register-people",
            )?;
            lab.create(&token).await?;
            lab.owner = Some(token);
        }
        Ok(lab)
    }

    /// Whether the server speaks WebTransport.
    pub(super) async fn has_webtransport(&self) -> Result<bool, String> {
        let answer = self.api.send(&Call::get("api/v1/webtransport")).await?;
        Ok(answer.status == StatusCode::OK)
    }

    /// Deletes the event if this run created it.
    pub(super) async fn close(&self) {
        let Some(token) = &self.owner else { return };
        let path = format!("api/v1/events/{0}?confirm={0}", self.slug);
        let call = Call::new(Method::DELETE, path).bearer(token);
        if let Err(why) = self.answer(&call).await {
            value::complain(
                "compare",
                &format!("the event {} was not deleted: {why}", self.slug),
            );
        }
    }

    /// What watchers follow.
    pub(super) fn target(&self, interval: Duration) -> Target {
        Target {
            base: self.base.clone(),
            slug: self.slug.clone(),
            interval,
            tls: Arc::clone(&self.tls),
        }
    }

    /// The present count.
    pub(super) async fn count(&self) -> Result<Count, String> {
        self.read(self.event("")).await
    }

    /// Every change after `position`, from the lossless log.
    pub(super) async fn commits(&self, position: &str) -> Result<Vec<Commit>, String> {
        #[derive(Deserialize)]
        struct Page {
            changes: Vec<Count>,
        }
        let (mut commits, mut after) = (Vec::new(), position.to_owned());
        loop {
            let page: Page = self
                .read(self.event(&format!("/changes?limit=1000&after={after}")))
                .await?;
            let Some(last) = page.changes.last() else {
                return Ok(commits);
            };
            after = last.position.to_string();
            commits.extend(page.changes.iter().map(|change| Commit {
                revision: change.revision(),
                at: change.at.as_millis() * 1_000,
            }));
        }
    }

    /// Registers one more made-up person, and retries when the server asks for it. Returns whether
    /// it retried.
    pub(super) async fn register(&self) -> Result<bool, String> {
        const ATTEMPTS: usize = 20;
        const RETRY_PAUSE: Duration = Duration::from_millis(500);
        let number = self.people.fetch_add(1, Relaxed) + 1;
        // In an existing event, two runs must not use the same address.
        let email = if self.owner.is_some() {
            format!("person-{number}@example.invalid")
        } else {
            format!("person-{}-{number}@example.invalid", self.run)
        };
        let body = json!({ "name": format!("Person {number}"), "email": email });
        let key = format!("{}-{number}", self.run);
        let call = Call::new(Method::POST, self.event("/registrations"))
            .header(HeaderName::from_static("idempotency-key"), key)
            .json(&body);
        let mut last_failure = String::new();
        for attempt in 0..ATTEMPTS {
            let wait = match self.api.send(&call).await {
                Ok(answer) if answer.status == StatusCode::CREATED => return Ok(attempt > 0),
                Ok(answer) if is_busy(answer.status) => {
                    last_failure = answer.status.to_string();
                    retry_after(&answer.headers, Clock::System.now())
                }
                Ok(answer) => return Err(format!("cannot register: {}", problem(&answer))),
                // The key makes a retry safe.
                Err(why) => {
                    last_failure = why;
                    None
                }
            };
            sleep(wait.unwrap_or(RETRY_PAUSE)).await;
        }
        Err(format!("cannot register: {last_failure}"))
    }

    async fn create(&self, token: &str) -> Result<(), String> {
        let body = json!({
            "slug": self.slug.as_str(),
            "title": "A comparison of transports",
            "capacity": null,
            "description": "Created by headcount compare, deleted at its end.",
        });
        let call = Call::new(Method::POST, "api/v1/events");
        match self.answer(&call.bearer(token).json(&body)).await {
            Ok(_) => Ok(()),
            Err(why) => Err(format!("cannot create an event: {why}")),
        }
    }

    async fn estimate_clock(&self) -> Result<ServerClock, String> {
        #[derive(Deserialize)]
        struct Now {
            at: Timestamp,
        }
        const SAMPLES: usize = 15;
        let mut samples = Vec::new();
        for _ in 0..SAMPLES {
            let asked = Instant::now();
            let Now { at } = self.read("api/v1/clock".into()).await?;
            samples.push(Sample {
                asked,
                answered: Instant::now(),
                at,
            });
        }
        ServerClock::estimate(&samples)
            .ok_or_else(|| "the server's clock cannot be read".to_owned())
    }

    fn event(&self, rest: &str) -> String {
        format!("api/v1/events/{}{rest}", self.slug)
    }

    async fn read<T: DeserializeOwned>(&self, path: String) -> Result<T, String> {
        let answer = self.answer(&Call::get(path)).await?;
        answer
            .json()
            .map_err(|error| format!("unexpected response ({error}); is this a Headcount server?"))
    }

    /// Retries a few times while the server is busy.
    async fn answer(&self, call: &Call) -> Result<Answer, String> {
        const ATTEMPTS: usize = 5;
        let mut last_failure = String::new();
        for _ in 0..ATTEMPTS {
            let answer = self
                .api
                .send(call)
                .await
                .map_err(|why| format!("cannot reach the server: {why}"))?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            last_failure = problem(&answer);
            if !(is_busy(answer.status) && answer.headers.contains_key(RETRY_AFTER)) {
                break;
            }
            sleep(retry_after(&answer.headers, Clock::System.now()).unwrap_or_default()).await;
        }
        Err(last_failure)
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

fn problem(answer: &Answer) -> String {
    let problem: Problem = answer.json().unwrap_or_default();
    format!(
        "the server answers {} {} {}",
        answer.status, problem.title, problem.code
    )
    .trim_end()
    .to_owned()
}
