//! The keys of TLS session tickets, which all nodes share.

use sqlx::{query, query_as};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ticket_key::TicketKey;

const READ: &str = "SELECT number, name, secret, used_from FROM ticket_keys ORDER BY number";
const DELETE: &str = "DELETE FROM ticket_keys WHERE number = $1";
const INSERT: &str = "\
    INSERT INTO ticket_keys (number, name, secret, used_from) VALUES ($1, $2, $3, $4)
    ON CONFLICT (number) DO NOTHING";

/// A stored key; the error is the number of one that is damaged.
pub type StoredKey = Result<TicketKey, i64>;

impl Store {
    /// Every stored key, by number.
    pub async fn ticket_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = read!(
            self.short,
            query_as::<_, (i64, Vec<u8>, Vec<u8>, i64)>(READ),
            fetch_all
        )?;
        let key = |(number, name, secret, used_from): (i64, Vec<u8>, Vec<u8>, i64)| {
            let (Ok(name), Ok(secret)) = (name.try_into(), secret.try_into()) else {
                return Err(number);
            };
            Ok(TicketKey {
                number,
                name,
                secret,
                used_from: Timestamp::from_millis(used_from),
            })
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Deletes the keys with the numbers `gone`, and stores `new` unless another node has stored a
    /// key of this number first. Read the keys again afterwards.
    pub async fn rotate_ticket_keys(
        &self,
        gone: &[i64],
        new: Option<&TicketKey>,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            for number in gone {
                query(DELETE)
                    .bind(number)
                    .execute(&mut *transaction)
                    .await?;
            }
            if let Some(key) = new {
                query(INSERT)
                    .bind(key.number)
                    .bind(&key.name[..])
                    .bind(&key.secret[..])
                    .bind(key.used_from.as_millis())
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
    }
}
