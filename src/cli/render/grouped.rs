//! A plan as people think of it: what happens to which component of which environment, and to how many
//! accounts, instead of one step after the other. Text and Markdown are both made from this.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, Region};
use crate::plan::model::EnvironmentOrder;
use crate::plan::{Action, FieldChange, Note, NoteKind, Plan, Shown, Step, Summary};
use crate::resources::Kind;

use super::scope::Scope;

#[derive(Debug)]
pub struct Grouped<'a> {
    pub phases: Vec<Phase<'a>>,
    pub notes: Vec<Notes<'a>>,
}

#[derive(Debug)]
pub struct Phase<'a> {
    pub name: &'a str,
    /// Counted from 1.
    pub number: usize,
    pub counts: Summary,
    pub components: Vec<Component<'a>>,
}

#[derive(Debug)]
pub struct Component<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub environments: Vec<Environment<'a>>,
}

#[derive(Debug)]
pub struct Environment<'a> {
    /// Several where the same is done in each; then texts say `${environment}` for the name.
    pub names: Vec<&'a str>,
    pub changes: Vec<Change>,
}

/// Steps that do the same. Where each of them speaks of its own account or Region, the text says
/// `${account.id}`, `${region}` or `${environment}`, as one would write it in the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub action: Action,
    pub title: String,
    pub reason: String,
    pub fields: Vec<FieldChange>,
    pub scope: Scope,
    /// Each step counts at least one.
    pub targets: usize,
}

/// Notes of one kind that say the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Notes<'a> {
    pub kind: NoteKind,
    pub component: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub text: String,
    /// The text goes on from the account's name: `is suspended`.
    pub continues: bool,
    pub scope: Scope,
    pub count: usize,
}

impl<'a> Grouped<'a> {
    pub fn of(plan: &'a Plan) -> Self {
        Self {
            phases: phases(plan),
            notes: notes(plan),
        }
    }
}

/// Targets of a step, as [`Summary`] counts them.
pub fn targets(step: &Step) -> usize {
    step.targets.len().max(1)
}

fn phases(plan: &Plan) -> Vec<Phase<'_>> {
    let mut order: Vec<&str> = plan.phases.iter().map(String::as_str).collect();
    for step in &plan.steps {
        if !order.contains(&step.phase.as_str()) {
            order.push(&step.phase);
        }
    }
    order
        .iter()
        .enumerate()
        .filter_map(|(index, name)| {
            let steps: Vec<&Step> = plan.steps.iter().filter(|s| s.phase == *name).collect();
            (!steps.is_empty()).then(|| Phase {
                name,
                number: index + 1,
                counts: counts(&steps),
                components: components(plan, &steps),
            })
        })
        .collect()
}

fn counts(steps: &[&Step]) -> Summary {
    let mut counts = Summary::default();
    for step in steps {
        let count = match step.action {
            Action::Create => &mut counts.create,
            Action::Update => &mut counts.update,
            Action::Delete => &mut counts.delete,
        };
        *count += targets(step);
    }
    counts
}

fn components<'a>(plan: &Plan, steps: &[&'a Step]) -> Vec<Component<'a>> {
    in_order(steps, |step| (step.component.as_str(), step.kind))
        .into_iter()
        .map(|((name, kind), steps)| Component {
            name,
            kind,
            environments: environments(plan, &steps),
        })
        .collect()
}

fn environments<'a>(plan: &Plan, steps: &[&'a Step]) -> Vec<Environment<'a>> {
    struct Alike<'a> {
        names: Vec<&'a str>,
        what: BTreeSet<Likeness>,
        steps: Vec<&'a Step>,
    }
    let mut parts: Vec<Alike<'a>> = Vec::new();
    for (name, steps) in in_order(steps, |step| step.environment.as_deref()) {
        let what: BTreeSet<Likeness> = steps.iter().map(|s| likeness(s, Differing::ALL)).collect();
        let same = parts
            .iter_mut()
            .find(|part| name.is_some() && !part.names.is_empty() && part.what == what);
        match same {
            Some(part) => {
                part.names.extend(name);
                part.steps.extend(steps);
            }
            None => parts.push(Alike {
                names: name.into_iter().collect(),
                what,
                steps,
            }),
        }
    }
    parts
        .into_iter()
        .map(|part| Environment {
            changes: changes(plan, &part.names, &part.steps),
            names: part.names,
        })
        .collect()
}

/// Parts of a list with equal keys, in the order in which the keys first appear.
fn in_order<'a, K: Ord + Copy>(
    steps: &[&'a Step],
    key: impl Fn(&'a Step) -> K,
) -> Vec<(K, Vec<&'a Step>)> {
    let mut order: Vec<K> = Vec::new();
    let mut parts: BTreeMap<K, Vec<&'a Step>> = BTreeMap::new();
    for &step in steps {
        let key = key(step);
        parts
            .entry(key)
            .or_insert_with(|| {
                order.push(key);
                Vec::new()
            })
            .push(step);
    }
    order
        .into_iter()
        .filter_map(|key| parts.remove(&key).map(|steps| (key, steps)))
        .collect()
}

/// In what the steps that are shown as one may differ.
#[derive(Clone, Copy)]
struct Differing {
    accounts: bool,
    regions: bool,
    environments: bool,
}

impl Differing {
    const ALL: Self = Self {
        accounts: true,
        regions: true,
        environments: true,
    };
}

/// What two steps must have in common to be shown as one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    action: Action,
    title: String,
    reason: String,
    fields: Vec<FieldChange>,
}

fn changes(plan: &Plan, environments: &[&str], steps: &[&Step]) -> Vec<Change> {
    let differing = Differing {
        environments: environments.len() > 1,
        ..Differing::ALL
    };
    let order = order_of(plan, environments);
    let mut first_seen: BTreeMap<(Action, String), usize> = BTreeMap::new();
    let mut alike: BTreeMap<Likeness, Vec<&Step>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let likeness = likeness(step, differing);
        first_seen
            .entry((likeness.action, likeness.title.clone()))
            .or_insert(index);
        alike.entry(likeness).or_default().push(step);
    }
    let mut changes: Vec<(usize, usize, Change)> = alike
        .into_iter()
        .map(|(likeness, steps)| {
            let seen = first_seen.get(&(likeness.action, likeness.title.clone()));
            let change = change(order.as_ref(), likeness, &steps, differing);
            // The usual case first, its exceptions after it.
            (
                seen.copied().unwrap_or_default(),
                usize::MAX - change.targets,
                change,
            )
        })
        .collect();
    changes.sort_by_key(|(seen, size, _)| (*seen, *size));
    changes.into_iter().map(|(_, _, change)| change).collect()
}

/// The environments taken together.
fn order_of(plan: &Plan, environments: &[&str]) -> Option<EnvironmentOrder> {
    let orders: Option<Vec<&EnvironmentOrder>> = environments
        .iter()
        .map(|name| plan.environments.get(*name))
        .collect();
    let orders = orders?;
    let first = orders.first()?;
    Some(EnvironmentOrder {
        accounts: orders.iter().map(|order| order.accounts).sum(),
        regions: first.regions.clone(),
        after: Vec::new(),
        rolls_back: orders.iter().any(|order| order.rolls_back),
        waves: Vec::new(),
    })
}

fn change(
    order: Option<&EnvironmentOrder>,
    likeness: Likeness,
    steps: &[&Step],
    differing: Differing,
) -> Change {
    let accounts: BTreeSet<Option<&AccountId>> = steps.iter().map(|s| s.account.as_ref()).collect();
    let regions: BTreeSet<Option<&Region>> = steps.iter().map(|s| s.region.as_ref()).collect();
    // With a single account its id says more than a reference to it.
    let likeness = match steps.first() {
        Some(first) if accounts.len() == 1 || regions.len() == 1 => self::likeness(
            first,
            Differing {
                accounts: accounts.len() > 1,
                regions: regions.len() > 1,
                ..differing
            },
        ),
        _ => likeness,
    };
    let places = steps.iter().flat_map(|step| places(step));
    Change {
        action: likeness.action,
        title: likeness.title,
        reason: likeness.reason,
        fields: likeness.fields,
        scope: Scope::of(places, order),
        targets: steps.iter().map(|step| targets(step)).sum(),
    }
}

fn places(step: &Step) -> Vec<(&AccountId, Option<&Region>)> {
    if step.targets.is_empty() {
        let place = step.account.as_ref().map(|a| (a, step.region.as_ref()));
        place.into_iter().collect()
    } else {
        step.targets
            .iter()
            .map(|target| (&target.account, Some(&target.region)))
            .collect()
    }
}

fn likeness(step: &Step, differing: Differing) -> Likeness {
    let account = step.account.as_ref().filter(|_| differing.accounts);
    let region = step.region.as_ref().filter(|_| differing.regions);
    let environment = step
        .environment
        .as_deref()
        .filter(|_| differing.environments);
    let general = |text: &str| {
        let text = general(text, account, region);
        match environment {
            Some(name) => replace_word(&text, name, "${environment}"),
            None => text,
        }
    };
    let value = |shown: &Option<Shown>| {
        shown.as_ref().map(|shown| match shown {
            Shown::Text(text) => Shown::Text(general(text)),
            Shown::Hidden => Shown::Hidden,
            Shown::KnownAfterApply(producer) => Shown::KnownAfterApply(producer.clone()),
        })
    };
    Likeness {
        action: step.action,
        title: general(&step.title),
        reason: general(&step.reason),
        fields: step
            .changes
            .iter()
            .map(|field| FieldChange {
                path: general(&field.path),
                before: value(&field.before),
                after: value(&field.after),
            })
            .collect(),
    }
}

/// The text with the account's id and the Region's code replaced by the references that stand for them.
pub fn general(text: &str, account: Option<&AccountId>, region: Option<&Region>) -> String {
    let text = match account {
        Some(account) => replace_word(text, account.as_str(), "${account.id}"),
        None => text.to_owned(),
    };
    match region {
        Some(region) => replace_word(&text, region.as_str(), "${region}"),
        None => text,
    }
}

/// Replaces `word` where no letter or digit stands next to it: `us-east-1` is not meant by `us-east-1a`.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let free = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = None;
    while let Some((before, after)) = rest.split_once(word) {
        out.push_str(before);
        let previous = before.chars().next_back().or(last);
        let whole = free(previous) && free(after.chars().next());
        out.push_str(if whole { by } else { word });
        last = word.chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    out
}

fn notes(plan: &Plan) -> Vec<Notes<'_>> {
    type Key<'a> = (NoteKind, Option<&'a str>, Option<&'a str>, String, bool);
    let mut alike: BTreeMap<Key<'_>, Vec<&Note>> = BTreeMap::new();
    for note in &plan.notes {
        let text = general(&note.text, note.account.as_ref(), note.region.as_ref());
        let name = note
            .account
            .as_ref()
            .and_then(|id| plan.account_names.get(id));
        // The account is named beside the text; without its name equal notes become equal.
        let rest = name
            .and_then(|name| text.strip_prefix(name.as_str()))
            .and_then(|rest| rest.strip_prefix(' '))
            .map(str::to_owned);
        let continues = rest.is_some();
        alike
            .entry((
                note.kind,
                note.component.as_deref(),
                note.environment.as_deref(),
                rest.unwrap_or(text),
                continues,
            ))
            .or_default()
            .push(note);
    }
    alike
        .into_iter()
        .map(
            |((kind, component, environment, text, continues), notes)| Notes {
                kind,
                component,
                environment,
                text,
                continues,
                // An environment's notes never speak for all of it: that would read as if nothing was left.
                scope: Scope::of(
                    notes.iter().filter_map(|note| {
                        note.account.as_ref().map(|a| (a, note.region.as_ref()))
                    }),
                    None,
                ),
                count: notes.len(),
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_ids_and_region_codes_become_references() {
        let account: AccountId = "111122223333".parse().unwrap();
        let region: Region = "us-east-1".parse().unwrap();
        for (text, expected) in [
            (
                "logs-111122223333-us-east-1",
                "logs-${account.id}-${region}",
            ),
            ("us-east-1a and us-east-1", "us-east-1a and ${region}"),
            ("1111222233334", "1111222233334"),
            ("111122223333111122223333", "111122223333111122223333"),
            ("", ""),
        ] {
            assert_eq!(general(text, Some(&account), Some(&region)), expected);
        }
    }
}
