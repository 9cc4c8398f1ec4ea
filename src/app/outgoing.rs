//! The workers of the outbox: started last, asked to stop first, and waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::background::{Background, Ended};
use crate::domain::clock::Clock;
use crate::domain::outbox::{Channel, Lifetime};
use crate::outbox::compose::Composer;
use crate::outbox::mail::{self, Mailer, Pool};
use crate::outbox::webhook::{self, Guard, WebhookSender};
use crate::outbox::worker::{DRAIN, Worker};
use crate::outbox::{Deliverer, Spread, housekeeping, owner};
use crate::store::outbox::Budget;
use crate::store::{Store, StoreError};

/// How long a worker may take to record what it has sent when it stops.
const RECORDING: Duration = Duration::from_secs(2);

/// The workers of this node.
#[derive(Debug)]
pub(super) struct Workers {
    stop: watch::Sender<bool>,
    tasks: Background,
}

impl Workers {
    /// Starts the worker of webhooks, and those of mail if there is mail.
    pub(super) async fn start(
        mail: Option<(&mail::Settings, Pool)>,
        guard: &Guard,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, StoreError> {
        let (stop, stopping) = watch::channel(false);
        let mut tasks = Background::default();
        let housekeeping = housekeeping::run(store.clone(), clock.clone(), stopping.clone());
        tasks.spawn("outbox", housekeeping);
        store.release_outbox().await?;
        let owner = owner();
        let webhooks = Worker {
            store: store.clone(),
            clock: clock.clone(),
            channel: Channel::Webhook,
            deliver: Arc::new(WebhookSender::new(
                store.clone(),
                clock.clone(),
                guard.clone(),
            )),
            owner: owner.clone(),
            budget: None,
            in_flight: webhook::IN_FLIGHT,
            per_lane: Some(webhook::PER_TARGET),
            lifetime: Lifetime::WEBHOOK,
        };
        tasks.spawn("webhooks", webhooks.run(stopping.clone()));
        let Some((settings, pool)) = mail else {
            return Ok(Self { stop, tasks });
        };
        let worker = |channel, deliver: Deliverer, budget: Option<Budget>| Worker {
            store: store.clone(),
            clock: clock.clone(),
            channel,
            deliver,
            owner: owner.clone(),
            budget,
            in_flight: mail::IN_FLIGHT,
            per_lane: None,
            lifetime: Lifetime::MAIL,
        };
        let public_url = settings.public_url.clone();
        let mailer = Mailer {
            store: store.clone(),
            clock: clock.clone(),
            compose: Arc::new(Composer { public_url }),
            pool,
        };
        let mails = worker(Channel::Mail, Arc::new(mailer), Some(settings.budget));
        tasks.spawn("mail", mails.run(stopping.clone()));
        let spread = Spread {
            store: store.clone(),
            clock: clock.clone(),
        };
        let fanouts = worker(Channel::Fanout, Arc::new(spread), None);
        tasks.spawn("mail fan-out", fanouts.run(stopping));
        Ok(Self { stop, tasks })
    }

    /// Waits until a worker ends, which none should.
    pub(super) async fn ended(&mut self) -> Ended {
        self.tasks.ended().await
    }

    /// From now on nothing is claimed.
    pub(super) fn ask_to_stop(&self) {
        // A worker that has ended needs no notice.
        let _ = self.stop.send(true);
    }

    /// Waits for what is being sent, for a few seconds.
    pub(super) async fn finish(mut self) {
        if timeout(DRAIN + RECORDING, self.tasks.finish())
            .await
            .is_err()
        {
            tracing::warn!("the outbox's workers did not stop in time");
        }
        self.tasks.shutdown().await;
    }
}
