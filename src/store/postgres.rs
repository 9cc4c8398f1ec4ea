//! Backend.
#![allow(unused_variables, missing_docs, clippy::all, clippy::pedantic)]
use super::*;

/// Backend.
#[derive(Debug, Clone)]
pub struct Postgres {}

impl Postgres {
    pub(super) async fn open(options: &sqlx::postgres::PgConnectOptions) -> Result<Self, StoreError> {
        todo!()
    }
    pub(super) async fn events(&self) -> Result<Vec<Event>, StoreError> {
        todo!()
    }
    pub(super) async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        todo!()
    }
    pub(super) async fn event_by_id(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        todo!()
    }
    pub(super) async fn marks(&self) -> Result<Vec<Mark>, StoreError> {
        todo!()
    }
    pub(super) async fn create(&self, new: NewEvent, who: &str, now: Timestamp) -> Result<Event, CreateError> {
        todo!()
    }
    pub(super) async fn commit(&self, event: EventId, commands: &[Command], clock: &Clock) -> Result<Commit, StoreError> {
        todo!()
    }
    pub(super) async fn changes(&self, event: &Event, after: Revision, limit: u32) -> Result<Vec<Change>, StoreError> {
        todo!()
    }
    pub(super) async fn registration(&self, locator: Locator) -> Result<Option<Listed>, StoreError> {
        todo!()
    }
    pub(super) async fn registrations(&self, event: EventId, filter: &Filter) -> Result<Vec<Listed>, StoreError> {
        todo!()
    }
    pub(super) async fn recount(&self, event: EventId) -> Result<Option<(u32, u32)>, StoreError> {
        todo!()
    }
    pub(super) async fn audit(&self, slug: &Slug, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        todo!()
    }
    pub(super) async fn announce(&self, event: EventId, text: &str, who: &str, now: Timestamp) -> Result<Option<Announcement>, StoreError> {
        todo!()
    }
    pub(super) async fn announcement(&self, event: EventId) -> Result<Option<Announcement>, StoreError> {
        todo!()
    }
    pub(super) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        todo!()
    }
    pub(super) async fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, StoreError> {
        todo!()
    }
    pub(super) async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        todo!()
    }
    pub(super) async fn create_session(&self, digest: &str, expires_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }
    pub(super) async fn session(&self, digest: &str) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }
    pub(super) async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
        todo!()
    }
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }
    pub(super) async fn close(&self) {
        todo!()
    }
}
