//! S6 and S7: nothing is done twice, one operation at a time, nobody else's is stopped. S10, S11: versions and
//! parameters of instances.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::sandbox::world::World;
use crate::sandbox::world::cloudformation::stack_sets::{
    Action, InstanceStatus, Operation, RowStatus,
};
use crate::simulation::intent;
use crate::simulation::record::Call;

use super::{Facts, Findings};

/// What an operation was asked for, so that a second one for the same is known.
#[derive(Debug, Clone, PartialEq)]
struct Errand {
    id: String,
    request: serde_json::Value,
}

#[derive(Debug, Default)]
pub struct Operations {
    /// Operations of the set before the call.
    before: usize,
    /// Before the call every instance of the set was as its last operation had left it, and CURRENT.
    all_current: bool,
    /// Ids of ours, by StackSet, oldest first.
    ours: BTreeMap<String, Vec<Errand>>,
    /// The executed change sets, by id or name of stack.
    executed: BTreeSet<String>,
}

impl Operations {
    pub fn before(&mut self, world: &World, call: &Call) {
        if let Some(set) = call
            .text("StackSetName")
            .and_then(|name| intent::set(world, name))
        {
            self.before = set.operations.len();
            self.all_current = set
                .instances
                .values()
                .all(|instance| instance.status == InstanceStatus::Current);
        }
    }

    pub fn after(&mut self, world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
        if call.operation == "StopStackSetOperation" {
            let id = call.text("OperationId").unwrap_or_default();
            let ours = self.ours.values().flatten().any(|errand| errand.id == id);
            findings.check("S7", ours, || {
                format!("an operation of somebody else was stopped: {}", call.line())
            });
        }
        if call.operation == "ExecuteChangeSet" && call.succeeded() {
            let set = format!(
                "{}/{}",
                call.text("StackName").unwrap_or_default(),
                call.text("ChangeSetName").unwrap_or_default()
            );
            findings.check("S6", self.executed.insert(set), || {
                format!("a change set was executed twice: {}", call.line())
            });
        }
        let (Some(name), Some(id)) = (call.text("StackSetName"), call.text("OperationId")) else {
            return;
        };
        let Some(set) = intent::set(world, name) else {
            return;
        };
        findings.near_if("S6", call.is_ambiguous());
        let foreign_runs = set
            .operations
            .iter()
            .any(|o| !o.status.is_final() && facts.foreign_operations.contains(o.id.as_ref()));
        findings.near_if("S7", foreign_runs);
        if set.operations.len() <= self.before {
            return;
        }
        let ours = self.ours.entry(name.to_owned()).or_default();
        let request = without_id(&call.input);
        let last = set.operations.iter().rev().nth(1);
        if let (Some(errand), Some(last)) = (ours.last(), last) {
            // Between the two nobody else did anything, and the first one did all that was asked.
            // A list of instances that lags may still have called them OUTDATED.
            let lag = SignedDuration::from_secs(i64::from(world.settings.instance_lag_seconds));
            let seen = last
                .ended
                .is_none_or(|ended| world.now.duration_since(ended) > lag);
            let repeated = seen
                && errand.request == request
                && errand.id == last.id.as_ref()
                && succeeded(last)
                && self.all_current;
            findings.check("S6", !repeated, || {
                format!(
                    "operation {id} does again what operation {} had done: {}",
                    last.id,
                    call.line()
                )
            });
        }
        ours.push(Errand {
            id: id.to_owned(),
            request,
        });
        let running = set
            .operations
            .iter()
            .filter(|o| !o.status.is_final())
            .filter(|o| ours.iter().any(|errand| errand.id == o.id.as_ref()))
            .count();
        findings.check("S7", running <= 1, || {
            format!(
                "{running} operations of ours run on {name}: {}",
                call.line()
            )
        });
        parameters(world, facts, findings);
    }
}

fn without_id(input: &serde_json::Value) -> serde_json::Value {
    let mut input = input.clone();
    if let Some(members) = input.as_object_mut() {
        members.remove("OperationId");
    }
    input
}

fn succeeded(operation: &Operation) -> bool {
    operation.action != Action::DetectDrift
        && !operation.rows.is_empty()
        && operation
            .rows
            .iter()
            .all(|row| row.status == RowStatus::Succeeded)
}

/// S11: an instance carries the values of its own environment, never those of another or a template's defaults.
/// S10: its template is one that was promoted there.
pub fn parameters(world: &World, facts: &Facts, findings: &mut Findings) {
    for (name, wanted) in &facts.intent.sets {
        let Some(set) = intent::set(world, name) else {
            continue;
        };
        let previous = facts.previous.sets.get(name);
        for (key, instance) in &set.instances {
            let Some(stack) = intent::stack_of(world, key, instance) else {
                continue;
            };
            if !intent::is_done(stack) {
                continue;
            }
            let live = stack.parameters.as_ref();
            let now = wanted.instances.get(key);
            let before = previous.and_then(|previous| previous.instances.get(key));
            findings.near_if("S11", now != before);
            let foreign = facts.changed_by_others.contains(name);
            let known = now == Some(live) || before == Some(live) || foreign;
            findings.check("S11", known, || {
                format!(
                    "{name} in {} {} has {live:?}: neither {now:?} nor {before:?}",
                    key.0, key.1
                )
            });
            let body = intent::body(world, stack);
            let promoted = body.contains(&wanted.sign)
                || previous.is_some_and(|previous| body.contains(&previous.sign));
            findings.near_if("S10", now != before);
            findings.check("S10", promoted || foreign, || {
                format!(
                    "{name} in {} {} has a template that nobody promoted",
                    key.0, key.1
                )
            });
        }
    }
}
