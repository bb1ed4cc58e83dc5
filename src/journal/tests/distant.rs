//! A team's bucket in the sandbox, reached through real SDK clients, and a folder that notices no death.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::*;
use crate::aws::{Aws, CallAs, Deployer, EmbeddedHttp, EmbeddedKeys, Options, Source};
use crate::journal::medium::bucket::Bucket;
use crate::journal::medium::{Hold, MediumError, Position, Slot, Stored, Version};
use crate::sandbox::faults::{Fault, Faults, What, When};
use crate::sandbox::world::s3::buckets;
use crate::sandbox::world::{AccountId, Place, Region};
use crate::sandbox::{self, Sandbox, seed};

pub const BUCKET: &str = "bedrail-records-111111111111-us-east-1-an";
pub const PLACE: &str = "s3://bedrail-records-111111111111-us-east-1-an/team";

/// An organization, and a bucket for records in its management account.
pub struct Cloud {
    pub sandbox: Sandbox,
    pub clock: Clock,
}

impl Cloud {
    pub fn new() -> Self {
        let world = seed::default(morning(), Vec::new());
        let clock = Clock::starting_at(morning());
        let sandbox = Sandbox::in_memory(world, sandbox::Clock::starting_at(morning()));
        Self { sandbox, clock }
    }

    /// With the bucket, in hands of `owner` or of whoever calls.
    pub async fn with_bucket(owner: Option<&str>) -> Self {
        let cloud = Self::new();
        let account = match owner {
            Some(owner) => owner.to_owned(),
            None => cloud.aws(cloud.clock).await.home().account.to_string(),
        };
        let place = Place {
            account: AccountId(account),
            region: Region("us-east-1".to_owned()),
        };
        cloud
            .sandbox
            .change(|world| buckets::create(world, &place, BUCKET))
            .unwrap()
            .unwrap();
        cloud
    }

    pub async fn aws(&self, clock: Clock) -> Aws {
        let aws = Aws::connect(Options {
            source: Source::Embedded {
                http: EmbeddedHttp::new(self.sandbox.http_client()),
                keys: EmbeddedKeys {
                    access_key: "AKIASANDBOXADMIN0001".to_owned(),
                    secret_key: "sandbox".to_owned(),
                },
                role: None,
            },
            clock,
            home_region: "us-east-1".parse().unwrap(),
            deployer: Deployer {
                role: "BedrailDeployer".to_owned(),
                external_id: None,
                session_duration: Duration::from_secs(3600),
            },
            call_as: CallAs::SelfManagement,
            pacing: None,
        })
        .await
        .unwrap();
        aws.allow_writes();
        aws
    }

    /// Another process: with a connection of its own.
    pub async fn medium(&self) -> Arc<dyn Medium> {
        Arc::new(Bucket::at(
            &self.aws(self.clock).await,
            PLACE.parse().unwrap(),
        ))
    }

    pub fn on_put(&self, when: When, what: What) {
        let rule = Fault {
            service: Some("s3".to_owned()),
            operation: Some("PutObject".to_owned()),
            account: None,
            region: None,
            when,
            what,
        };
        self.sandbox.set_faults(Faults::seeded(1, vec![rule]));
    }
}

/// A medium whose first append comes just after one of somebody else.
#[derive(Debug)]
pub struct Overtaken {
    pub medium: Arc<dyn Medium>,
    pub by: Mutex<Option<(Journal, Entry)>>,
}

type Answer<'a, T> = LocalBoxFuture<'a, Result<T, MediumError>>;

impl Medium for Overtaken {
    fn append<'a>(&'a self, run: &'a RunId, at: Position, bytes: Vec<u8>) -> Answer<'a, Position> {
        async move {
            let other = self.by.lock().unwrap().take();
            if let Some((journal, entry)) = other {
                journal.record(entry).await.unwrap();
            }
            self.medium.append(run, at, bytes).await
        }
        .boxed_local()
    }

    fn place(&self) -> String {
        self.medium.place()
    }

    fn read<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<Stored>> {
        self.medium.read(run)
    }

    fn settle<'a>(
        &'a self,
        run: &'a RunId,
        stored: &'a Stored,
        length: usize,
    ) -> Answer<'a, Position> {
        self.medium.settle(run, stored, length)
    }

    fn runs(&self) -> Answer<'_, Vec<RunId>> {
        self.medium.runs()
    }

    fn put<'a>(&'a self, run: &'a RunId, name: &'a str, bytes: Vec<u8>) -> Answer<'a, ()> {
        self.medium.put(run, name, bytes)
    }

    fn get<'a>(&'a self, run: &'a RunId, name: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        self.medium.get(run, name)
    }

    fn look<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Slot>> {
        self.medium.look(name)
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        seen: Option<&'a Version>,
        bytes: Vec<u8>,
    ) -> Answer<'a, Option<Version>> {
        self.medium.swap(name, seen, bytes)
    }

    fn hold<'a>(&'a self, name: &'a str) -> Answer<'a, Hold> {
        self.medium.hold(name)
    }
}
