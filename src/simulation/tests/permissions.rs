//! SEC-01: what was called in simulated runs is granted by the one table of permissions, to who called. (That nothing in the table
//! is never sent is proved beside it, from the calls that the code names.)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::aws::permissions::{Who, of};
use crate::simulation::draw::{Options, Start};
use crate::simulation::{fleet, run, sweep};

/// A rollout begun, changed, and taken back, in good and in bad weather.
const SEEDS: std::ops::Range<u64> = 0..24;
/// Different operations that these runs make at least.
const LEAST: usize = 30;

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
fn every_simulated_call_is_granted_to_who_made_it() {
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
                // The user logs in, perhaps from a wrong account: that is before the tool has any role.
                if call
                    .text("RoleArn")
                    .is_some_and(|role| role.ends_with(":role/bedrail-operator"))
                {
                    continue;
                }
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
    // The whole of a rollout was there to be seen.
    assert!(seen.len() >= LEAST, "{} operations", seen.len());
}
