//! Each rule has a plan that breaks it, and only it.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::aws::stack_sets::{Preferences, Reach};
use crate::config::load;
use crate::ids::Region;
use crate::organization::{Account, AccountState, Membership, Snapshot};
use crate::plan::{Action, Target};
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
