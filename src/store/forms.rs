//! The console's forms: one submission of a form acts once, on whichever node it arrives.

/// What a submission finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the first: act.
    First,
    /// Another submission of the same form is being carried out.
    Pending,
    /// Another one was carried out, and led here.
    Done(String),
}

/// How long a submission is remembered: far longer than a second click, a retry or a proxy takes.
pub(super) const REMEMBERED_MS: i64 = 60 * 60 * 1_000;

pub(super) const FORGET: &str = "DELETE FROM forms WHERE at < $1";
pub(super) const CLAIM: &str =
    "INSERT INTO forms (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
pub(super) const OUTCOME: &str = "SELECT outcome FROM forms WHERE key = $1";
pub(super) const FINISH: &str = "UPDATE forms SET outcome = $2 WHERE key = $1";
pub(super) const RELEASE: &str = "DELETE FROM forms WHERE key = $1";

/// The methods for one backend; a macro for the reason that `shared.rs` gives.
macro_rules! impl_forms {
    ($backend:ident) => {
        impl $backend {
            pub(super) async fn claim_form(
                &self,
                key: &str,
                now: Timestamp,
            ) -> Result<Claim, StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(forms::FORGET)
                        .bind(now.as_millis() - forms::REMEMBERED_MS)
                        .execute(&mut *transaction)
                        .await?;
                    let claimed = query(forms::CLAIM)
                        .bind(key)
                        .bind(now.as_millis())
                        .execute(&mut *transaction)
                        .await?
                        .rows_affected();
                    if claimed == 1 {
                        transaction.commit().await?;
                        return Ok(Claim::First);
                    }
                    let outcome: Option<Option<String>> = query_scalar(forms::OUTCOME)
                        .bind(key)
                        .fetch_optional(&mut *transaction)
                        .await?;
                    transaction.rollback().await?;
                    Ok::<_, StoreError>(outcome.flatten().map_or(Claim::Pending, Claim::Done))
                })
                .await
            }

            pub(super) async fn finish_form(
                &self,
                key: &str,
                outcome: &str,
            ) -> Result<(), StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(forms::FINISH)
                        .bind(key)
                        .bind(outcome)
                        .execute(&mut *transaction)
                        .await?;
                    transaction.commit().await
                })
                .await
            }

            pub(super) async fn release_form(&self, key: &str) -> Result<(), StoreError> {
                bounded(COMMIT_TIMEOUT, async {
                    let mut transaction = self.begin().await?;
                    query(forms::RELEASE)
                        .bind(key)
                        .execute(&mut *transaction)
                        .await?;
                    transaction.commit().await
                })
                .await
            }
        }
    };
}

pub(super) use impl_forms;
