//! A plan while it is being put together: kinds add steps and notes, [`Draft::finish`] orders them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::diagnostic::{Diagnostic, Origin, Severity};
use crate::config::model::{Component, Environment, OnFailure};
use crate::digest;
use crate::ids::{AccountId, Region};
use crate::resources::scope::Scope;
use crate::resources::values::{Planned, Producers};
use crate::resources::{Change, Kind};

use super::forecast::forecast;
use super::waves::Waves;

use super::model::{
    Action, EnvironmentOrder, FieldChange, Lock, Note, NoteKind, Plan, Step, StepId, Summary,
    Target, VERSION,
};

/// What a kind says of one step; the rest is filled in here.
#[derive(Debug)]
pub struct StepDraft<'a> {
    pub phase: &'a str,
    /// Name of the component: declared, or remembered by a tag when it is no longer.
    pub component: &'a str,
    pub environment: Option<&'a str>,
    /// Of the environment; `None`: before all waves.
    pub wave: Option<&'a str>,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// Last part of the id; unique among the steps of the component, environment, account and Region.
    pub name: String,
    pub action: Action,
    pub title: String,
    pub reason: String,
    pub after: Vec<StepId>,
    pub targets: Vec<Target>,
    pub changes: Vec<FieldChange>,
    pub lock: Option<Lock>,
    pub preimage: String,
    pub change: Change,
}

#[derive(Debug)]
pub struct Draft<'a> {
    pub scope: Scope<'a>,
    /// Of every environment.
    pub waves: BTreeMap<String, Waves>,
    steps: Vec<Step>,
    notes: BTreeSet<Note>,
    unread: Vec<Note>,
    blobs: BTreeMap<String, String>,
    unchanged: usize,
    /// Stacks whose outputs later components refer to.
    pub producers: Producers,
    /// Steps of `organizationAccess`, by what they make possible.
    pub access: BTreeMap<String, StepId>,
    /// Of plans that take things out: components by those that read their outputs.
    references: BTreeMap<String, BTreeSet<String>>,
    wrong: Vec<Diagnostic>,
    refused: Vec<Diagnostic>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlan {
    pub diagnostics: Vec<Diagnostic>,
    /// Nothing is wrong with the files: what is live forbids it (exit code 4).
    pub refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    SideBySide,
    Backwards,
}

impl<'a> Draft<'a> {
    pub fn new(scope: Scope<'a>, waves: BTreeMap<String, Waves>) -> Self {
        Self {
            scope,
            waves,
            steps: Vec::new(),
            notes: BTreeSet::new(),
            unread: Vec::new(),
            blobs: BTreeMap::new(),
            unchanged: 0,
            producers: Producers::new(),
            access: BTreeMap::new(),
            references: BTreeMap::new(),
            wrong: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub fn step(&mut self, draft: StepDraft<'_>) -> StepId {
        let mut parts: Vec<&str> = vec![draft.phase, draft.component];
        parts.extend(draft.environment);
        parts.extend(draft.account.as_ref().map(AccountId::as_str));
        parts.extend(draft.region.as_ref().map(Region::as_str));
        parts.push(&draft.name);
        let id = StepId(parts.join("/"));
        self.steps.push(Step {
            id: id.clone(),
            phase: draft.phase.to_owned(),
            kind: draft.change.kind(),
            component: draft.component.to_owned(),
            environment: draft.environment.map(str::to_owned),
            wave: draft.wave.map(str::to_owned),
            account: draft.account,
            region: draft.region,
            action: draft.action,
            title: draft.title,
            reason: draft.reason,
            after: draft.after,
            targets: draft.targets,
            changes: draft.changes,
            lock: draft.lock,
            preimage: draft.preimage,
            payload: digest::of(&draft.change),
            change: draft.change,
        });
        id
    }

    /// The waves of an environment.
    pub fn waves_of(&self, environment: Option<&str>) -> Option<&Waves> {
        self.waves.get(environment?)
    }

    /// Counts targets that are as they should be.
    pub fn unchanged(&mut self, targets: usize) {
        self.unchanged += targets;
    }

    pub fn note(&mut self, note: Note) {
        self.notes.insert(note);
    }

    pub fn advice(&mut self, component: &str, text: String) {
        self.note(Note {
            kind: NoteKind::Advice,
            component: Some(component.to_owned()),
            environment: None,
            account: None,
            region: None,
            text,
        });
    }

    /// Keeps a text in the plan and returns its digest.
    pub fn blob(&mut self, text: &str) -> String {
        let digest = digest::of_bytes(text.as_bytes());
        self.blobs
            .entry(digest.clone())
            .or_insert_with(|| text.to_owned());
        digest
    }

    /// Something in the files is wrong, in the light of what is live.
    pub fn wrong(&mut self, code: &'static str, origin: &Origin, message: String, help: &str) {
        self.wrong
            .push(diagnostic(code, Some(origin), message, help));
    }

    /// What is live forbids it.
    pub fn refuse(
        &mut self,
        code: &'static str,
        origin: Option<&Origin>,
        message: String,
        help: &str,
    ) {
        self.refused.push(diagnostic(code, origin, message, help));
    }

    /// What was wrong or refused so far, in words; the draft forgets it.
    pub fn take_problems(&mut self) -> Vec<String> {
        self.wrong
            .drain(..)
            .chain(self.refused.drain(..))
            .map(|diagnostic| diagnostic.message)
            .collect()
    }

    /// Steps that make the outputs which `values` wait for.
    pub fn producers_of<'v>(&self, values: impl Iterator<Item = &'v Planned>) -> Vec<StepId> {
        let components: BTreeSet<&str> = values.flat_map(Planned::producers).collect();
        self.steps
            .iter()
            .filter(|step| components.contains(step.component.as_str()))
            .map(|step| step.id.clone())
            .collect()
    }

    /// What could not be read. Said only of accounts that the plan itself does not make readable: the deployer
    /// role comes by a StackSet, so that not being let in before is no news.
    pub fn unread(&mut self, note: Note) {
        self.unread.push(note);
    }

    fn note_unread(&mut self) {
        let prepared: BTreeSet<&AccountId> = created_in(&self.steps).collect();
        let news = self.unread.iter().filter(|note| {
            note.account
                .as_ref()
                .is_none_or(|id| !prepared.contains(id))
        });
        self.notes.extend(news.cloned());
    }

    pub fn finish(self) -> Result<Plan, NoPlan> {
        self.close(Direction::Forwards)
    }

    /// The same for steps that take things out: the last phase comes first, and what others depend on goes after
    /// them. There are no waves, no environment waits for another one, and nothing is put back by itself.
    pub fn finish_backwards(self) -> Result<Plan, NoPlan> {
        self.close(Direction::Backwards)
    }

    /// The same for accounts that have nothing to do with each other: there are no waves, and no environment waits for
    /// another one.
    pub fn finish_side_by_side(self) -> Result<Plan, NoPlan> {
        self.close(Direction::SideBySide)
    }

    /// The steps on policies so far.
    pub fn policy_steps(&self) -> Vec<StepId> {
        self.steps
            .iter()
            .filter(|step| step.kind == Kind::Policy)
            .map(|step| step.id.clone())
            .collect()
    }

    fn close(mut self, direction: Direction) -> Result<Plan, NoPlan> {
        if !self.wrong.is_empty() {
            self.wrong.append(&mut self.refused);
            return Err(NoPlan {
                diagnostics: self.wrong,
                refused: false,
            });
        }
        if !self.refused.is_empty() {
            return Err(NoPlan {
                diagnostics: self.refused,
                refused: true,
            });
        }
        match direction {
            Direction::Forwards | Direction::SideBySide => self.add_declared_edges(),
            Direction::Backwards => self.add_turned_edges(),
        }
        self.note_unread();
        let mut environments = environment_order(&self.scope);
        let mut steps = self.steps;
        sort(&mut steps, &self.scope, &environments, &self.waves);
        let mut phases: Vec<String> = self
            .scope
            .rollout
            .phases
            .iter()
            .map(|phase| phase.name.clone())
            .collect();
        if direction == Direction::Backwards {
            phases.reverse();
            turn(&mut steps);
        }
        if direction != Direction::Forwards {
            for order in environments.values_mut() {
                order.after.clear();
                order.rolls_back = false;
            }
        }
        let estimate = forecast(&self.scope, &self.waves, &steps, &phases, &mut environments);
        let summary = summarise(&steps, self.unchanged);
        let mentioned: BTreeSet<AccountId> = steps
            .iter()
            .flat_map(|step| {
                step.account
                    .iter()
                    .chain(step.targets.iter().map(|target| &target.account))
            })
            .chain(self.notes.iter().filter_map(|note| note.account.as_ref()))
            .cloned()
            .collect();
        let snapshot = self.scope.snapshot;
        let parents = steps
            .iter()
            .filter_map(|step| {
                let account = step.account.as_ref()?;
                let parent = snapshot.accounts.get(account)?.parent.clone();
                Some((account.clone(), parent))
            })
            .collect();
        let mut plan = Plan {
            version: VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            rollout: self.scope.rollout.name.clone(),
            organization: snapshot.organization.clone(),
            management_account: snapshot.management_account.clone(),
            config_digest: self.scope.rollout.digest.clone(),
            snapshot_digest: digest::of(snapshot),
            digest: String::new(),
            summary,
            estimate,
            phases,
            environments,
            steps,
            notes: self.notes.into_iter().collect(),
            account_names: mentioned
                .into_iter()
                .map(|id| {
                    let name = snapshot.account_name(&id).to_owned();
                    (id, name)
                })
                .collect(),
            parents,
            blobs: self.blobs,
        };
        plan.digest = plan.compute_digest();
        Ok(plan)
    }

    /// `component` reads outputs of `producers`, so that it goes before them.
    pub fn refers<'r>(&mut self, component: &str, producers: impl Iterator<Item = &'r str>) {
        self.references
            .entry(component.to_owned())
            .or_default()
            .extend(producers.map(str::to_owned));
    }

    /// What a component depends on, or refers to, goes after the component. Phases see to the rest.
    fn add_turned_edges(&mut self) {
        let mut needed = self.references.clone();
        for (_, component) in self.scope.components() {
            needed
                .entry(component.name.clone())
                .or_default()
                .extend(component.depends_on.iter().cloned());
        }
        let mut before: BTreeMap<(String, String), Vec<StepId>> = BTreeMap::new();
        for step in &self.steps {
            for other in needed.get(&step.component).into_iter().flatten() {
                before
                    .entry((step.phase.clone(), other.clone()))
                    .or_default()
                    .push(step.id.clone());
            }
        }
        for step in &mut self.steps {
            let key = (step.phase.clone(), step.component.clone());
            step.after
                .extend(before.get(&key).into_iter().flatten().cloned());
            step.after.sort();
            step.after.dedup();
        }
    }

    fn add_declared_edges(&mut self) {
        let waves = &self.waves;
        let rank =
            |step: &Step| wave_rank(waves, step.environment.as_deref(), step.wave.as_deref());
        let mut by_component: BTreeMap<String, Vec<(StepId, Option<String>, usize)>> =
            BTreeMap::new();
        for step in &self.steps {
            by_component
                .entry(step.component.clone())
                .or_default()
                .push((step.id.clone(), step.environment.clone(), rank(step)));
        }
        let declared: BTreeMap<&str, &Component> = self
            .scope
            .components()
            .map(|(_, component)| (component.name.as_str(), component))
            .collect();
        for step in &mut self.steps {
            let Some(component) = declared.get(step.component.as_str()) else {
                continue;
            };
            for name in &component.depends_on {
                let before = by_component
                    .get(name)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let own = rank(step);
                // A wave waits for what its own accounts get, and for nothing that comes to later ones: those wait
                // for this wave.
                step.after.extend(
                    before
                        .iter()
                        .filter(|(_, environment, wave)| {
                            environment.is_none()
                                || (*environment == step.environment && *wave <= own)
                        })
                        .map(|(id, _, _)| id.clone()),
                );
            }
            step.after.sort();
            step.after.dedup();
        }
    }
}

fn created_in(steps: &[Step]) -> impl Iterator<Item = &AccountId> {
    steps
        .iter()
        .filter(|step| step.kind == Kind::StackSet && step.action == Action::Create)
        .flat_map(|step| step.targets.iter().map(|target| &target.account))
}

impl Plan {
    /// Accounts that a StackSet of this plan creates instances in.
    pub fn created_in(&self) -> BTreeSet<AccountId> {
        created_in(&self.steps).cloned().collect()
    }

    /// Over everything but the digest itself.
    pub fn compute_digest(&self) -> String {
        let mut bare = self.clone();
        bare.digest = String::new();
        digest::of(&bare)
    }

    /// The same plan with more to know about it, found by looking at the plan itself.
    pub fn advised(mut self, advice: Vec<String>) -> Self {
        if advice.is_empty() {
            return self;
        }
        self.notes.extend(advice.into_iter().map(|text| Note {
            kind: NoteKind::Advice,
            component: None,
            environment: None,
            account: None,
            region: None,
            text,
        }));
        self.notes.sort();
        self.notes.dedup();
        self.digest = self.compute_digest();
        self
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub fn blob(&self, digest: &str) -> &str {
        self.blobs
            .get(digest)
            .map(String::as_str)
            .unwrap_or_default()
    }
}

/// A digest of what was read before a step, for comparing with what is read when its turn comes.
pub fn preimage<T: Serialize>(live: &T) -> String {
    digest::of(live)
}

fn environment_order(scope: &Scope<'_>) -> BTreeMap<String, EnvironmentOrder> {
    scope
        .rollout
        .environments
        .values()
        .map(|environment| {
            let order = EnvironmentOrder {
                accounts: scope
                    .membership
                    .members
                    .get(&environment.name)
                    .map(Vec::len)
                    .unwrap_or_default(),
                regions: environment.regions.clone(),
                after: all_before(scope, environment).into_iter().collect(),
                rolls_back: environment.delivery.on_failure == OnFailure::Rollback,
                waves: Vec::new(),
            };
            (environment.name.clone(), order)
        })
        .collect()
}

fn all_before(scope: &Scope<'_>, environment: &Environment) -> BTreeSet<String> {
    let mut before = BTreeSet::new();
    let mut waiting: Vec<&str> = environment
        .delivery
        .after
        .iter()
        .map(|name| name.value.as_str())
        .collect();
    while let Some(name) = waiting.pop() {
        if before.insert(name.to_owned())
            && let Some(environment) = scope.rollout.environments.get(name)
        {
            waiting.extend(
                environment
                    .delivery
                    .after
                    .iter()
                    .map(|name| name.value.as_str()),
            );
        }
    }
    before
}

/// Phase, then environments in their order, then waves in theirs, then components as declared; within one
/// component the order in which its kind added the steps.
fn sort(
    steps: &mut [Step],
    scope: &Scope<'_>,
    environments: &BTreeMap<String, EnvironmentOrder>,
    waves: &BTreeMap<String, Waves>,
) {
    let phases: BTreeMap<&str, usize> = scope
        .rollout
        .phases
        .iter()
        .enumerate()
        .map(|(i, phase)| (phase.name.as_str(), i))
        .collect();
    let components: BTreeMap<&str, usize> = scope
        .rollout
        .phases
        .iter()
        .flat_map(|phase| &phase.components)
        .enumerate()
        .map(|(i, component)| (component.name.as_str(), i))
        .collect();
    let rank = |step: &Step| {
        let environment = step.environment.as_deref().map(|name| {
            (
                environments
                    .get(name)
                    .map(|order| order.after.len())
                    .unwrap_or_default(),
                name.to_owned(),
            )
        });
        (
            phases
                .get(step.phase.as_str())
                .copied()
                .unwrap_or(usize::MAX),
            environment,
            wave_rank(waves, step.environment.as_deref(), step.wave.as_deref()),
            components
                .get(step.component.as_str())
                .copied()
                .unwrap_or(usize::MAX),
            step.component.clone(),
        )
    };
    steps.sort_by_cached_key(rank);
}

/// The components in the opposite order; what one of them does stays in its own.
fn turn(steps: &mut Vec<Step>) {
    let mut groups: Vec<Vec<Step>> = Vec::new();
    for step in steps.drain(..) {
        match groups.last_mut() {
            Some(group)
                if group.first().is_some_and(|first| {
                    (&first.phase, &first.component, &first.environment)
                        == (&step.phase, &step.component, &step.environment)
                }) =>
            {
                group.push(step);
            }
            _ => groups.push(vec![step]),
        }
    }
    groups.reverse();
    steps.extend(groups.into_iter().flatten());
}

/// Place of a step's wave, from 1; 0 for steps before all waves.
fn wave_rank(
    waves: &BTreeMap<String, Waves>,
    environment: Option<&str>,
    wave: Option<&str>,
) -> usize {
    let Some((waves, wave)) = environment.and_then(|name| waves.get(name)).zip(wave) else {
        return 0;
    };
    waves
        .waves
        .iter()
        .position(|other| other.name == wave)
        .map_or(usize::MAX, |position| position + 1)
}

pub(super) fn summarise(steps: &[Step], unchanged: usize) -> Summary {
    let mut summary = Summary {
        unchanged,
        ..Summary::default()
    };
    for step in steps {
        let count = step.targets.len().max(1);
        match step.action {
            Action::Create => summary.create += count,
            Action::Update => summary.update += count,
            Action::Delete => summary.delete += count,
        }
    }
    summary
}

fn diagnostic(
    code: &'static str,
    origin: Option<&Origin>,
    message: String,
    help: &str,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        label: String::new(),
        origin: origin.cloned(),
        help: Some(help.to_owned()),
    }
}
