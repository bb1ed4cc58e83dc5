//! A team's bucket in the sandbox, reached through real SDK clients, and a folder that notices no death.

use std::time::Duration;

use super::*;
use crate::aws::{Aws, CallAs, Deployer, EmbeddedHttp, EmbeddedKeys, Options, Source};
use crate::journal::medium::bucket::Bucket;
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
