//! Moves the definition back, deletes instances that were created, creates those that were deleted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::stack_sets::{Reach, StackSet};
use crate::plan::undo::{Opposite, Touched, Undo};
use crate::plan::{Action, Step, Target};
use crate::resources;
use crate::resources::stack::undo::HIDDEN;
use crate::resources::values::Planned;

use super::change::{Change, Definition, What};

/// Key of the pre-image of a definition: a [`Previous`].
pub const DEFINITION: &str = "definition";
/// Key of the digest of the definition that was sent: only that one is moved back.
pub const SENT: &str = "sent";
/// Key of the pre-image of overrides: one [`Overridden`] per instance.
pub const OVERRIDES: &str = "overrides";

/// A StackSet's definition as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    pub template: String,
    pub description: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub auto_deployment: bool,
}

/// What an instance had instead of the StackSet's own values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overridden {
    pub target: Target,
    pub values: BTreeMap<String, String>,
}

impl Previous {
    pub fn of(live: &StackSet) -> Self {
        Self {
            template: live.template_body.clone(),
            description: live.description.clone(),
            parameters: live.parameters.clone(),
            tags: live.tags.clone(),
            capabilities: live.capabilities.clone(),
            auto_deployment: live.auto_deployment,
        }
    }

    fn hides_a_value(&self) -> bool {
        self.parameters.values().any(|value| value == HIDDEN)
    }

    fn definition(self, template: String, template_bucket: Option<String>) -> Definition {
        Definition {
            description: self.description,
            template,
            parameters: self
                .parameters
                .into_iter()
                .map(|(name, value)| (name, Planned::Known(value)))
                .collect(),
            tags: self.tags,
            capabilities: self.capabilities,
            auto_deployment: self.auto_deployment,
            template_bucket,
        }
    }
}

pub fn undo(step: &Step, change: &Change, memory: &Touched, into: &mut Undo<'_>) {
    let name = &change.stack_set;
    let targets: Vec<Target> = memory.targets.iter().cloned().collect();
    let add = |into: &mut Undo<'_>, action, title: String, targets: Vec<Target>, what| {
        into.step(
            step,
            Opposite {
                action,
                title,
                targets,
                changes: Vec::new(),
                follows: matches!(
                    what,
                    What::UpdateInstances {
                        overrides: None,
                        ..
                    }
                ),
                change: resources::Change::StackSet(Change {
                    stack_set: name.clone(),
                    what,
                }),
            },
        );
    };
    match &change.what {
        What::Create(_) => add(
            into,
            Action::Delete,
            format!("delete StackSet {name}"),
            Vec::new(),
            What::Delete,
        ),
        What::Update {
            definition,
            reach,
            preferences,
            ..
        } => {
            let (Some(previous), Some(before)) = (
                memory.preimage::<Previous>(DEFINITION),
                memory.preimage::<String>(SENT),
            ) else {
                return into.stays(
                    step,
                    format!("the earlier definition of {name} is not known; it stays as it is"),
                );
            };
            if previous.hides_a_value() {
                return into.stays(
                    step,
                    format!("StackSet {name} stays as it is: AWS does not tell the earlier value of a NoEcho parameter"),
                );
            }
            let template = into.blob(&previous.template);
            let what = What::Update {
                before,
                definition: previous.definition(template, definition.template_bucket.clone()),
                reach: only(reach, &targets),
                preferences: preferences.clone(),
            };
            let title = format!("move StackSet {name} back");
            add(into, Action::Update, title, targets, what);
        }
        What::CreateInstances {
            reach, preferences, ..
        } => {
            if targets.is_empty() {
                return;
            }
            let what = What::DeleteInstances {
                reach: only(reach, &targets),
                preferences: preferences.clone(),
                retain: false,
            };
            add(
                into,
                Action::Delete,
                "delete instances that were created".to_owned(),
                targets,
                what,
            );
            into.stays(
                step,
                format!("what the stacks of {name} keep when they are deleted (buckets, keys, log groups) stays"),
            );
        }
        // Without overrides it only brought instances to the definition; they follow it back.
        What::UpdateInstances {
            reach,
            overrides: None,
            preferences,
        } => {
            let moved = into.plan.steps.iter().any(|other| {
                into.touched.contains_key(&other.id)
                    && matches!(&other.change, resources::Change::StackSet(change)
                        if change.stack_set == *name && matches!(change.what, What::Update { .. }))
            });
            if !moved {
                return into.stays(
                    step,
                    format!(
                        "instances of {name} stay at its definition, which an earlier run moved"
                    ),
                );
            }
            if !targets.is_empty() {
                let what = What::UpdateInstances {
                    reach: only(reach, &targets),
                    overrides: None,
                    preferences: preferences.clone(),
                };
                let title = "bring instances back to the earlier definition".to_owned();
                add(into, Action::Update, title, targets, what);
            }
        }
        What::UpdateInstances {
            reach,
            overrides: Some(_),
            preferences,
        } => {
            let before: Vec<Overridden> = memory.preimage(OVERRIDES).unwrap_or_default();
            let mut same: BTreeMap<BTreeMap<String, String>, Vec<Target>> = BTreeMap::new();
            for row in before {
                if memory.targets.contains(&row.target) {
                    same.entry(row.values).or_default().push(row.target);
                }
            }
            // One operation has one list of overrides; instances that had others stay, and are named.
            let mut same = same.into_iter();
            if let Some((values, targets)) = same.next() {
                let what = What::UpdateInstances {
                    reach: only(reach, &targets),
                    overrides: Some(
                        values
                            .into_iter()
                            .map(|(name, value)| (name, Planned::Known(value)))
                            .collect(),
                    ),
                    preferences: preferences.clone(),
                };
                let title = "give instances their earlier values back".to_owned();
                add(into, Action::Update, title, targets, what);
            }
            for (_, targets) in same {
                for target in targets {
                    into.stays(
                        step,
                        format!(
                            "the values of {name} in {} ({}) stay as they are",
                            target.account, target.region
                        ),
                    );
                }
            }
        }
        What::ImportInstances { .. } => {
            into.stays(step, format!("stacks that {name} took over stay with it"))
        }
        What::DeleteInstances { retain: true, .. } => into.stays(
            step,
            format!("stacks that {name} let go of stay without it"),
        ),
        What::DeleteInstances {
            reach,
            preferences,
            retain: false,
        } => {
            if targets.is_empty() {
                return;
            }
            let what = What::CreateInstances {
                reach: only(reach, &targets),
                overrides: BTreeMap::new(),
                preferences: preferences.clone(),
            };
            add(
                into,
                Action::Create,
                "create instances again that were deleted".to_owned(),
                targets,
                what,
            );
        }
        What::Delete => {
            let Some(previous) = memory.preimage::<Previous>(DEFINITION) else {
                return into.stays(
                    step,
                    format!("the definition of {name} is not known; it stays deleted"),
                );
            };
            let template = into.blob(&previous.template);
            let what = What::Create(previous.definition(template, None));
            add(
                into,
                Action::Create,
                format!("create StackSet {name} again"),
                Vec::new(),
                what,
            );
        }
    }
}

/// The operation's reach, cut to some of its targets.
fn only(reach: &Reach, targets: &[Target]) -> Reach {
    let mut reach = reach.clone();
    if targets.is_empty() {
        reach.units.clear();
    }
    reach
        .accounts
        .retain(|account| targets.iter().any(|target| target.account == *account));
    reach
        .regions
        .retain(|region| targets.iter().any(|target| target.region == *region));
    reach
}
