//! The event of a run, and the calls of the API around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
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
use crate::cli::client::count::Count;
use crate::cli::client::retry_after;
use crate::cli::client::target::Target;
use crate::cli::value;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::Slug;

/// A server, an event there, and the way to it.
pub(super) struct Lab {
    pub(super) base: Base,
    pub(super) slug: Slug,
    pub(super) clock: ServerClock,
    /// On this machine's loopback.
    pub(super) local: bool,
    tls: Arc<ClientConfig>,
    http: Client,
    /// Names this run's people and keys.
    run: String,
    people: AtomicU64,
    /// The token that made the event and removes it; none for somebody else's event.
    owner: Option<String>,
}

/// The part of RFC 9457's object that is shown.
#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    code: String,
}

impl Lab {
    /// Makes an event, or takes the one that it is told to.
    pub(super) async fn open(
        base: Base,
        tls: Arc<ClientConfig>,
        args: &CompareArgs,
    ) -> Result<Self, String> {
        // Straight to the server, as the watchers' own sockets go.
        let http = Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build();
        let http = http.map_err(|error| error.to_string())?;
        let addresses = lookup_host((base.host.as_str(), base.port))
            .await
            .map_err(|error| format!("{} is not known: {error}", base.host))?;
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
            http,
            run,
            people: AtomicU64::new(0),
            owner: None,
        };
        if !local {
            lab.clock = lab.estimate_clock().await?;
        }
        if args.event.is_none() {
            let token = args.admin_token.clone().ok_or(
                "an event of its own is made with --admin-token or HEADCOUNT_ADMIN_TOKEN; or name one that exists with --event and --yes-register-people",
            )?;
            lab.create(&token).await?;
            lab.owner = Some(token);
        }
        Ok(lab)
    }

    /// Removes the event again if it was made for this run.
    pub(super) async fn close(&self) {
        let Some(token) = &self.owner else { return };
        let url = self
            .base
            .url(&format!("api/v1/events/{0}?confirm={0}", self.slug));
        if let Err(why) = answer(self.http.delete(url).bearer_auth(token)).await {
            value::complain(
                "compare",
                &format!("the event {} is still there: {why}", self.slug),
            );
        }
    }

    /// What the watchers follow.
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
        read(self.http.get(self.event(""))).await
    }

    /// Every change after `position`, from the lossless log.
    pub(super) async fn commits(&self, position: &str) -> Result<Vec<Commit>, String> {
        #[derive(Deserialize)]
        struct Page {
            changes: Vec<Count>,
        }
        let (mut commits, mut after) = (Vec::new(), position.to_owned());
        loop {
            let page: Page = read(
                self.http
                    .get(self.event(&format!("/changes?limit=1000&after={after}"))),
            )
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

    /// Registers one more made-up person; waits and asks again when the server wants that. True when it did want it.
    pub(super) async fn register(&self) -> Result<bool, String> {
        const ATTEMPTS: usize = 20;
        const OWN_PATIENCE: Duration = Duration::from_millis(500);
        let number = self.people.fetch_add(1, Relaxed) + 1;
        // A run's own event is empty; in another's, two runs must not meet in one address.
        let email = if self.owner.is_some() {
            format!("person-{number}@example.invalid")
        } else {
            format!("person-{}-{number}@example.invalid", self.run)
        };
        let body = json!({ "name": format!("Person {number}"), "email": email });
        let mut told = String::new();
        for attempt in 0..ATTEMPTS {
            let request = self
                .http
                .post(self.event("/registrations"))
                .header("idempotency-key", format!("{}-{number}", self.run))
                .json(&body);
            let wait = match request.send().await {
                Ok(response) if response.status() == StatusCode::CREATED => return Ok(attempt > 0),
                Ok(response)
                    if matches!(
                        response.status(),
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                    ) =>
                {
                    told = response.status().to_string();
                    retry_after(response.headers(), Clock::System.now())
                }
                Ok(response) => {
                    return Err(format!("nobody can register: {}", problem(response).await));
                }
                // The key makes it safe to ask again.
                Err(error) => {
                    told = error.to_string();
                    None
                }
            };
            sleep(wait.unwrap_or(OWN_PATIENCE)).await;
        }
        Err(format!("nobody can register: {told}"))
    }

    async fn create(&self, token: &str) -> Result<(), String> {
        let body = json!({ "slug": self.slug.as_str(), "title": "A comparison of transports", "capacity": null, "description": "Made by headcount compare, removed at its end." });
        answer(
            self.http
                .post(self.base.url("api/v1/events"))
                .bearer_auth(token)
                .json(&body),
        )
        .await
        .map(drop)
        .map_err(|why| format!("no event can be made: {why}"))
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
            let Now { at } = read(self.http.get(self.base.url("api/v1/clock"))).await?;
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
        self.base.url(&format!("api/v1/events/{}{rest}", self.slug))
    }
}

async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, String> {
    answer(request)
        .await?
        .json()
        .await
        .map_err(|error| format!("the answer is not Headcount's: {error}"))
}

/// Asks again a few times while the server says that it is busy.
async fn answer(request: RequestBuilder) -> Result<Response, String> {
    const ATTEMPTS: usize = 5;
    let mut told = String::new();
    for _ in 0..ATTEMPTS {
        // The bodies are in memory, so a request can always be copied.
        let Some(copy) = request.try_clone() else {
            break;
        };
        let response = copy
            .send()
            .await
            .map_err(|error| format!("the server cannot be reached: {}", value::causes(&error)))?;
        let busy = matches!(
            response.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) && response.headers().contains_key(RETRY_AFTER);
        if response.status().is_success() {
            return Ok(response);
        }
        let wait = retry_after(response.headers(), Clock::System.now()).unwrap_or_default();
        told = problem(response).await;
        if !busy {
            break;
        }
        sleep(wait).await;
    }
    Err(told)
}

async fn problem(response: Response) -> String {
    let status = response.status();
    let problem: Problem = response.json().await.unwrap_or_default();
    format!(
        "the server answers {status} {} {}",
        problem.title, problem.code
    )
    .trim_end()
    .to_owned()
}
