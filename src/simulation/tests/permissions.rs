//! SEC-01: what was called in simulated runs is what the one table of permissions grants, nothing missing and nothing that
//! is never sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::aws::permissions::{TABLE, Who, of};
use crate::simulation::draw::{Options, Start};
use crate::simulation::{fleet, run, sweep};

/// A rollout begun, changed, and taken back, in good and in bad weather.
const SEEDS: std::ops::Range<u64> = 0..24;

/// Operations of commands and declarations that the simulated rollouts do not have; each has a test of its own elsewhere.
const ELSEWHERE: &[&str] = &[
    // Drift, doctor.
    "HeadBucket",
    "SimulatePrincipalPolicy",
    // A bucket for the journal, a bucket for large templates.
    "GetObject",
    "HeadObject",
    "ListObjectsV2",
    "PutObject",
    // A declared delegated administrator.
    "ListDelegatedAdministrators",
    "RegisterDelegatedAdministrator",
    // Where AWS leaves `Paths` of accounts empty.
    "ListAccountsForParent",
    // Only after an interruption with --stop-operations.
    "StopStackSetOperation",
];

fn sdk_name(signing: &str) -> &'static str {
    match signing {
        "bedrock" => "Bedrock",
        "cloudformation" => "CloudFormation",
        "monitoring" => "CloudWatch",
        "kms" => "KMS",
        "organizations" => "Organizations",
        "s3" => "S3",
        "iam" => "IAM",
        _ => "STS",
    }
}

#[test]
fn every_simulated_call_is_granted_to_who_made_it_and_every_grant_is_used() {
    let seen: Mutex<BTreeMap<(&'static str, String), BTreeSet<Who>>> = Mutex::default();
    fleet::on_threads(1, || {
        let all = SEEDS
            .map(Options::draw)
            .chain([sweep::quiet(Start::Nothing)]);
        for options in all {
            let outcome = run::run(&options).unwrap();
            let management = crate::sandbox::seed::MANAGEMENT;
            let mut seen = seen.lock().unwrap();
            for call in &outcome.calls {
                let Some(account) = &call.account else {
                    continue;
                };
                let who = if account.0 == management {
                    Who::Operator
                } else {
                    Who::Deployer
                };
                seen.entry((sdk_name(call.service), call.operation.clone()))
                    .or_default()
                    .insert(who);
            }
        }
    });
    let seen = seen.into_inner().unwrap();
    for ((service, operation), who) in &seen {
        let entry = of(service, operation)
            .unwrap_or_else(|| panic!("{service} {operation} is not in the table"));
        for who in who {
            assert!(
                entry.who.contains(who),
                "{who:?} sends {service} {operation}"
            );
        }
    }
    let unused: Vec<String> = TABLE
        .iter()
        .filter(|entry| !ELSEWHERE.contains(&entry.operation))
        .flat_map(|entry| {
            entry
                .who
                .iter()
                .filter(|who| {
                    !seen
                        .get(&(entry.service, entry.operation.to_owned()))
                        .is_some_and(|seen| seen.contains(who))
                })
                .map(|who| format!("{who:?} {} {}", entry.service, entry.operation))
        })
        .collect();
    assert!(unused.is_empty(), "granted and never sent: {unused:#?}");
}
