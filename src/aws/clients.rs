//! Clients that were used lately: making one takes longer than sending a request with it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::{AccountId, Region};

use super::Place;

/// A client is some dozen kilobytes; a rollout over a thousand accounts comes back to few of them.
const MOST: usize = 64;

type Key = (&'static str, AccountId, Region);

/// A client, and the access key that it signs with.
type Kept = (String, Box<dyn Any + Send>);

#[derive(Debug, Default)]
pub(super) struct Clients {
    kept: Mutex<BTreeMap<Key, Kept>>,
}

impl Clients {
    /// The client of a service in a place that signs with this access key; `make` makes it if there is none.
    pub fn get<C: Clone + Send + 'static>(
        &self,
        service: &'static str,
        place: &Place,
        access_key: &str,
        make: impl FnOnce() -> C,
    ) -> C {
        let key = (service, place.account.clone(), place.region.clone());
        if let Some((signs_with, client)) = self.lock().get(&key)
            && signs_with == access_key
            && let Some(client) = client.downcast_ref::<C>()
        {
            return client.clone();
        }
        let made = make();
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, (access_key.to_owned(), Box::new(made.clone())));
        made
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_made_once_for_each_service_place_and_access_key() {
        let clients = Clients::default();
        let place =
            |account: &str| Place::new(&account.parse().unwrap(), &"us-east-1".parse().unwrap());
        let mut made = 0;
        for (service, account, access_key) in [
            ("STS", "111111111111", "one"),
            ("STS", "111111111111", "one"),
            ("IAM", "111111111111", "one"),
            ("STS", "222222222222", "one"),
            ("STS", "111111111111", "two"),
            ("STS", "111111111111", "two"),
        ] {
            clients.get(service, &place(account), access_key, || made += 1);
        }
        assert_eq!(made, 4);
    }
}
