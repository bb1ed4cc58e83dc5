//! State by state: who is denied what, since which step, by which statement.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, TargetId};
use crate::policy::evaluate::{
    Denial, Level, ParsedPolicy, Request, StatementName, Unreadable, Verdict, evaluate,
};

use super::attached::{Attached, Chain, Move, MoveKind, Node, allow_everything};

/// An account that must stay open, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub account: AccountId,
    pub account_name: String,
    /// From the root to the account.
    pub path: Vec<Node>,
    /// Accounts of the same group have the same roles with the same needs.
    pub group: String,
}

/// One request that must be let through.
#[derive(Debug, Clone)]
pub struct Ask {
    /// As people know the principal: `the deployer's role bedrail-deployer`.
    pub who: String,
    pub request: Request,
}

/// Somebody is denied something, as one row of what may be many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    pub who: String,
    /// The first action that is denied, and how many more are for the same reason.
    pub action: String,
    pub more_actions: usize,
    /// The first account, and how many more there are.
    pub account: AccountId,
    pub account_name: String,
    pub more_accounts: usize,
    /// The step after which it is so.
    pub step: String,
    /// Level, policy and statement; `None` when nothing at a level allows it.
    pub by: Option<StatementName>,
    /// The reason in words.
    pub why: String,
    /// It depends on what nobody can know beforehand.
    pub in_doubt: bool,
}

/// A target that would be left without any policy: nothing at all is allowed below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptied {
    pub target: TargetId,
    pub step: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What the moves would lock out.
    pub locked_out: Vec<Denied>,
    /// What somebody else's policies deny already, and still would.
    pub denied_already: Vec<Denied>,
    pub emptied: Vec<Emptied>,
}

/// Follows the moves in their order and judges every state on the way.
///
/// `asks` says what the roles of a subject need; it is called once for accounts that are governed alike.
pub fn check(
    before: &Attached,
    moves: &[Move],
    subjects: &[Subject],
    asks: &dyn Fn(&Subject) -> Vec<Ask>,
) -> Findings {
    let mut findings = Findings {
        emptied: emptied(before, moves),
        ..Findings::default()
    };
    let States { states, put } = states(before, moves);
    let Some(last) = states.last().map(|state| &state.attached) else {
        return findings;
    };
    let mut locked = Rows::default();
    let mut already = Rows::default();
    for (subject, others) in alike(before, &states, last, subjects) {
        let chain_before = before.chain(&subject.path);
        // Chains that have been judged: two states in a row often differ elsewhere.
        let mut seen: BTreeSet<Chain> = BTreeSet::new();
        let requests = asks(subject);
        let judged_before = before.levels(&subject.path, &chain_before);
        let chain_after = last.chain(&subject.path);
        for state in &states {
            let chain = state.attached.chain(&subject.path);
            if chain == chain_before || !seen.insert(chain.clone()) {
                continue;
            }
            let levels = last.levels(&subject.path, &chain);
            let only_put = last.levels_of_only(&subject.path, &chain, &put);
            for ask in &requests {
                let Some(reason) = denial(&levels, &ask.request) else {
                    continue;
                };
                let was_open = denial(&judged_before, &ask.request).is_none();
                let by_us = || denial(&only_put, &ask.request);
                if was_open {
                    locked.add(subject, others, ask, &state.step, reason);
                } else if let Some(reason) = by_us() {
                    locked.add(subject, others, ask, &state.step, reason);
                } else if chain == chain_after {
                    already.add(subject, others, ask, &state.step, reason);
                }
            }
        }
    }
    findings.locked_out = locked.finish();
    findings.denied_already = already.finish();
    findings
}

/// What is attached when all moves are done.
pub fn after(before: &Attached, moves: &[Move]) -> Attached {
    let mut after = before.clone();
    for change in moves {
        after.follow(change);
    }
    after
}

/// Why a request is not certain to pass along a path, and whether that is only in doubt; `None` when it passes.
pub fn denies(attached: &Attached, path: &[Node], request: &Request) -> Option<(String, bool)> {
    let chain = attached.chain(path);
    denial(&attached.levels(path, &chain), request).map(|reason| (reason.why, reason.in_doubt))
}

struct State {
    step: String,
    attached: Attached,
}

struct States {
    states: Vec<State>,
    /// What the moves define or attach.
    put: BTreeSet<usize>,
}

fn states(before: &Attached, moves: &[Move]) -> States {
    let mut attached = before.clone();
    let mut put = BTreeSet::new();
    let states = moves
        .iter()
        .map(|change| {
            attached.follow(change);
            if matches!(change.what, MoveKind::Define(_) | MoveKind::Attach(_)) {
                put.extend(attached.content_of(&change.policy));
            }
            State {
                step: change.step.clone(),
                attached: attached.clone(),
            }
        })
        .collect();
    States { states, put }
}

fn emptied(before: &Attached, moves: &[Move]) -> Vec<Emptied> {
    let mut attached = before.clone();
    let mut found = Vec::new();
    for change in moves {
        let touched: Vec<TargetId> = match &change.what {
            MoveKind::Detach(target) => vec![target.clone()],
            MoveKind::Delete => attached.targets_of(&change.policy).cloned().collect(),
            MoveKind::Define(_) | MoveKind::Attach(_) => Vec::new(),
        };
        attached.follow(change);
        for target in touched {
            if attached.names_at(&target).next().is_none() {
                found.push(Emptied {
                    target,
                    step: change.step.clone(),
                });
            }
        }
    }
    found
}

/// Group, chains from state to state, and the account where it counts.
type Kind<'s> = (&'s str, Vec<Chain>, Option<&'s AccountId>);

/// One subject for each kind, with the number of the others of its kind. Where a policy may tell accounts
/// apart, each account is a kind of its own.
fn alike<'s>(
    before: &Attached,
    states: &[State],
    last: &Attached,
    subjects: &'s [Subject],
) -> Vec<(&'s Subject, usize)> {
    let mut kinds: BTreeMap<Kind<'_>, (&Subject, usize)> = BTreeMap::new();
    for subject in subjects {
        let mut chains = vec![before.chain(&subject.path)];
        for state in states {
            let chain = state.attached.chain(&subject.path);
            if chains.last() != Some(&chain) {
                chains.push(chain);
            }
        }
        // A path that nothing changes is not looked at.
        if chains.len() == 1 {
            continue;
        }
        let personal = chains.iter().any(|chain| last.is_personal(chain));
        let key = (
            subject.group.as_str(),
            chains,
            personal.then_some(&subject.account),
        );
        kinds
            .entry(key)
            .and_modify(|(_, others)| *others += 1)
            .or_insert((subject, 0));
    }
    let mut kinds: Vec<(&Subject, usize)> = kinds.into_values().collect();
    kinds.sort_by(|one, other| one.0.account.cmp(&other.0.account));
    kinds
}

struct Reason {
    by: Option<StatementName>,
    why: String,
    in_doubt: bool,
}

/// Why a request does not certainly pass.
fn denial(levels: &Result<Vec<Level>, Unreadable>, request: &Request) -> Option<Reason> {
    let levels = match levels {
        Ok(levels) => levels,
        Err(unreadable) => {
            return Some(Reason {
                by: None,
                why: unreadable.to_string(),
                in_doubt: true,
            });
        }
    };
    let verdict = evaluate(levels, request);
    let by = match &verdict {
        Verdict::Allowed(_) => return None,
        Verdict::Denied(Denial::Explicit(at)) => Some(at.clone()),
        Verdict::Denied(Denial::NotAllowed { .. }) => None,
        Verdict::Unknown(_) => doubtful_statement(levels, request),
    };
    Some(Reason {
        why: match &by {
            Some(at) if matches!(verdict, Verdict::Unknown(_)) => format!(
                "the statement {} of {} at {} may deny it: {verdict}",
                at.statement, at.policy, at.level
            ),
            _ => verdict.to_string(),
        },
        in_doubt: matches!(verdict, Verdict::Unknown(_)),
        by,
    })
}

/// The first statement that is in doubt by itself.
fn doubtful_statement(levels: &[Level], request: &Request) -> Option<StatementName> {
    levels.iter().find_map(|level| {
        level.policies.iter().find_map(|policy| {
            let statement = policy
                .each_statement()
                .find(|alone| matches!(alone_decides(alone, request), Verdict::Unknown(_)))?;
            Some(StatementName {
                level: level.name.clone(),
                policy: policy.name().to_owned(),
                statement: statement.statement_names().next()?.to_owned(),
            })
        })
    })
}

fn alone_decides(policy: &ParsedPolicy, request: &Request) -> Verdict {
    let mut policies = vec![policy.clone()];
    policies.extend(allow_everything());
    evaluate(
        &[Level {
            name: String::new(),
            policies,
        }],
        request,
    )
}

/// Who; policy, statement and level; whether it is in doubt.
type RowKey = (String, Option<(String, String, String)>, bool);

/// By who and why: one row for all actions and accounts with the same answer.
#[derive(Default)]
struct Rows {
    rows: BTreeMap<RowKey, Row>,
}

struct Row {
    denied: Denied,
    actions: BTreeSet<String>,
    accounts: BTreeMap<AccountId, usize>,
}

impl Rows {
    fn add(&mut self, subject: &Subject, others: usize, ask: &Ask, step: &str, reason: Reason) {
        let by = reason
            .by
            .as_ref()
            .map(|at| (at.policy.clone(), at.statement.clone(), at.level.clone()));
        let row = self
            .rows
            .entry((ask.who.clone(), by, reason.in_doubt))
            .or_insert_with(|| Row {
                denied: Denied {
                    who: ask.who.clone(),
                    action: ask.request.action().to_owned(),
                    more_actions: 0,
                    account: subject.account.clone(),
                    account_name: subject.account_name.clone(),
                    more_accounts: 0,
                    step: step.to_owned(),
                    by: reason.by,
                    why: reason.why,
                    in_doubt: reason.in_doubt,
                },
                actions: BTreeSet::new(),
                accounts: BTreeMap::new(),
            });
        row.actions.insert(ask.request.action().to_owned());
        row.accounts.insert(subject.account.clone(), others);
    }

    fn finish(self) -> Vec<Denied> {
        self.rows
            .into_values()
            .map(|row| Denied {
                more_actions: row.actions.len().saturating_sub(1),
                more_accounts: (row.accounts.len() + row.accounts.values().sum::<usize>())
                    .saturating_sub(1),
                ..row.denied
            })
            .collect()
    }
}
