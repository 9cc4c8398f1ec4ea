//! What both backends do inside a transaction, written once as a macro like [`super::shared`].
//!
//! A backend brings `find`, `insert` and `advance`, which load and write the registrations of a batch; and `register_and_commit`, which ends
//! a transaction of nothing but new registrations.

/// What happens inside a transaction, for one backend's transaction type.
macro_rules! impl_session {
    ($transaction:ty) => {
        impl $transaction {
            /// Adds a line to the change log.
            async fn log(&mut self, event: EventId, change: &Change) -> Result<(), sqlx::Error> {
                let count = &change.headcount;
                query(sql::INSERT_CHANGE)
                    .bind(event)
                    .bind(count.revision)
                    .bind(change.kind.as_str())
                    .bind(i64::from(count.round))
                    .bind(count.state.as_str())
                    .bind(rows::places(count.capacity))
                    .bind(i64::from(count.registered))
                    .bind(i64::from(count.waiting))
                    .bind(count.at.as_millis())
                    .execute(&mut **self)
                    .await?;
                Ok(())
            }

            /// Adds a line to the audit log.
            async fn audit(&mut self, slug: &Slug, entry: &AuditEntry) -> Result<(), sqlx::Error> {
                query(sql::INSERT_AUDIT)
                    .bind(slug.as_str())
                    .bind(entry.at.as_millis())
                    .bind(&entry.who)
                    .bind(&entry.action)
                    .bind(&entry.before)
                    .bind(&entry.after)
                    .execute(&mut **self)
                    .await?;
                Ok(())
            }

            async fn update(&mut self, event: &Event) -> Result<(), sqlx::Error> {
                query(sql::UPDATE_EVENT)
                    .bind(event.id)
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
                    .execute(&mut **self)
                    .await?;
                Ok(())
            }

            async fn write_registrations(&mut self, picture: &Picture) -> Result<(), sqlx::Error> {
                // First what was given back: a new row may have the e-mail address of a cancelled one.
                let moved = batch::moved(picture);
                if !moved.is_empty() {
                    self.advance(&moved).await?;
                }
                if !picture.writes.inserted.is_empty() {
                    self.insert(picture.event.id, &batch::inserted(picture))
                        .await?;
                }
                Ok(())
            }

            /// Makes the picture true, and commits. Does something `meanwhile`, if there is nothing but new registrations to write.
            async fn finish(
                mut self,
                picture: &Picture,
                meanwhile: impl FnOnce(),
            ) -> Result<(), StoreError> {
                if picture.is_registering_only() {
                    self.register_and_commit(picture, meanwhile).await?;
                } else {
                    self.write(picture).await?;
                    self.commit().await?;
                }
                Ok(())
            }

            async fn delete(&mut self, event: EventId) -> Result<(), sqlx::Error> {
                for statement in sql::DELETE_EVENT {
                    query(statement).bind(event).execute(&mut **self).await?;
                }
                Ok(())
            }
        }

        impl Session for $transaction {
            async fn named(
                &mut self,
                event: &Event,
                lookup: &Lookup<'_>,
            ) -> Result<Vec<Registration>, StoreError> {
                rows::read(self.find(event, lookup).await?)
            }

            async fn waiting(
                &mut self,
                event: &Event,
                round: u32,
                limit: u32,
            ) -> Result<Vec<Registration>, StoreError> {
                let rows = query_as::<_, rows::RegistrationRow>(sql::WAITING)
                    .bind(event.id)
                    .bind(i64::from(round))
                    .bind(i64::from(limit));
                rows::read(rows.fetch_all(&mut **self).await?)
            }

            async fn archived(
                &mut self,
                event: &Event,
                round: u32,
            ) -> Result<Option<Archived>, StoreError> {
                let row = query_as::<_, rows::ArchivedRow>(sql::ARCHIVED)
                    .bind(event.id)
                    .bind(i64::from(round))
                    .fetch_optional(&mut **self)
                    .await?;
                row.map(|row| row.of(round)).transpose()
            }

            async fn write(&mut self, picture: &Picture) -> Result<(), StoreError> {
                let (event, writes) = (&picture.event, &picture.writes);
                if writes.deleted {
                    self.delete(event.id).await?;
                } else {
                    self.write_registrations(picture).await?;
                    for change in &writes.changes {
                        self.log(event.id, change).await?;
                    }
                    if let Some((round, capacity)) = writes.archive {
                        let archive = query(sql::ARCHIVE_ROUND)
                            .bind(event.id)
                            .bind(i64::from(round))
                            .bind(rows::places(capacity))
                            .bind(event.at.as_millis());
                        archive.execute(&mut **self).await?;
                    }
                    if let Some(round) = writes.restored {
                        query(sql::RESTORE_ROUND)
                            .bind(event.id)
                            .bind(i64::from(round))
                            .execute(&mut **self)
                            .await?;
                    }
                    self.update(event).await?;
                }
                for entry in &writes.audit {
                    self.audit(&event.slug, entry).await?;
                }
                Ok(())
            }
        }
    };
}

pub(super) use impl_session;
