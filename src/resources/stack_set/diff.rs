//! What must happen to which StackSet and to which of its instances.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::stack_sets::Instance;
use crate::config::codes;
use crate::ids::{AccountId, TargetId};
use crate::plan::teardown::closed;
use crate::plan::waves::{ALL, Wave, Waves};
use crate::plan::{
    Action, Draft, FieldChange, Lock, Note, NoteKind, Shown, StepDraft, StepId, Target, preimage,
};
use crate::resources;
use crate::resources::organization_access::diff::STACK_SETS;
use crate::resources::scope::For;
use crate::resources::stack::diff::{map_changes, parameter_changes, template_changes};
use crate::resources::values::{Planned, plan_parameters};
use crate::template::{BODY_LIMIT, Template, retained};

use super::change::{Change, Definition, What};
use super::desired::Desired;
use super::groups::{Group, group};
use super::observe::{Live, Observed};
use super::teardown::forgotten;

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let handed = handed_over(desired, observed, draft);
    for desired in desired {
        let live = observed.sets.get(&desired.name);
        one(desired, live, &handed, draft);
    }
    if draft.scope.filter.is_empty() {
        leftovers(desired, observed, draft);
    }
}

/// The steps on one StackSet.
pub(super) struct Chain<'d, 's> {
    pub desired: &'d Desired,
    pub draft: &'d mut Draft<'s>,
    /// What the next step waits for: the definition that it works with. Steps on instances do not wait for each
    /// other; the lock keeps them apart, and the waves keep them in order.
    pub after: Vec<StepId>,
}

impl Chain<'_, '_> {
    pub fn step(&mut self, wave: Option<&Wave>, step: Part) -> StepId {
        let desired = self.desired;
        let name = match wave {
            // The only wave of its environment needs no name.
            Some(wave) if wave.name != ALL => format!("{}/{}", wave.name, step.name),
            _ => step.name,
        };
        self.draft.step(StepDraft {
            phase: &desired.phase,
            component: &desired.component,
            environment: desired.environment.as_deref(),
            wave: wave.map(|wave| wave.name.as_str()),
            account: None,
            region: None,
            name,
            action: step.action,
            title: step.title,
            reason: step.reason,
            after: self.after.clone(),
            targets: step.targets,
            changes: step.changes,
            lock: Some(Lock::StackSet(desired.name.clone())),
            preimage: step.preimage,
            change: resources::Change::StackSet(Change {
                stack_set: desired.name.clone(),
                what: step.what,
            }),
        })
    }

    /// The same for a step that everything after it waits for.
    fn first(&mut self, wave: Option<&Wave>, step: Part) {
        self.after = vec![self.step(wave, step)];
    }
}

/// Cuts targets by wave, in the order of the waves; `None` where there are none.
fn cut<V: Clone>(
    targets: &BTreeMap<Target, V>,
    waves: Option<&Waves>,
) -> BTreeMap<Option<usize>, BTreeMap<Target, V>> {
    let mut parts: BTreeMap<Option<usize>, BTreeMap<Target, V>> = BTreeMap::new();
    for (target, value) in targets {
        let position = waves.map(|waves| {
            // Who does not belong any more comes last.
            let last = waves.waves.len().saturating_sub(1);
            waves.position(&target.account).unwrap_or(last)
        });
        parts
            .entry(position)
            .or_default()
            .insert(target.clone(), value.clone());
    }
    parts
}

pub(super) struct Part {
    pub name: String,
    pub action: Action,
    pub title: String,
    pub reason: String,
    pub targets: Vec<Target>,
    pub changes: Vec<FieldChange>,
    pub preimage: String,
    pub what: What,
}

/// Instances of accounts that moved from one environment to another, by component: their stacks change hands, which is
/// what `bedrail onboard` does, where any of them keeps something: deleting them here and making them anew there would
/// meet the buckets, keys and log groups that stay (E30, E44, E45).
fn handed_over(
    desired: &[Desired],
    observed: &Observed,
    draft: &mut Draft<'_>,
) -> BTreeSet<(String, Target)> {
    let mut handed = BTreeSet::new();
    let mut moves: BTreeMap<&AccountId, (&Desired, &Desired)> = BTreeMap::new();
    let mut keeping: BTreeSet<&AccountId> = BTreeSet::new();
    for old in desired {
        let Some(live) = observed
            .sets
            .get(&old.name)
            .filter(|_| old.environment.is_some())
        else {
            continue;
        };
        for target in live.instances.keys() {
            let new = desired.iter().find(|new| {
                new.component == old.component
                    && new.environment != old.environment
                    && new.instances.contains_key(target)
                    && observed
                        .sets
                        .get(&new.name)
                        .is_some_and(|set| !set.instances.contains_key(target))
            });
            let (false, Some(new)) = (old.instances.contains_key(target), new) else {
                continue;
            };
            handed.insert((old.component.clone(), target.clone()));
            moves.insert(&target.account, (old, new));
            if !retained(&live.set.template_body).is_empty() {
                keeping.insert(&target.account);
            }
        }
    }
    handed.retain(|(_, target)| keeping.contains(&target.account));
    for account in keeping {
        let Some((old, new)) = moves.get(account) else {
            continue;
        };
        draft.note(Note {
            kind: NoteKind::Advice,
            component: None,
            environment: None,
            account: Some(account.clone()),
            region: None,
            text: format!(
                "moved from {} to {}: `bedrail onboard {account}` hands its stacks over, with what they keep",
                old.environment.as_deref().unwrap_or_default(),
                new.environment.as_deref().unwrap_or_default(),
            ),
        });
    }
    handed
}

fn one(
    desired: &Desired,
    live: Option<&Live>,
    handed: &BTreeSet<(String, Target)>,
    draft: &mut Draft<'_>,
) {
    let changes_hands =
        |target: &Target| handed.contains(&(desired.component.clone(), target.clone()));
    let Some(template) = draft
        .scope
        .rollout
        .templates
        .get(&desired.template)
        .cloned()
    else {
        return;
    };
    let Some((definition, overrides)) = values(desired, &template, draft) else {
        return;
    };
    if let Some(live) = live
        && !live.is_of(&draft.scope.rollout.name)
    {
        draft.refuse(
            codes::NOT_OURS,
            Some(&desired.origin),
            format!("StackSet {} exists and does not belong to this rollout", desired.name),
            "rename the component, or tag the StackSet bedrail:rollout with the rollout's name to hand it over",
        );
        return;
    }
    let mut last: Vec<StepId> = draft.access.get(STACK_SETS).cloned().into_iter().collect();
    last.extend(
        draft.producers_of(
            definition
                .parameters
                .values()
                .chain(overrides.values().flat_map(BTreeMap::values)),
        ),
    );
    let waves = draft.waves_of(desired.environment.as_deref()).cloned();
    let waves = waves.as_ref();
    let wave_at = |position: Option<usize>| waves.zip(position).and_then(|(w, at)| w.waves.get(at));
    let mut chain = Chain {
        desired,
        draft,
        after: last,
    };
    let none = BTreeMap::new();
    let instances = live.map_or(&none, |live| &live.instances);
    let present: BTreeMap<&Target, &Instance> = instances
        .iter()
        .filter(|(target, _)| desired.instances.contains_key(*target))
        .collect();
    let inoperable = note_inoperable(desired, &present, chain.draft);

    let changes = match live {
        None => {
            create(&mut chain, &template, &definition);
            Vec::new()
        }
        Some(live) => definition_changes(&template, &definition, live),
    };
    let moved = !changes.is_empty();
    let usable = |target: &&Target| !inoperable.contains(target);
    // Without a new definition only what lags behind it, or has other overrides than declared, is updated.
    let mut stale: BTreeMap<Target, BTreeMap<String, Planned>> = BTreeMap::new();
    let mut unchanged = 0;
    for (target, instance) in &present {
        if inoperable.contains(target) {
            continue;
        }
        let wanted = overrides.get(*target).cloned().unwrap_or_default();
        let as_declared = live
            .and_then(|live| live.overrides.get(*target))
            .map_or(wanted.is_empty(), |live| same_overrides(&wanted, live));
        if !as_declared || (!moved && !is_current(instance)) {
            stale.insert((*target).clone(), wanted);
        } else if !moved {
            unchanged += 1;
        }
    }
    chain.draft.unchanged(unchanged);
    let missing: BTreeMap<Target, BTreeMap<String, Planned>> = desired
        .instances
        .keys()
        .filter(|target| !instances.contains_key(*target) && !changes_hands(target))
        .map(|target| {
            (
                target.clone(),
                overrides.get(target).cloned().unwrap_or_default(),
            )
        })
        .collect();
    let reached: BTreeMap<Target, ()> = match moved {
        true => present
            .keys()
            .copied()
            .filter(usable)
            .map(|target| (target.clone(), ()))
            .collect(),
        false => BTreeMap::new(),
    };
    let mut reached = cut(&reached, waves);
    let stale = cut(&stale, waves);
    let mut missing = cut(&missing, waves);
    let extra: BTreeMap<Target, ()> = instances
        .keys()
        .filter(|target| !desired.instances.contains_key(*target))
        .filter(|target| !changes_hands(target) && can_leave(desired, target, chain.draft))
        .map(|t| (t.clone(), ()))
        .collect();
    let units = reached_units(&extra, instances, chain.draft);
    let leaving = |chain: &mut Chain<'_, '_>| {
        let mut last = Vec::new();
        for (index, group) in group(&extra, &units).into_iter().enumerate() {
            let reason = "no longer belongs to the environment";
            last.push(delete_instances(
                chain,
                waves.and_then(Waves::last),
                index,
                group,
                reason,
            ));
        }
        last
    };

    if let (true, Some(live)) = (moved, live) {
        let first = reached.keys().chain(missing.keys()).min().copied();
        let at = first.flatten();
        // The definition can only be moved by an operation on some instances: one without targets is one on all of
        // them. Where the first wave has none yet, they are made first, as the definition is now.
        let young = first.and_then(|first| match reached.contains_key(&first) {
            true => None,
            false => missing.remove(&first),
        });
        if let (Some(young), Some(first)) = (young, first) {
            let mut made = Vec::new();
            for (index, group) in group(&young, &desired.units).into_iter().enumerate() {
                made.push(create_instances(&mut chain, wave_at(at), index, group));
            }
            chain.after.extend(made);
            let young = young.into_keys().map(|target| (target, ())).collect();
            reached.insert(first, young);
        }
        let reach = first.and_then(|first| reached.remove(&first));
        if reach.is_none() {
            // Nobody is left to move: those who leave go first, or they would be moved.
            let gone = leaving(&mut chain);
            let wave = waves.and_then(Waves::last).filter(|_| !gone.is_empty());
            chain.after.extend(gone);
            update(&mut chain, wave, definition, live, changes, BTreeMap::new());
            return;
        }
        update(
            &mut chain,
            wave_at(at),
            definition,
            live,
            changes,
            reach.unwrap_or_default(),
        );
    }
    let positions: BTreeSet<Option<usize>> = reached
        .keys()
        .chain(stale.keys())
        .chain(missing.keys())
        .copied()
        .collect();
    for position in positions {
        let wave = wave_at(position);
        let groups = reached
            .get(&position)
            .map(|part| group(part, &desired.units));
        for (index, group) in groups.into_iter().flatten().enumerate() {
            follow(&mut chain, wave, index, group);
        }
        let groups = stale.get(&position).map(|part| group(part, &desired.units));
        for (index, group) in groups.into_iter().flatten().enumerate() {
            update_instances(&mut chain, wave, index, group, live);
        }
        let groups = missing
            .get(&position)
            .map(|part| group(part, &desired.units));
        for (index, group) in groups.into_iter().flatten().enumerate() {
            create_instances(&mut chain, wave, index, group);
        }
    }
    leaving(&mut chain);
}

/// The StackSet's own values and the overrides of each instance that has any.
pub(super) type Values = (Definition, BTreeMap<Target, BTreeMap<String, Planned>>);

pub(super) fn values(
    desired: &Desired,
    template: &Template,
    draft: &mut Draft<'_>,
) -> Option<Values> {
    let scope = draft.scope;
    let environment = desired
        .environment
        .as_ref()
        .and_then(|name| scope.rollout.environments.get(name));
    let mut missing = Vec::new();
    let at = For {
        environment,
        ..For::default()
    };
    let parameters = plan_parameters(&scope, &draft.producers, &desired.parameters, at)
        .map_err(|unresolved| missing.extend(unresolved))
        .unwrap_or_default();
    let mut overrides = BTreeMap::new();
    for (target, values) in desired
        .instances
        .iter()
        .filter(|(_, values)| !values.is_empty())
    {
        let at = For {
            environment,
            account: Some(&target.account),
            region: Some(&target.region),
        };
        let mut all = desired.parameters.clone();
        all.extend(values.clone());
        match plan_parameters(&scope, &draft.producers, &all, at) {
            Ok(mut planned) => {
                planned.retain(|name, value| {
                    values.contains_key(name) && parameters.get(name) != Some(value)
                });
                overrides.insert(target.clone(), planned);
            }
            Err(unresolved) => missing.extend(unresolved),
        }
    }
    for unresolved in &missing {
        draft.wrong(
            codes::UNRESOLVED,
            &desired.origin,
            format!(
                "component {} refers to something that is not there: {}",
                desired.component, unresolved.reference
            ),
            "correct the reference, or apply the component that it names first",
        );
    }
    if !missing.is_empty() {
        return None;
    }
    let bucket = (template.body.len() > BODY_LIMIT)
        .then(|| scope.rollout.organization.template_bucket.clone())
        .flatten();
    let definition = Definition {
        description: desired.description.clone(),
        template: draft.blob(&template.body),
        parameters,
        tags: desired.tags.clone(),
        capabilities: template
            .capabilities
            .iter()
            .map(|c| c.as_str().to_owned())
            .collect(),
        auto_deployment: desired.auto_deployment,
        template_bucket: bucket,
    };
    Some((definition, overrides))
}

fn create(chain: &mut Chain<'_, '_>, template: &Template, definition: &Definition) {
    let hidden = |name: &str| {
        template
            .parameters
            .get(name)
            .is_some_and(|parameter| parameter.no_echo)
    };
    let changes = definition
        .parameters
        .iter()
        .map(|(name, value)| FieldChange {
            path: format!("parameters.{name}"),
            before: None,
            after: Some(value.shown(hidden(name))),
        })
        .collect();
    let title = format!("create StackSet {}", chain.desired.name);
    chain.first(
        None,
        Part {
            name: "create".to_owned(),
            action: Action::Create,
            title,
            reason: "does not exist".to_owned(),
            targets: Vec::new(),
            changes,
            preimage: preimage(&"absent"),
            what: What::Create(definition.clone()),
        },
    );
}

pub(super) fn definition_changes(
    template: &Template,
    definition: &Definition,
    live: &Live,
) -> Vec<FieldChange> {
    let mut changes = parameter_changes(template, &definition.parameters, &live.set.parameters);
    changes.extend(map_changes("tags", &definition.tags, &live.set.tags));
    if live.set.template_body != *template.body && !mutant!(TemplateNotCompared) {
        changes.extend(template_changes(&live.set.template_body, &template.body));
    }
    let text = |path: &str, before: String, after: String| {
        (before != after).then(|| FieldChange {
            path: path.to_owned(),
            before: Some(Shown::Text(before)),
            after: Some(Shown::Text(after)),
        })
    };
    changes.extend(text(
        "description",
        live.set.description.clone(),
        definition.description.clone(),
    ));
    changes.extend(text(
        "autoDeployment",
        live.set.auto_deployment.to_string(),
        definition.auto_deployment.to_string(),
    ));
    changes
}

/// Moves the definition, once, by an operation on the first wave's instances. AWS takes 50 units at a time: what the
/// first operation does not reach comes after it.
fn update(
    chain: &mut Chain<'_, '_>,
    wave: Option<&Wave>,
    definition: Definition,
    live: &Live,
    changes: Vec<FieldChange>,
    reached: BTreeMap<Target, ()>,
) {
    let groups = group(&reached, &chain.desired.units);
    let before = digest_of(&live.set);
    let mut groups = groups.into_iter();
    let first = groups.next();
    let (reach, targets) = match &first {
        Some(group) => (group.reach.clone(), group.targets()),
        None => (empty_reach(), Vec::new()),
    };
    let preferences = chain.desired.preferences(wave, reach.accounts.len());
    let title = format!("update StackSet {}", chain.desired.name);
    chain.first(
        wave,
        Part {
            name: "update".to_owned(),
            action: Action::Update,
            title,
            reason: "its definition differs".to_owned(),
            targets,
            changes,
            preimage: preimage(&before),
            what: What::Update {
                definition,
                before,
                reach,
                preferences,
            },
        },
    );
    for (index, group) in groups.enumerate() {
        follow(chain, wave, index, group);
    }
}

/// Brings instances that were not reached when the definition was moved after it.
fn follow(chain: &mut Chain<'_, '_>, wave: Option<&Wave>, index: usize, group: Group<()>) {
    let preferences = chain.desired.preferences(wave, group.reach.accounts.len());
    chain.step(
        wave,
        Part {
            name: format!("follow-{index}"),
            action: Action::Update,
            title: "bring instances to the new definition".to_owned(),
            reason: "its definition differs".to_owned(),
            targets: group.targets(),
            changes: Vec::new(),
            preimage: preimage(&"outdated"),
            what: What::UpdateInstances {
                reach: group.reach,
                overrides: None,
                preferences,
            },
        },
    );
}

fn update_instances(
    chain: &mut Chain<'_, '_>,
    wave: Option<&Wave>,
    index: usize,
    group: Group<BTreeMap<String, Planned>>,
    live: Option<&Live>,
) {
    let targets = group.targets();
    let none = BTreeMap::new();
    let before = targets
        .first()
        .and_then(|target| live?.overrides.get(target))
        .unwrap_or(&none);
    let names: std::collections::BTreeSet<&String> =
        before.keys().chain(group.value.keys()).collect();
    let changes: Vec<FieldChange> = names
        .into_iter()
        .filter(|name| {
            before.get(*name).map(String::as_str) != group.value.get(*name).and_then(Planned::known)
        })
        .map(|name| FieldChange {
            path: format!("overrides.{name}"),
            before: before.get(name).cloned().map(Shown::Text),
            after: group.value.get(name).map(|value| value.shown(false)),
        })
        .collect();
    let reason = if changes.is_empty() {
        "instances are not current"
    } else {
        "their values differ"
    };
    let preferences = chain.desired.preferences(wave, group.reach.accounts.len());
    chain.step(
        wave,
        Part {
            name: format!("update-instances-{index}"),
            action: Action::Update,
            title: "update instances".to_owned(),
            reason: reason.to_owned(),
            targets,
            changes,
            preimage: preimage(before),
            what: What::UpdateInstances {
                reach: group.reach,
                overrides: Some(group.value),
                preferences,
            },
        },
    );
}

/// Values that an instance gets instead of the StackSet's, as a plan shows them.
pub(super) fn overridden(values: &BTreeMap<String, Planned>) -> Vec<FieldChange> {
    values
        .iter()
        .map(|(name, value)| FieldChange {
            path: format!("overrides.{name}"),
            before: None,
            after: Some(value.shown(false)),
        })
        .collect()
}

fn create_instances(
    chain: &mut Chain<'_, '_>,
    wave: Option<&Wave>,
    index: usize,
    group: Group<BTreeMap<String, Planned>>,
) -> StepId {
    let changes = overridden(&group.value);
    let preferences = chain.desired.preferences(wave, group.reach.accounts.len());
    chain.step(
        wave,
        Part {
            name: format!("create-instances-{index}"),
            action: Action::Create,
            title: "create instances".to_owned(),
            reason: "the accounts have none".to_owned(),
            targets: group.targets(),
            changes,
            preimage: preimage(&"absent"),
            what: What::CreateInstances {
                reach: group.reach,
                overrides: group.value,
                preferences,
            },
        },
    )
}

fn delete_instances(
    chain: &mut Chain<'_, '_>,
    wave: Option<&Wave>,
    index: usize,
    group: Group<()>,
    reason: &str,
) -> StepId {
    let preferences = chain.desired.preferences(wave, group.reach.accounts.len());
    chain.step(
        wave,
        Part {
            name: format!("delete-instances-{index}"),
            action: Action::Delete,
            title: "delete instances".to_owned(),
            reason: reason.to_owned(),
            targets: group.targets(),
            changes: Vec::new(),
            preimage: preimage(&"present"),
            what: What::DeleteInstances {
                reach: group.reach,
                preferences,
                retain: false,
            },
        },
    )
}

/// StackSets of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let scope = draft.scope;
    for (name, live) in &observed.sets {
        let (false, true, Some(component)) = (
            desired.iter().any(|d| d.name == *name),
            live.is_of(&scope.rollout.name),
            live.component(),
        ) else {
            continue;
        };
        let gone = forgotten(name, component, draft);
        let targets: BTreeMap<Target, ()> = live
            .instances
            .keys()
            .filter(|target| can_leave(&gone, target, draft))
            .map(|target| (target.clone(), ()))
            .collect();
        let rest = live.instances.len() - targets.len();
        let units = reached_units(&targets, &live.instances, draft);
        let waves = draft.waves_of(gone.environment.as_deref()).cloned();
        let wave = waves.as_ref().and_then(Waves::last);
        let mut chain = Chain {
            desired: &gone,
            draft,
            after: Vec::new(),
        };
        let mut emptied = Vec::new();
        for (index, group) in group(&targets, &units).into_iter().enumerate() {
            let reason = "no longer declared";
            emptied.push(delete_instances(&mut chain, wave, index, group, reason));
        }
        if rest > 0 {
            // AWS deletes only what is empty.
            continue;
        }
        chain.after = emptied;
        chain.step(
            wave,
            Part {
                name: "delete".to_owned(),
                action: Action::Delete,
                title: format!("delete StackSet {name}"),
                reason: "no longer declared".to_owned(),
                targets: Vec::new(),
                changes: Vec::new(),
                preimage: preimage(&digest_of(&live.set)),
                what: What::Delete,
            },
        );
    }
}

/// Whether an instance can be deleted. Accounts that are suspended, closing or gone cannot be worked in, and nothing
/// is done in protected ones: what stands there is said, and let go of on request only.
fn can_leave(desired: &Desired, target: &Target, draft: &mut Draft<'_>) -> bool {
    let scope = draft.scope;
    let (kind, text) = if scope.membership.protected.contains(&target.account) {
        let text = format!(
            "its instance of {} stays: the account is protected",
            desired.name
        );
        (NoteKind::Protected, text)
    } else if let Some(why) = closed(&scope, &target.account) {
        let text = format!(
            "its instance of {} stays, since the account {why}; `bedrail offboard {} --retain-stacks` lets go of it",
            desired.name, target.account
        );
        (NoteKind::OutOfScope, text)
    } else {
        return true;
    };
    draft.note(Note {
        kind,
        component: Some(desired.component.clone()),
        environment: desired.environment.clone(),
        account: Some(target.account.clone()),
        region: Some(target.region.clone()),
        text,
    });
    false
}

/// The units to reach existing instances through: the ones they were reached through before, or where their
/// accounts are now.
fn reached_units(
    targets: &BTreeMap<Target, ()>,
    instances: &BTreeMap<Target, Instance>,
    draft: &Draft<'_>,
) -> BTreeMap<AccountId, TargetId> {
    let snapshot = draft.scope.snapshot;
    targets
        .keys()
        .filter_map(|target| {
            let recorded = instances
                .get(target)
                .and_then(|instance| instance.unit.clone());
            let now = snapshot
                .accounts
                .get(&target.account)
                .map(|account| account.parent.clone());
            Some((target.account.clone(), now.or(recorded)?))
        })
        .collect()
}

fn note_inoperable(
    desired: &Desired,
    present: &BTreeMap<&Target, &Instance>,
    draft: &mut Draft<'_>,
) -> Vec<Target> {
    let inoperable: Vec<Target> = present
        .iter()
        .filter(|(_, i)| i.status == "INOPERABLE")
        .map(|(t, _)| (*t).clone())
        .collect();
    for target in &inoperable {
        draft.note(Note {
            kind: NoteKind::Blocked,
            component: Some(desired.component.clone()),
            environment: desired.environment.clone(),
            account: Some(target.account.clone()),
            region: Some(target.region.clone()),
            text: format!(
                "the instance of {} is INOPERABLE, and StackSets leaves it out: delete the instance with \
                 RetainStacks and its stack by hand, or import the stack again",
                desired.name
            ),
        });
    }
    inoperable
}

/// An instance counts as right only in this one state; whatever else AWS says is a reason to update it.
pub(super) fn is_current(instance: &Instance) -> bool {
    if mutant!(OutdatedTakenForCurrent) {
        return true;
    }
    instance.status == "CURRENT" && matches!(instance.detailed_status.as_str(), "SUCCEEDED" | "")
}

fn same_overrides(wanted: &BTreeMap<String, Planned>, live: &BTreeMap<String, String>) -> bool {
    wanted.len() == live.len()
        && wanted.iter().all(|(name, value)| {
            value.known().is_some() && live.get(name).map(String::as_str) == value.known()
        })
}

pub(super) fn digest_of(set: &crate::aws::stack_sets::StackSet) -> String {
    digest_of_parts(
        &set.template_body,
        &set.parameters,
        &set.tags,
        &set.description,
        set.auto_deployment,
    )
}

/// Of everything that a definition says.
pub(super) fn digest_of_parts(
    template: &str,
    parameters: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
    description: &str,
    auto_deployment: bool,
) -> String {
    crate::digest::of(&(template, parameters, tags, description, auto_deployment))
}

fn empty_reach() -> crate::aws::stack_sets::Reach {
    crate::aws::stack_sets::Reach {
        units: Vec::new(),
        accounts: Vec::new(),
        regions: Vec::new(),
    }
}
