//! One order at the authority, from the account to the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};

use super::Settings;
use super::files::Issued;
use crate::context::blocking;
use crate::server::Tls;

/// How often the authority is asked whether it is done.
const POLL: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// The account in the folder, or a new one. The operator who sets `--acme-domains` agrees to the authority's
/// terms of service.
pub(super) async fn account(settings: &Settings) -> Result<Account, String> {
    let files = settings.files();
    let stored = blocking::run((), move || files.read_account()).await;
    let stored: Option<Stored> = stored
        .flatten()
        .and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(stored) = stored.filter(|stored| stored.directory == settings.directory) {
        let restored = builder()?.from_credentials(stored.credentials).await;
        return restored.map_err(|error| words(&error));
    }
    let contact = settings
        .contact
        .as_ref()
        .map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let directory = settings.directory.clone();
    let (account, credentials) = builder()?
        .create(&new, directory.clone(), None)
        .await
        .map_err(|error| words(&error))?;
    let stored = Stored {
        directory,
        credentials,
    };
    let text = serde_json::to_vec(&stored).map_err(|error| error.to_string())?;
    let files = settings.files();
    let written = blocking::run((), move || files.write_account(&text)).await;
    written
        .unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()))
        .map_err(|error| format!("{}: {error}", settings.folder.display()))?;
    Ok(account)
}

/// An account belongs to one authority.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    directory: String,
    credentials: AccountCredentials,
}

fn builder() -> Result<instant_acme::AccountBuilder, String> {
    Account::builder().map_err(|error| words(&error))
}

/// Orders a certificate for `names`, and answers the authority's checks with `tls`.
pub(super) async fn certificate(
    account: &Account,
    names: &[String],
    tls: &Tls,
) -> Result<Issued, String> {
    let names: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account
        .new_order(&NewOrder::new(&names))
        .await
        .map_err(|error| words(&error))?;
    answer(&mut order, tls).await?;
    match order
        .poll_ready(&POLL)
        .await
        .map_err(|error| words(&error))?
    {
        OrderStatus::Ready => {}
        status => return Err(format!("the order is {status:?}")),
    }
    let key = order.finalize().await.map_err(|error| words(&error))?;
    let chain = order
        .poll_certificate(&POLL)
        .await
        .map_err(|error| words(&error))?;
    Ok(Issued { chain, key })
}

async fn answer(order: &mut Order, tls: &Tls) -> Result<(), String> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(|error| words(&error))?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .ok_or("the authority does not check names by TLS (tls-alpn-01)")?;
        let name = challenge.identifier().to_string();
        let digest = challenge.key_authorization().digest().as_ref().to_vec();
        let (certificate, key) = proof(&name, &digest).map_err(|error| error.to_string())?;
        tls.answer(name, certificate.as_bytes(), key.as_bytes())
            .map_err(|error| error.to_string())?;
        challenge.set_ready().await.map_err(|error| words(&error))?;
    }
    Ok(())
}

/// A certificate that shows only that this server knows the account's key (RFC 8737, section 3).
fn proof(name: &str, digest: &[u8]) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new([name.to_owned()])?;
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    Ok((parameters.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// An error with its causes, in one line.
fn words(error: &instant_acme::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
