//! Mails the private link to somebody who lost it, and the link with which a person without scripts
//! registers.
//!
//! The answer to such a request must not reveal whether an address has registered, not even by the
//! time it takes. So the request only starts the work here, and is answered before anything is read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::domain::clock::Clock;
use crate::domain::command::Applicant;
use crate::domain::confirmation::{self, VALID_FOR};
use crate::domain::event::Event;
use crate::domain::mail::MailKinds;
use crate::domain::outbox::{MailKind, NewRow};
use crate::domain::person::Email;
use crate::store::{Store, StoreError};
use crate::trace;

/// An address gets one link of an event in this time.
const PAUSE: Duration = Duration::from_mins(10);
/// Requests under way. More are refused: each may wait for the database.
const REQUESTS_MAX: u32 = 256;

/// Mails links to people who ask for them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LostLinks {
    store: Store,
    clock: Clock,
    permits: Arc<Semaphore>,
    /// Ends with the newest request to confirm.
    newest: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

/// Too many requests are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl LostLinks {
    /// Nothing is under way yet.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            permits: Arc::new(Semaphore::new(REQUESTS_MAX as usize)),
            newest: Arc::default(),
        }
    }

    /// Mails the link to `email` if it has registered and has had none for a while. Returns at once.
    pub fn request(&self, event: &Event, email: Email) -> Result<(), Busy> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.try_acquire_owned().map_err(|_| Busy)?;
        let (links, id, round, mails) = (self.clone(), event.id, event.round, event.mail.mails);
        trace::spawn(async move {
            if let Err(error) = links.mail(id, round, mails, &email).await {
                tracing::warn!(%error, "cannot mail a lost link; the person has to ask again");
            }
            drop(permit);
        });
        Ok(())
    }

    /// Mails a link with which the applicant registers; the link to the registration, if the address
    /// has one. Returns at once. Requests are stored in the order of these calls, because a form that
    /// is sent again corrects the one before.
    pub fn ask_to_confirm(&self, event: &Event, applicant: Applicant) -> Result<(), Busy> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.try_acquire_owned().map_err(|_| Busy)?;
        let (links, id, round, mails) = (self.clone(), event.id, event.round, event.mail.mails);
        let (stored, newest) = oneshot::channel::<()>();
        let before = self
            .newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(newest);
        trace::spawn(async move {
            if let Some(before) = before {
                // Ends, with an error, when the sender is dropped.
                let _ = before.await;
            }
            if let Err(error) = links.confirm(id, round, mails, &applicant).await {
                tracing::warn!(%error, "cannot mail a link to register; the person has to ask again");
            }
            drop((stored, permit));
        });
        Ok(())
    }

    async fn confirm(
        &self,
        event: i64,
        round: u32,
        mails: MailKinds,
        applicant: &Applicant,
    ) -> Result<(), StoreError> {
        // The form has an address.
        let Some(email) = &applicant.email else {
            return Ok(());
        };
        let registered = self.store.registration_of(event, round, email).await?;
        if registered.is_some() {
            return self.mail(event, round, mails, email).await;
        }
        let now = self.clock.now();
        let (expires_at, due) = (now.plus(VALID_FOR), now.plus(confirmation::PAUSE));
        let mail = |id| NewRow::confirm(id, event, email, applicant.language, due);
        let asked = self
            .store
            .ask_to_confirm(event, applicant, email, (now, expires_at), mail);
        asked.await
    }

    async fn mail(
        &self,
        event: i64,
        round: u32,
        mails: MailKinds,
        email: &Email,
    ) -> Result<(), StoreError> {
        let found = self.store.registration_of(event, round, email).await?;
        let Some(row) = found.filter(|_| mails.has(MailKind::Link)) else {
            return Ok(());
        };
        let now = self.clock.now();
        let row = NewRow::mail(MailKind::Link, row.locator, email.key(), now);
        self.store.write_link(&row, now.minus(PAUSE), now).await?;
        Ok(())
    }

    /// Waits until nothing is under way.
    pub async fn finish(&self) {
        // The semaphore is never closed.
        let _all = self.permits.acquire_many(REQUESTS_MAX).await;
    }
}
