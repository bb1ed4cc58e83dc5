//! The plan that takes another one back: for each step that was touched its opposite, in the opposite order.
//! Pure: made from the plan that ran and from what its journal remembers.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::digest;
use crate::resources::{self, Change};

use super::model::{Action, FieldChange, Note, NoteKind, Plan, Step, StepId, Target};

/// What is remembered of a step that was touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Instances that the step may have changed.
    pub targets: BTreeSet<Target>,
    /// What was there just before, by the kind's own keys.
    pub preimages: BTreeMap<String, Json>,
}

impl Touched {
    /// A pre-image, if it was remembered and can still be read.
    pub fn preimage<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let value = self.preimages.get(key)?;
        serde_json::from_value(value.clone()).ok()
    }
}

/// The opposite of one step.
#[derive(Debug)]
pub struct Opposite {
    pub action: Action,
    pub title: String,
    pub targets: Vec<Target>,
    pub changes: Vec<FieldChange>,
    pub change: Change,
    /// Runs after the opposites of what the step itself ran after, not before them: an instance follows its
    /// StackSet's definition backwards as it did forwards.
    pub follows: bool,
}

/// Gathers opposites; each kind adds its own.
#[derive(Debug)]
pub struct Undo<'a> {
    pub plan: &'a Plan,
    /// All steps that were touched.
    pub touched: &'a BTreeMap<StepId, Touched>,
    steps: Vec<Step>,
    /// Steps whose opposite follows.
    followers: BTreeSet<StepId>,
    notes: Vec<Note>,
    blobs: BTreeMap<String, String>,
}

impl Undo<'_> {
    pub fn step(&mut self, of: &Step, opposite: Opposite) {
        if opposite.follows {
            self.followers.insert(of.id.clone());
        }
        self.steps.push(Step {
            id: id_of(&of.id),
            phase: of.phase.clone(),
            kind: of.kind,
            component: of.component.clone(),
            environment: of.environment.clone(),
            account: of.account.clone(),
            region: of.region.clone(),
            wave: None,
            action: opposite.action,
            title: opposite.title,
            reason: format!("takes back {}", of.id),
            after: Vec::new(),
            targets: opposite.targets,
            changes: opposite.changes,
            lock: of.lock.clone(),
            preimage: of.payload.clone(),
            payload: digest::of(&opposite.change),
            change: opposite.change,
        });
    }

    /// Something that cannot be taken back, and why: one sentence without a full stop.
    pub fn stays(&mut self, of: &Step, text: String) {
        self.notes.push(Note {
            kind: NoteKind::Advice,
            component: Some(of.component.clone()),
            environment: of.environment.clone(),
            account: of.account.clone(),
            region: of.region.clone(),
            text,
        });
    }

    /// Keeps a text in the plan and returns its digest.
    pub fn blob(&mut self, text: &str) -> String {
        let digest = digest::of_bytes(text.as_bytes());
        self.blobs.insert(digest.clone(), text.to_owned());
        digest
    }
}

/// What ran after a step is taken back before it, but for followers.
fn order(steps: &mut [Step], plan: &Plan, followers: &BTreeSet<StepId>) {
    let present: BTreeMap<StepId, usize> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| (step.id.clone(), at))
        .collect();
    for later in &plan.steps {
        for earlier in &later.after {
            let (first, second) = if followers.contains(&later.id) {
                (id_of(earlier), id_of(&later.id))
            } else {
                (id_of(&later.id), id_of(earlier))
            };
            if !present.contains_key(&first) {
                continue;
            }
            if let Some(step) = present.get(&second).and_then(|at| steps.get_mut(*at)) {
                step.after.push(first);
            }
        }
    }
}

fn id_of(id: &StepId) -> StepId {
    StepId(format!("{id}/undo"))
}

/// Takes back the steps of `plan` that were touched.
pub fn undo(plan: &Plan, touched: &BTreeMap<StepId, Touched>) -> Plan {
    let mut undo = Undo {
        plan,
        touched,
        steps: Vec::new(),
        followers: BTreeSet::new(),
        notes: Vec::new(),
        blobs: BTreeMap::new(),
    };
    for step in plan.steps.iter().rev() {
        if let Some(memory) = touched.get(&step.id) {
            resources::undo(step, memory, &mut undo);
        }
    }
    let Undo {
        mut steps,
        followers,
        notes,
        blobs,
        ..
    } = undo;
    order(&mut steps, plan, &followers);
    let phases: Vec<String> = plan.phases.iter().rev().cloned().collect();
    steps.sort_by_key(|step| phases.iter().position(|phase| *phase == step.phase));
    let mut environments = plan.environments.clone();
    for order in environments.values_mut() {
        order.after.clear();
        // What goes wrong is taken back everywhere at once.
        order.waves.clear();
    }
    let mut back = Plan {
        digest: String::new(),
        summary: super::draft::summarise(&steps, 0),
        phases,
        environments,
        steps,
        notes,
        blobs,
        ..plan.clone()
    };
    back.digest = back.compute_digest();
    back
}
