//! Sessions in member accounts: one AssumeRole per account, kept until shortly before it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::region::Region as SdkRegion;
use jiff::Timestamp;

use crate::ids::AccountId;

use super::call::{Client, causes, idempotent};
use super::error::{AwsError, ErrorClass};
use super::{Aws, Place};

/// The role that is assumed in member accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployer {
    pub role: String,
    pub external_id: Option<String>,
    pub session_duration: Duration,
}

/// A session this close to its end is not used for another call: longer than the longest call deadline.
const MARGIN: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
struct Session {
    credentials: Credentials,
    ends: Timestamp,
}

/// Tries to load the source credentials.
const LOADS_MAX: u32 = 5;
/// The SDK waits for ever for an answer that never comes (F08); a person who is asked for a code needs a minute.
const LOAD_DEADLINE: Duration = Duration::from_secs(120);
const LOAD_BACKOFF: Duration = Duration::from_millis(200);

/// Asks the provider, and again where it could not reach what it asks. The SDK's own retries are off for it too.
pub(super) async fn load(
    provider: &SharedCredentialsProvider,
) -> Result<Credentials, CredentialsError> {
    let mut backoff = LOAD_BACKOFF;
    let mut tries = 1;
    loop {
        let answer = tokio::time::timeout(LOAD_DEADLINE, provider.provide_credentials())
            .await
            .unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOAD_DEADLINE)));
        match answer {
            Err(CredentialsError::ProviderError(_) | CredentialsError::ProviderTimedOut(_))
                if tries < LOADS_MAX =>
            {
                tokio::time::sleep(backoff.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                backoff *= 2;
                tries += 1;
            }
            other => return other,
        }
    }
}

/// One slot per account; the slot's lock makes a second caller wait for the first one's AssumeRole.
type Slot = Arc<tokio::sync::Mutex<Option<Session>>>;

#[derive(Debug)]
pub(super) struct Sessions {
    pub deployer: Deployer,
    slots: Mutex<BTreeMap<AccountId, Slot>>,
    /// The source credentials. Clients are made per call, and each would ask the provider again, which may be a
    /// call to AWS by itself.
    source: tokio::sync::Mutex<Option<Credentials>>,
    /// Access keys of the sessions that GetCallerIdentity has said to be what they should be.
    known: Mutex<BTreeSet<String>>,
}

impl Sessions {
    /// `source` are credentials whose account is known.
    pub fn new(deployer: Deployer, source: Credentials) -> Self {
        Self {
            deployer,
            slots: Mutex::new(BTreeMap::new()),
            known: Mutex::new(BTreeSet::from([source.access_key_id().to_owned()])),
            source: tokio::sync::Mutex::new(Some(source)),
        }
    }

    fn slot(&self, account: &AccountId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if mutant!(SessionOfAnotherAccount)
            && let Some(slot) = slots.values().next()
        {
            return slot.clone();
        }
        slots.entry(account.clone()).or_default().clone()
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions that are asked whose they are before one call; a second one is needed when the first ends meanwhile.
const QUESTIONS_MAX: u32 = 5;

impl Aws {
    /// A client of a service in `place`, that signs with these credentials.
    pub(super) fn client<C: Client>(&self, place: &Place, credentials: Credentials) -> C {
        let inner = &self.inner;
        let key = credentials.access_key_id().to_owned();
        inner.clients.get(C::SERVICE, place, &key, || {
            let config = inner
                .base
                .to_builder()
                .region(SdkRegion::new(place.region.to_string()))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build();
            C::connect(&config, inner.guard.clone())
        })
    }

    /// Credentials for calls in `place`.
    pub(super) async fn credentials(&self, place: &Place) -> Result<Credentials, AwsError> {
        if place.account == self.inner.identity.account {
            self.source(place).await
        } else {
            Box::pin(self.session(&place.account)).await
        }
    }

    /// The same for calls that change something: whose the session is has been asked, also of one that was
    /// renewed on the way (somebody may have logged in elsewhere meanwhile).
    pub(super) async fn known_credentials(&self, place: &Place) -> Result<Credentials, AwsError> {
        let mut stop = wrong_account(place, "unknown".to_owned());
        for _ in 0..QUESTIONS_MAX {
            let credentials = self.credentials(place).await?;
            let key = credentials.access_key_id().to_owned();
            if self.inner.sessions.known().contains(&key) || mutant!(SessionNotAsked) {
                return Ok(credentials);
            }
            let identity = Box::pin(self.who_is(place)).await?;
            if identity.account != place.account {
                return Err(wrong_account(place, identity.account.to_string()));
            }
            stop = wrong_account(place, "one that ends at once".to_owned());
            // The answer is about these credentials only if they are still the ones in use.
            if self.credentials(place).await?.access_key_id() == key {
                self.inner.sessions.known().insert(key);
            }
        }
        Err(stop)
    }

    /// Makes sure that `account` can be worked in, and that the session is really that account's: to be
    /// called before the first change there.
    pub async fn verify(&self, account: &AccountId) -> Result<(), AwsError> {
        let place = Place::new(account, &self.inner.home_region);
        self.known_credentials(&place).await.map(drop)
    }

    /// The same with a session that is asked for anew, so that a role that can no longer be assumed shows.
    pub async fn verify_afresh(&self, account: &AccountId) -> Result<(), AwsError> {
        if *account != self.inner.identity.account {
            self.forget_session(account).await;
        }
        self.verify(account).await
    }

    /// The source credentials, loaded again shortly before they end.
    pub(super) async fn source(&self, place: &Place) -> Result<Credentials, AwsError> {
        let mut slot = self.inner.sessions.source.lock().await;
        let soon = self.inner.clock.system_time().checked_add(MARGIN);
        if let Some(credentials) = slot.as_ref()
            && credentials
                .expiry()
                .is_none_or(|ends| soon.is_some_and(|soon| soon < ends))
        {
            return Ok(credentials.clone());
        }
        let nothing_sent = |message: String| AwsError {
            service: "AWS",
            operation: "LoadCredentials",
            account: Some(place.account.clone()),
            region: place.region.clone(),
            code: "NoCredentials".to_owned(),
            message,
            status: None,
            reason: None,
            class: ErrorClass::Stop,
            attempts: LOADS_MAX,
        };
        let provider = self
            .inner
            .base
            .credentials_provider()
            .ok_or_else(|| nothing_sent("no provider is configured".to_owned()))?;
        let credentials = load(&provider)
            .await
            .map_err(|error| nothing_sent(causes(&error)))?;
        *slot = Some(credentials.clone());
        Ok(credentials)
    }

    /// Drops the session of an account, so that the next call asks for a new one.
    pub(super) async fn forget_session(&self, account: &AccountId) {
        if *account == self.inner.identity.account {
            *self.inner.sessions.source.lock().await = None;
        }
        let mut slots = self
            .inner
            .sessions
            .slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slots.remove(account);
    }

    async fn session(&self, account: &AccountId) -> Result<Credentials, AwsError> {
        let slot = self.inner.sessions.slot(account);
        let mut slot = slot.lock().await;
        let now = self.inner.clock.now();
        if let Some(session) = slot.as_ref()
            && now
                .checked_add(MARGIN)
                .is_ok_and(|soon| soon < session.ends)
        {
            return Ok(session.credentials.clone());
        }
        let session = self.assume(account).await?;
        let credentials = session.credentials.clone();
        *slot = Some(session);
        Ok(credentials)
    }

    async fn assume(&self, account: &AccountId) -> Result<Session, AwsError> {
        let deployer = &self.inner.sessions.deployer;
        let home = self.home();
        let role = format!(
            "arn:{}:iam::{account}:role/{}",
            self.partition(),
            deployer.role
        );
        let operator = self.inner.identity.operator();
        let seconds = i32::try_from(deployer.session_duration.as_secs()).unwrap_or(3600);
        let answer = self
            .call(
                &home,
                idempotent("AssumeRole"),
                async |client: aws_sdk_sts::Client| {
                    client
                        .assume_role()
                        .role_arn(&role)
                        .role_session_name(&operator)
                        .source_identity(&operator)
                        .set_external_id(deployer.external_id.clone())
                        .duration_seconds(seconds)
                        .send()
                        .await
                },
            )
            .await
            .map_err(|error| AwsError {
                account: Some(account.clone()),
                ..error
            })?;
        let missing = || AwsError {
            service: "STS",
            operation: "AssumeRole",
            account: Some(account.clone()),
            region: home.region.clone(),
            code: "BadAnswer".to_owned(),
            message: "the answer holds no credentials".to_owned(),
            status: None,
            reason: None,
            class: ErrorClass::Stop,
            attempts: 1,
        };
        let issued = answer.credentials().ok_or_else(missing)?;
        let ends = Timestamp::from_second(issued.expiration().secs()).map_err(|_| missing())?;
        let credentials = Credentials::new(
            issued.access_key_id(),
            issued.secret_access_key(),
            Some(issued.session_token().to_owned()),
            Some(ends.into()),
            "AssumeRole",
        );
        Ok(Session { credentials, ends })
    }

    /// `aws`, `aws-us-gov`, `aws-cn` …, as the caller's own ARN has it.
    pub fn partition(&self) -> &str {
        self.inner
            .identity
            .arn
            .split(':')
            .nth(1)
            .filter(|p| !p.is_empty())
            .unwrap_or("aws")
    }
}

fn wrong_account(place: &Place, whose: String) -> AwsError {
    AwsError {
        service: "STS",
        operation: "GetCallerIdentity",
        account: Some(place.account.clone()),
        region: place.region.clone(),
        code: "WrongAccount".to_owned(),
        message: format!("the session for {} is one of {whose}", place.account),
        status: None,
        reason: None,
        class: ErrorClass::Stop,
        attempts: 1,
    }
}
