//! Resolves a target's name, and refuses what leads into private networks. A name may lead elsewhere
//! from one look to the next, so a connection goes to the addresses that were checked, at each attempt.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::network::is_allowed;
use crate::domain::webhook::{Target, TargetHost};

/// How long to wait for the addresses of a name.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The source of a name's addresses: the system, or a test.
#[derive(Debug, Clone, Default)]
pub enum Resolver {
    /// The system's resolver.
    #[default]
    System,
    /// Names that a test sets.
    Manual(Arc<Mutex<HashMap<String, Vec<IpAddr>>>>),
}

impl Resolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => {
                let found = timeout(LOOKUP_TIMEOUT, lookup_host((name, port))).await;
                let found = found.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                Ok(found.map(|address| address.ip()).collect())
            }
            Self::Manual(names) => {
                let names = names.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(names.get(name).cloned().unwrap_or_default())
            }
        }
    }
}

/// Why a target is not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// Its name has no address now.
    Unresolved,
    /// An address of it is in a network that is not public.
    Forbidden(IpAddr),
}

/// Which addresses may be called.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    resolver: Resolver,
    allowed: Vec<IpNet>,
}

impl Guard {
    /// Calls public addresses, and those in `allowed` (`--webhook-allow`).
    pub fn new(resolver: Resolver, allowed: Vec<IpNet>) -> Self {
        Self { resolver, allowed }
    }

    /// The addresses of a target. All of them must be allowed: a name with a private address beside a
    /// public one is an attack.
    pub async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Unreachable> {
        let port = target.port();
        let found = match target.host() {
            TargetHost::Address(address) => vec![address],
            TargetHost::Name(name) => {
                let found = self.resolver.resolve(name, port).await;
                found.map_err(|_| Unreachable::Unresolved)?
            }
        };
        if let Some(address) = found.iter().find(|one| !is_allowed(**one, &self.allowed)) {
            return Err(Unreachable::Forbidden(*address));
        }
        if found.is_empty() {
            return Err(Unreachable::Unresolved);
        }
        let addresses = found.into_iter();
        Ok(addresses
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(addresses: &[&str]) -> Guard {
        let addresses = addresses.iter().map(|one| one.parse().unwrap()).collect();
        let names = HashMap::from([("hooks.example.org".to_owned(), addresses)]);
        Guard::new(Resolver::Manual(Arc::new(Mutex::new(names))), Vec::new())
    }

    #[tokio::test]
    async fn every_address_of_a_name_is_checked() {
        let target = Target::parse("https://hooks.example.org/").unwrap();
        let good = names(&["1.1.1.1", "2606:4700::1111"])
            .addresses(&target)
            .await;
        assert_eq!(good.unwrap().len(), 2);
        let mixed = names(&["1.1.1.1", "127.0.0.1"]).addresses(&target).await;
        let loopback = Unreachable::Forbidden([127, 0, 0, 1].into());
        assert_eq!(mixed, Err(loopback.clone()));
        let none = names(&[]).addresses(&target).await;
        assert_eq!(none, Err(Unreachable::Unresolved));
        for literal in [
            "http://127.0.0.1:9/",
            "http://2130706433/",
            "http://[::ffff:7f00:1]/",
        ] {
            let target = Target::parse(literal).unwrap();
            let refused = Guard::default().addresses(&target).await;
            assert!(
                matches!(refused, Err(Unreachable::Forbidden(_))),
                "{literal}"
            );
        }
    }

    #[tokio::test]
    async fn the_systems_names_of_loopback_are_refused() {
        let target = Target::parse("http://localhost:9/").unwrap();
        let refused = Guard::default().addresses(&target).await;
        assert!(matches!(refused, Err(Unreachable::Forbidden(address)) if address.is_loopback()));
    }
}
