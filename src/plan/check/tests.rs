//! Each rule has a plan that breaks it, and only it.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::aws::stack_sets::{Preferences, Reach};
use crate::config::load;
use crate::ids::Region;
use crate::organization::{Account, AccountState, Member, Membership, Snapshot};
use crate::plan::model::WorstCase;
use crate::plan::{Action, Estimate, PlannedWave, Target};
use crate::resources::invocation_logging::change::Before;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::Filter;

const MANAGEMENT: &str = "111111111111";
const MEMBER: &str = "222222222222";
const PROTECTED: &str = "999999999999";
const STRANGER: &str = "888888888888";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn region() -> Region {
    "us-east-1".parse().unwrap()
}

fn snapshot() -> Snapshot {
    let root: crate::ids::RootId = "r-exmp".parse().unwrap();
    let accounts = [MANAGEMENT, MEMBER, PROTECTED].map(|id| {
        let row = Account {
            name: id.to_owned(),
            state: AccountState::Active,
            parent: root.clone().into(),
            tags: None,
        };
        (account(id), row)
    });
    Snapshot {
        organization: "o-exampleorg1".parse().unwrap(),
        partition: "aws".to_owned(),
        management_account: account(MANAGEMENT),
        root,
        policy_types: BTreeMap::new(),
        units: BTreeMap::new(),
        accounts: accounts.into_iter().collect(),
    }
}

/// What a plan breaks, by rule and step.
fn broken(plan: &Plan) -> Vec<(Rule, Option<String>)> {
    let loaded = load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml").unwrap();
    let (snapshot, filter) = (snapshot(), Filter::default());
    let membership = Membership {
        protected: [account(PROTECTED)].into(),
        members: [(
            "dev".to_owned(),
            vec![Member {
                account: account(MEMBER),
                unit: "r-exmp".parse().unwrap(),
            }],
        )]
        .into(),
        ..Membership::default()
    };
    let scope = Scope {
        rollout: &loaded.rollout,
        snapshot: &snapshot,
        membership: &membership,
        filter: &filter,
    };
    check(plan, &scope)
        .into_iter()
        .map(|violation| (violation.rule, violation.step.map(|id| id.0)))
        .collect()
}

fn step(id: &str, phase: &str, change: Change, lock: Option<Lock>) -> Step {
    Step {
        id: StepId(id.to_owned()),
        phase: phase.to_owned(),
        kind: change.kind(),
        component: id.to_owned(),
        environment: None,
        wave: None,
        account: None,
        region: None,
        action: Action::Create,
        title: String::new(),
        reason: String::new(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock,
        preimage: String::new(),
        payload: digest::of(&change),
        change,
    }
}

/// Creates an instance in each of the accounts.
fn instances(id: &str, accounts: &[&str]) -> Step {
    let reach = Reach {
        units: vec!["r-exmp".parse().unwrap()],
        accounts: accounts.iter().map(|id| account(id)).collect(),
        regions: vec![region()],
    };
    let mut step = reaching(id, reach);
    step.targets = accounts
        .iter()
        .map(|id| Target {
            account: account(id),
            region: region(),
        })
        .collect();
    step
}

fn reaching(id: &str, reach: Reach) -> Step {
    let change = Change::StackSet(stack_set::change::Change {
        stack_set: id.to_owned(),
        what: stack_set::change::What::CreateInstances {
            reach,
            overrides: BTreeMap::new(),
            preferences: Preferences {
                max_concurrent: 1,
                failure_tolerance: 0,
                soft: false,
                parallel_regions: false,
                region_order: Vec::new(),
            },
        },
    });
    step(id, "members", change, Some(Lock::StackSet(id.to_owned())))
}

fn policy(id: &str, what: policy::change::What) -> Step {
    let change = Change::Policy(policy::change::Change {
        policy_type: PolicyType::ServiceControlPolicy,
        name: id.to_owned(),
        id: None,
        what,
    });
    step(id, "seal", change, Some(Lock::Organizations))
}

fn after(mut step: Step, id: &str) -> Step {
    step.after = vec![StepId(id.to_owned())];
    step
}

fn plan(steps: Vec<Step>) -> Plan {
    let mut plan = crate::cli::render::fixtures::PlanBuilder::new(0).build();
    plan.steps = steps;
    plan
}

fn only(rule: Rule, step: &str) -> Vec<(Rule, Option<String>)> {
    vec![(rule, Some(step.to_owned()))]
}

#[test]
fn a_plan_that_keeps_the_rules_breaks_none() {
    let attach = policy::change::What::attach(MEMBER.parse().unwrap());
    let kept = plan(vec![
        instances("a", &[MEMBER]),
        after(policy("b", attach), "a"),
    ]);
    assert_eq!(broken(&kept), []);
}

#[test]
fn ids_are_unique() {
    let twice = plan(vec![instances("a", &[MEMBER]), instances("a", &[MEMBER])]);
    assert_eq!(broken(&twice), only(Rule::UniqueIds, "a"));
}

#[test]
fn steps_wait_for_earlier_ones_of_the_plan_in_no_circle() {
    let nowhere = plan(vec![after(instances("a", &[MEMBER]), "gone")]);
    assert!(broken(&nowhere).contains(&(Rule::Order, Some("a".to_owned()))));

    let backwards = plan(vec![
        after(instances("a", &[MEMBER]), "b"),
        policy("b", policy::change::What::Delete { content: None }),
    ]);
    assert_eq!(broken(&backwards), only(Rule::Order, "a"));

    let circle = plan(vec![
        after(instances("a", &[MEMBER]), "b"),
        after(instances("b", &[MEMBER]), "a"),
    ]);
    assert_eq!(broken(&circle), [(Rule::Order, None)]);
}

/// S1, S2: protected accounts, strangers and the management account.
#[test]
fn nothing_reaches_accounts_that_are_not_to_be_touched() {
    for id in [PROTECTED, STRANGER, MANAGEMENT] {
        let reached = plan(vec![instances("a", &[MEMBER, id])]);
        assert_eq!(broken(&reached), only(Rule::Scope, "a"), "{id}");
    }
    let attach = policy::change::What::attach(PROTECTED.parse().unwrap());
    assert_eq!(
        broken(&plan(vec![policy("a", attach)])),
        only(Rule::Scope, "a")
    );
}

#[test]
fn an_operation_reaches_what_its_step_says_through_at_most_fifty_units() {
    let mut more = instances("a", &[MEMBER]);
    more.targets.clear();
    assert_eq!(broken(&plan(vec![more])), only(Rule::Reach, "a"));

    let target = Target {
        account: account(MEMBER),
        region: region(),
    };
    for units in [0, 51] {
        let reach = Reach {
            units: (0..units)
                .map(|n| format!("ou-exmp-{n:08}").parse().unwrap())
                .collect(),
            accounts: vec![account(MEMBER)],
            regions: vec![region()],
        };
        let mut step = reaching("a", reach);
        step.targets = vec![target.clone()];
        assert_eq!(broken(&plan(vec![step])), only(Rule::Reach, "a"), "{units}");
    }
}

#[test]
fn changes_that_exclude_each_other_carry_their_lock() {
    let mut free = instances("a", &[MEMBER]);
    free.lock = None;
    assert_eq!(broken(&plan(vec![free])), only(Rule::Locks, "a"));

    let mut other = instances("a", &[MEMBER]);
    other.lock = Some(Lock::StackSet("b".to_owned()));
    assert_eq!(broken(&plan(vec![other])), only(Rule::Locks, "a"));

    let mut open = policy("a", policy::change::What::Delete { content: None });
    open.lock = None;
    assert_eq!(broken(&plan(vec![open])), only(Rule::Locks, "a"));
}

/// S3: what is sent is what was shown, and all of it stands in the plan.
#[test]
fn what_a_step_sends_is_in_the_plan() {
    let mut altered = instances("a", &[MEMBER]);
    altered.payload = digest::of(&"something else");
    assert_eq!(broken(&plan(vec![altered])), only(Rule::Payload, "a"));

    let create = policy::change::What::Create {
        description: String::new(),
        content: "not there".to_owned(),
        tags: BTreeMap::new(),
    };
    let textless = plan(vec![policy("a", create)]);
    assert_eq!(broken(&textless), only(Rule::Payload, "a"));

    let nowhere = Change::InvocationLogging(invocation_logging::change::Change {
        config: None,
        before: Before::Unread,
        kms_alias: None,
        replace_foreign: false,
    });
    let nowhere = plan(vec![step("a", "logging", nowhere, None)]);
    assert_eq!(broken(&nowhere), only(Rule::Payload, "a"));
}

/// A plan for dev in two waves.
fn in_waves(first: &[&str], second: &[&str], steps: Vec<Step>) -> Plan {
    let wave = |name: &str, accounts: &[&str]| PlannedWave {
        name: name.to_owned(),
        accounts: accounts.iter().map(|id| account(id)).collect(),
        changed: accounts.len(),
        regions: vec![region()],
        max_concurrent: 1,
        effective_concurrency: 1,
        failure_tolerance: 0,
        soft: false,
        worst_case_failures: WorstCase::default(),
        bake: 0,
        gate: None,
        approval: None,
        estimate: Estimate::default(),
    };
    let mut plan = crate::cli::render::fixtures::PlanBuilder::new(0)
        .environment("dev", 1, &[])
        .build();
    if let Some(order) = plan.environments.get_mut("dev") {
        order.waves = vec![wave("canary", first), wave("rest", second)];
    }
    plan.steps = steps;
    plan
}

fn of(mut step: Step, wave: &str) -> Step {
    step.environment = Some("dev".to_owned());
    step.wave = Some(wave.to_owned());
    step
}

#[test]
fn waves_divide_their_environment() {
    assert_eq!(broken(&in_waves(&[MEMBER], &[], Vec::new())), []);
    for (first, second) in [
        (&[][..], &[][..]),
        (&[MEMBER], &[MEMBER]),
        (&[MEMBER], &[MANAGEMENT]),
    ] {
        let plan = in_waves(first, second, Vec::new());
        assert_eq!(broken(&plan), [(Rule::Waves, None)], "{first:?} {second:?}");
    }
}

/// S8: nothing of a wave reaches an account of another one.
#[test]
fn a_step_keeps_to_the_accounts_of_its_wave() {
    let kept = in_waves(
        &[MEMBER],
        &[],
        vec![of(instances("a", &[MEMBER]), "canary")],
    );
    assert_eq!(broken(&kept), []);
    for wave in ["rest", "other"] {
        let early = in_waves(&[MEMBER], &[], vec![of(instances("a", &[MEMBER]), wave)]);
        assert_eq!(broken(&early), only(Rule::Waves, "a"), "{wave}");
    }
}

#[test]
fn no_wave_waits_for_a_later_one() {
    let first = after(of(instances("a", &[MEMBER]), "canary"), "b");
    let second = of(instances("b", &[MEMBER]), "rest");
    let circle = in_waves(&[MEMBER], &[], vec![first, second]);
    assert!(broken(&circle).contains(&(Rule::Order, None)));
}

/// "The definition is moved once."
#[test]
fn a_definition_is_moved_once() {
    let moving = |id: &str| {
        let change = Change::StackSet(stack_set::change::Change {
            stack_set: "one".to_owned(),
            what: stack_set::change::What::Update {
                definition: stack_set::change::Definition {
                    description: String::new(),
                    template: "t".to_owned(),
                    parameters: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    capabilities: Vec::new(),
                    auto_deployment: false,
                    template_bucket: None,
                },
                before: String::new(),
                reach: Reach {
                    units: Vec::new(),
                    accounts: Vec::new(),
                    regions: Vec::new(),
                },
                preferences: Preferences {
                    max_concurrent: 1,
                    failure_tolerance: 0,
                    soft: false,
                    parallel_regions: false,
                    region_order: Vec::new(),
                },
            },
        });
        step(
            id,
            "members",
            change,
            Some(Lock::StackSet("one".to_owned())),
        )
    };
    let mut once = plan(vec![moving("a")]);
    once.blobs.insert("t".to_owned(), String::new());
    assert_eq!(broken(&once), []);
    let mut twice = plan(vec![moving("a"), moving("b")]);
    twice.blobs.insert("t".to_owned(), String::new());
    assert_eq!(broken(&twice), only(Rule::Waves, "b"));
}
