//! A plan as people think of it: what happens to which component of which environment, and to how many
//! accounts, instead of one step after the other. Text and Markdown are both made from this.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, Region};
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
    pub name: Option<&'a str>,
    pub changes: Vec<Change>,
}

/// Steps that do the same. Where each of them speaks of its own account or Region, the text says
/// `${account.id}` or `${region}`, as one would write it in the rollout.
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
            environments: in_order(&steps, |step| step.environment.as_deref())
                .into_iter()
                .map(|(name, steps)| Environment {
                    name,
                    changes: changes(plan, &steps),
                })
                .collect(),
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

/// What two steps must have in common to be shown as one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    action: Action,
    title: String,
    reason: String,
    fields: Vec<FieldChange>,
}

fn changes(plan: &Plan, steps: &[&Step]) -> Vec<Change> {
    let mut first_seen: BTreeMap<(Action, String), usize> = BTreeMap::new();
    let mut alike: BTreeMap<Likeness, Vec<&Step>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let likeness = likeness(step, true, true);
        first_seen
            .entry((likeness.action, likeness.title.clone()))
            .or_insert(index);
        alike.entry(likeness).or_default().push(step);
    }
    let mut changes: Vec<(usize, usize, Change)> = alike
        .into_iter()
        .map(|(likeness, steps)| {
            let seen = first_seen.get(&(likeness.action, likeness.title.clone()));
            let change = change(plan, likeness, &steps);
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

fn change(plan: &Plan, likeness: Likeness, steps: &[&Step]) -> Change {
    let accounts: BTreeSet<Option<&AccountId>> = steps.iter().map(|s| s.account.as_ref()).collect();
    let regions: BTreeSet<Option<&Region>> = steps.iter().map(|s| s.region.as_ref()).collect();
    // With a single account its id says more than a reference to it.
    let likeness = match steps.first() {
        Some(first) if accounts.len() == 1 || regions.len() == 1 => {
            self::likeness(first, accounts.len() > 1, regions.len() > 1)
        }
        _ => likeness,
    };
    let environment = steps
        .first()
        .and_then(|step| step.environment.as_ref())
        .and_then(|name| plan.environments.get(name));
    let places = steps.iter().flat_map(|step| places(step));
    Change {
        action: likeness.action,
        title: likeness.title,
        reason: likeness.reason,
        fields: likeness.fields,
        scope: Scope::of(places, environment),
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

fn likeness(step: &Step, any_account: bool, any_region: bool) -> Likeness {
    let account = step.account.as_ref().filter(|_| any_account);
    let region = step.region.as_ref().filter(|_| any_region);
    let general = |text: &str| general(text, account, region);
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
