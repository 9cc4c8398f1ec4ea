//! What both backends do with the same statements. Written once as a macro: sqlx's types keep a function that is generic
//! over the database from being readable, and two copies from staying equal.
//!
//! A backend brings `short()` and `vital()`, pools for single statements, and `readers`; `begin()`, a transaction that may write; `begin_locked()`, one
//! with an event's row under its lock, and the registrations that a batch names first; and `attempt()`, which is `decide()`, or something
//! quicker before it. What happens inside a transaction is in `session.rs`.

/// How long a single statement may take before the database counts as unreachable: watchers are to see that within 3 s.
pub(super) const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(2_500);
/// How long a transaction may take: at least one turn of everybody who waits for the same lock.
pub(super) const COMMIT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// From one attempt to look up a commit to the next.
pub(super) const LOOK_UP_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
/// Deleting an event with a million registrations takes a while.
pub(super) const DELETE_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

/// The methods that single statements make, for one backend.
macro_rules! impl_statements {
    ($backend:ident) => {
        impl $backend {
            pub(super) async fn events(&self) -> Result<Vec<Event>, StoreError> {
                rows::read(bounded(ANSWER_TIMEOUT, query_as::<_, rows::EventRow>(sql::EVENTS).fetch_all(self.short()?)).await?)
            }

            pub(super) async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
                let row = query_as::<_, rows::EventRow>(sql::EVENT).bind(slug.as_str()).fetch_optional(self.short()?);
                bounded(ANSWER_TIMEOUT, row).await?.map(Event::try_from).transpose()
            }

            pub(super) async fn event_by_id(&self, id: EventId) -> Result<Option<Event>, StoreError> {
                let row = query_as::<_, rows::EventRow>(sql::EVENT_BY_ID).bind(id).fetch_optional(self.short()?);
                bounded(ANSWER_TIMEOUT, row).await?.map(Event::try_from).transpose()
            }

            pub(super) async fn marks(&self) -> Result<Vec<Mark>, StoreError> {
                let rows = bounded(ANSWER_TIMEOUT, query_as::<_, rows::MarkRow>(sql::MARKS).fetch_all(self.vital()?)).await?;
                Ok(rows.into_iter().map(Mark::from).collect())
            }

            pub(super) async fn create(&self, new: NewEvent, who: &str, now: Timestamp) -> Result<Event, CreateError> {
                let mut event = new.open(Epoch::draw(), now);
                let created = bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    let id: Option<i64> = query_scalar(sql::CREATE_EVENT)
                        .bind(event.slug.as_str())
                        .bind(event.epoch.as_str())
                        .bind(&event.title)
                        .bind(&event.description)
                        .bind(rows::places(event.capacity))
                        .bind(event.waitlist)
                        .bind(event.opens_at.map(Timestamp::as_millis))
                        .bind(event.closes_at.map(Timestamp::as_millis))
                        .bind(event.scheduled)
                        .bind(event.ended)
                        .bind(event.closed)
                        .bind(i64::from(event.round))
                        .bind(event.revision)
                        .bind(i64::from(event.registered))
                        .bind(i64::from(event.waiting))
                        .bind(i64::from(event.last_number))
                        .bind(event.at.as_millis())
                        .fetch_optional(&mut *transaction)
                        .await?;
                    let Some(id) = id else {
                        transaction.rollback().await?;
                        return Ok(None);
                    };
                    event.id = id;
                    let change = Change { headcount: event.headcount(), kind: Kind::Created };
                    transaction.log(id, &change).await?;
                    let after = audit::event(&event);
                    let entry = AuditEntry { at: now, who: who.to_owned(), action: "create".to_owned(), before: Value::Null, after };
                    transaction.audit(&event.slug, &entry).await?;
                    transaction.commit().await?;
                    Ok::<_, StoreError>(Some(event))
                });
                created.await?.ok_or(CreateError::SlugTaken)
            }

            pub(super) async fn commit(
                &self,
                event: EventId,
                seen: Option<&Event>,
                commands: &[Command],
                clock: &Clock,
                meanwhile: Meanwhile<'_>,
            ) -> Result<Commit, StoreError> {
                let deletes = commands.iter().any(|command| matches!(command, Command::Delete { .. }));
                let limit = if deletes { DELETE_TIMEOUT } else { COMMIT_TIMEOUT };
                // Outlives the work, which may be given up while COMMIT is on its way.
                let mut decided = None;
                let committed = bounded(limit, self.attempt(event, seen, commands, clock, &mut decided, meanwhile)).await;
                match (committed, decided) {
                    (Ok(()), Some(commit)) => Ok(commit),
                    (Err(StoreError::Unreachable(error)), Some(commit)) => {
                        let stored = self.was_stored(event, &commit).await.unwrap_or(false);
                        tracing::warn!(%error, event, stored, "a commit has failed, or its answer was lost; looked up whether it is stored");
                        if stored { Ok(commit) } else { Err(StoreError::Unreachable(error)) }
                    }
                    (Err(error), _) => Err(error),
                    (Ok(()), None) => unreachable!("what has ended well was decided"),
                }
            }

            /// Decides under the event's lock, and commits.
            async fn decide(
                &self,
                event: EventId,
                commands: &[Command],
                clock: &Clock,
                decided: &mut Option<Commit>,
                meanwhile: Meanwhile<'_>,
            ) -> Result<(), StoreError> {
                let lookup = Lookup::of_first(event, commands);
                let (mut transaction, locked) = self.begin_locked(event, &lookup).await?;
                let Some((event, named)) = locked else {
                    transaction.rollback().await?;
                    *decided = Some(batch::not_found(commands));
                    return Ok(());
                };
                let Decided { commit, unwritten, written } = batch::run(&mut transaction, event, (lookup, named), commands, clock).await?;
                let commit = &*decided.insert(commit);
                match unwritten {
                    Some(picture) => transaction.finish(&picture, || meanwhile(&commit.decisions)).await?,
                    None if written => transaction.commit().await?,
                    // A batch of refusals and replays costs no flush of the disk.
                    None => transaction.rollback().await?,
                }
                Ok(())
            }

            /// Whether a batch is stored, once its transaction has ended one way or the other: whoever holds the event's lock after
            /// it sees all of it or nothing. A registration tells by its secret, which no other attempt has drawn; a batch without
            /// one cannot be told from another's, and counts as not stored.
            async fn was_stored(&self, event: EventId, commit: &Commit) -> Result<bool, StoreError> {
                let Some(attempt) = batch::first_registered(commit) else { return Ok(false) };
                bounded(ANSWER_TIMEOUT, async {
                    loop {
                        match self.look_up(event, attempt).await {
                            // Other connections of the pool may be lost as well, and the server may be starting.
                            Err(StoreError::Unreachable(_)) => tokio::time::sleep(LOOK_UP_PAUSE).await,
                            outcome => return outcome,
                        }
                    }
                })
                .await
            }

            async fn look_up(&self, event: EventId, attempt: &Registration) -> Result<bool, StoreError> {
                let (mut transaction, _) = self.begin_locked(event, &Lookup::default()).await?;
                let row = query_as::<_, rows::ListedRow>(sql::REGISTRATION)
                    .bind(attempt.locator.event)
                    .bind(i64::from(attempt.locator.round))
                    .bind(i64::from(attempt.locator.number))
                    .fetch_optional(&mut *transaction)
                    .await?;
                transaction.rollback().await?;
                let stored = row.map(Listed::try_from).transpose()?;
                Ok(stored.is_some_and(|stored| stored.registration.secret.matches(&attempt.secret)))
            }

            pub(super) async fn changes(&self, event: &Event, after: Revision, limit: u32) -> Result<Vec<Change>, StoreError> {
                let _turn = self.readers.long_reads.turn().await?;
                let rows = query_as::<_, rows::ChangeRow>(sql::CHANGES).bind(event.id).bind(after).bind(i64::from(limit)).fetch_all(self.readers.long());
                bounded(ANSWER_TIMEOUT, rows).await?.into_iter().map(|row| row.of(event)).collect()
            }

            pub(super) async fn registration(&self, locator: Locator) -> Result<Option<Listed>, StoreError> {
                let row = query_as::<_, rows::ListedRow>(sql::REGISTRATION)
                    .bind(locator.event)
                    .bind(i64::from(locator.round))
                    .bind(i64::from(locator.number))
                    .fetch_optional(self.short()?);
                bounded(ANSWER_TIMEOUT, row).await?.map(Listed::try_from).transpose()
            }

            pub(super) async fn recount(&self, event: EventId) -> Result<Option<(u32, u32)>, StoreError> {
                let row = query_as::<_, (i64, i64)>(sql::RECOUNT).bind(event).fetch_optional(self.short()?);
                let row = bounded(ANSWER_TIMEOUT, row).await?;
                row.map(|(counted, registered)| Ok((rows::count("counted", counted)?, rows::count("registered", registered)?))).transpose()
            }

            pub(super) async fn audit(&self, slug: &Slug, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
                let _turn = self.readers.long_reads.turn().await?;
                let rows = query_as::<_, rows::AuditRow>(sql::AUDIT)
                    .bind(slug.as_str())
                    .bind(before.unwrap_or(i64::MAX))
                    .bind(i64::from(limit))
                    .fetch_all(self.readers.long());
                Ok(bounded(ANSWER_TIMEOUT, rows).await?.into_iter().map(Into::into).collect())
            }

            pub(super) async fn announce(&self, event: EventId, new: &NewAnnouncement, who: &str, now: Timestamp) -> Result<Option<Announcement>, StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    // The event's row before everything else, as in every transaction: who takes it first waits for nobody
                    // who waits for it. So the keys of announcements are drawn in the order in which they are stored.
                    let (mut transaction, locked) = self.begin_locked(event, &Lookup::default()).await?;
                    let Some((locked, _)) = locked else {
                        transaction.rollback().await?;
                        return Ok(None);
                    };
                    let announce = query_as::<_, rows::AnnouncementRow>(sql::ANNOUNCE)
                        .bind(event)
                        .bind(&new.text)
                        .bind(now.as_millis())
                        .bind(new.end(now).as_millis());
                    let announcement = Announcement::from(announce.fetch_one(&mut *transaction).await?);
                    query(sql::ANNOUNCED).bind(event).bind(announcement.id).execute(&mut *transaction).await?;
                    let after = if announcement.is_withdrawal() {
                        Value::Null
                    } else {
                        serde_json::json!({ "text": announcement.text, "ends_at": announcement.ends_at })
                    };
                    let entry = AuditEntry { at: now, who: who.to_owned(), action: new.action().to_owned(), before: Value::Null, after };
                    transaction.audit(&locked.slug, &entry).await?;
                    transaction.commit().await?;
                    Ok::<_, StoreError>(Some(announcement))
                })
                .await
            }

            pub(super) async fn announcement(&self, event: EventId) -> Result<Option<Announcement>, StoreError> {
                let row = query_as::<_, rows::AnnouncementRow>(sql::ANNOUNCEMENT).bind(event).fetch_optional(self.short()?);
                Ok(bounded(ANSWER_TIMEOUT, row).await?.map(Announcement::from))
            }

            pub(super) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
                bounded(ANSWER_TIMEOUT, query_scalar(sql::SETTING).bind(name).fetch_optional(self.short()?)).await
            }

            pub(super) async fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(sql::INSERT_SETTING).bind(name).bind(value).execute(&mut *transaction).await?;
                    // A statement of its own sees what another node has stored while the first one waited.
                    let stored = query_scalar(sql::SETTING).bind(name).fetch_one(&mut *transaction).await?;
                    transaction.commit().await?;
                    Ok::<_, StoreError>(stored)
                })
                .await
            }

            pub(super) async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(sql::SET_SETTING).bind(name).bind(value).execute(&mut *transaction).await?;
                    transaction.commit().await
                })
                .await
            }

            pub(super) async fn create_session(&self, digest: &str, expires_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(sql::FORGET_SESSIONS).bind(now.as_millis()).execute(&mut *transaction).await?;
                    query(sql::CREATE_SESSION).bind(digest).bind(expires_at.as_millis()).execute(&mut *transaction).await?;
                    transaction.commit().await
                })
                .await
            }

            pub(super) async fn session(&self, digest: &str) -> Result<Option<Timestamp>, StoreError> {
                let expires_at = query_scalar(sql::SESSION).bind(digest).fetch_optional(self.short()?);
                Ok(bounded(ANSWER_TIMEOUT, expires_at).await?.map(Timestamp::from_millis))
            }

            pub(super) async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(sql::DELETE_SESSION).bind(digest).execute(&mut *transaction).await?;
                    transaction.commit().await
                })
                .await
            }

            pub(super) async fn ping(&self) -> Result<(), StoreError> {
                bounded(ANSWER_TIMEOUT, query(sql::PING).fetch_optional(self.vital()?)).await.map(drop)
            }
        }
    };
}

pub(super) use impl_statements;
