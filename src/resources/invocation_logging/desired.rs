//! Which configuration each account and Region should have.

use crate::aws::Place;
use crate::aws::bedrock::{CloudWatchDestination, LoggingConfig, S3Destination};
use crate::config::diagnostic::Origin;
use crate::config::model::{Component, Environment, Text};
use crate::config::text::{Filled, Syntax};
use crate::ids::{AccountId, Region};
use crate::resources::scope::{For, Scope};

use super::spec::{Foreign, S3, Spec};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub phase: String,
    pub component: String,
    pub environment: Option<String>,
    pub origin: Origin,
    pub place: Place,
    /// `None`: logging must be off.
    pub config: Option<LoggingConfig>,
    pub kms_alias: Option<String>,
    pub foreign: Foreign,
}

pub fn build(
    scope: &Scope<'_>,
    phase: &str,
    component: &Component,
    spec: &Spec,
    into: &mut Vec<Desired>,
) {
    let mut add = |environment: Option<&Environment>, account: &AccountId, regions: &[Region]| {
        let enabled = environment
            .and_then(|environment| environment.components.get(&component.name))
            .and_then(|own| own.enabled.as_ref())
            .map_or(spec.enabled, |enabled| enabled.value);
        for region in regions {
            let at = For {
                environment,
                account: Some(account),
                region: Some(region),
            };
            into.push(Desired {
                phase: phase.to_owned(),
                component: component.name.clone(),
                environment: environment.map(|environment| environment.name.clone()),
                origin: component.origin.clone(),
                place: Place::new(account, region),
                config: enabled.then(|| config(scope, spec, at)),
                kms_alias: spec
                    .kms_alias
                    .as_ref()
                    .filter(|_| enabled)
                    .map(|alias| fill(scope, alias, at)),
                foreign: spec.foreign,
            });
        }
    };
    match &spec.accounts {
        Some(names) if scope.without_environment() => {
            let regions = scope.regions(component, None);
            for account in names.iter().filter_map(|name| scope.named(name)) {
                if !scope.membership.protected.contains(account) {
                    add(None, account, &regions);
                }
            }
        }
        Some(_) => {}
        None => {
            for environment in scope.environments(component) {
                let regions = scope.regions(component, Some(environment));
                let members = scope
                    .membership
                    .members
                    .get(&environment.name)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                for member in members {
                    add(Some(environment), &member.account, &regions);
                }
            }
        }
    }
}

fn config(scope: &Scope<'_>, spec: &Spec, at: For<'_>) -> LoggingConfig {
    let s3 = |s3: &S3| S3Destination {
        bucket: fill(scope, &s3.bucket, at),
        key_prefix: s3
            .key_prefix
            .as_ref()
            .map(|prefix| fill(scope, prefix, at))
            .filter(|prefix| !prefix.is_empty()),
    };
    let bucket = spec.s3.as_ref().map(s3);
    let account = at.account.map(ToString::to_string).unwrap_or_default();
    LoggingConfig {
        cloud_watch: spec
            .cloud_watch
            .as_ref()
            .map(|destination| CloudWatchDestination {
                log_group: fill(scope, &destination.log_group, at),
                role_arn: format!(
                    "arn:{}:iam::{account}:role/{}",
                    scope.snapshot.partition,
                    fill(scope, &destination.role, at)
                ),
                // Bodies over 100 KB do not fit an event: they go to the bucket, where there is one.
                large_data: destination
                    .large_data
                    .as_ref()
                    .map(s3)
                    .or_else(|| bucket.clone()),
            }),
        s3: bucket,
        text: spec.deliver.text,
        image: spec.deliver.image,
        embedding: spec.deliver.embedding,
        video: spec.deliver.video,
        audio: spec.deliver.audio,
    }
}

/// References were checked when the files were read; one that is unknown all the same stays visible.
fn fill(scope: &Scope<'_>, source: &str, at: For<'_>) -> String {
    match Text::parse(source, Syntax::Value) {
        Ok(text) => match text.fill(&|reference| scope.fixed(reference, at)) {
            Filled::Known(text) => text,
            Filled::Unknown(_) => source.to_owned(),
        },
        Err(_) => source.to_owned(),
    }
}
