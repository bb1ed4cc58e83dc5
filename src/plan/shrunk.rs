//! An organization that seems to have lost many accounts is more likely to have been read or written wrongly than to
//! have lost them: nothing is taken away then without being asked for (S18). Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::ids::AccountId;
use crate::resources::scope::Scope;
use crate::resources::stack_set;

use super::NoPlan;
use super::model::{Action, Plan};

/// Accounts that may leave a rollout in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayLeave {
    Count(usize),
    /// Of those that the rollout has, rounded down, but at least one.
    Percent(u8),
}

impl Default for MayLeave {
    fn default() -> Self {
        MayLeave::Percent(10)
    }
}

/// A text that is neither a number nor a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of accounts, or a percentage such as 10%")]
pub struct NoAmount;

impl FromStr for MayLeave {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent @ 0..=100) => Ok(MayLeave::Percent(percent)),
                _ => Err(NoAmount),
            },
            None => text.parse().map(MayLeave::Count).map_err(|_| NoAmount),
        }
    }
}

impl fmt::Display for MayLeave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MayLeave::Count(count) => write!(f, "{count}"),
            MayLeave::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

impl MayLeave {
    fn of(self, accounts: usize) -> usize {
        match self {
            MayLeave::Count(count) => count,
            MayLeave::Percent(percent) => {
                (accounts.saturating_mul(usize::from(percent)) / 100).max(1)
            }
        }
    }
}

/// Refuses a plan that takes something away while more accounts have left the environments than may. What is live is
/// what accounts are counted by, so that no record is needed for it.
///
/// # Errors
/// More accounts have left than may.
pub fn check(
    plan: &Plan,
    scope: &Scope<'_>,
    live: &stack_set::observe::Observed,
    limit: MayLeave,
) -> Result<(), NoPlan> {
    if !plan.steps.iter().any(|step| step.action == Action::Delete) {
        return Ok(());
    }
    let governed: BTreeSet<&AccountId> = live
        .sets
        .values()
        .filter(|set| set.is_of(&scope.rollout.name))
        .flat_map(|set| set.instances.keys().map(|target| &target.account))
        .collect();
    let named: BTreeSet<&AccountId> = scope.membership.named.values().collect();
    let members: BTreeSet<&AccountId> = scope
        .membership
        .members
        .values()
        .flatten()
        .map(|member| &member.account)
        .collect();
    let gone: Vec<&AccountId> = governed
        .iter()
        .copied()
        .filter(|account| !members.contains(account) && !named.contains(account))
        .collect();
    let most = limit.of(governed.len());
    if gone.len() <= most {
        return Ok(());
    }
    let some: Vec<String> = gone.iter().take(5).map(ToString::to_string).collect();
    let more = match gone.len() - some.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let diagnostic = Diagnostic::error(
        codes::SHRUNK,
        format!(
            "{} of the {} accounts that the rollout has would leave it ({}{more}), and {most} may in one run",
            gone.len(),
            governed.len(),
            some.join(", "),
        ),
    )
    .help(format!(
        "look whether accounts were moved, or a selector changed, by mistake; if all of it is meant, say so with --max-leaving {}",
        gone.len()
    ));
    Err(NoPlan {
        diagnostics: vec![diagnostic],
        refused: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S18: 10 %, at least one.
    #[test]
    fn one_account_may_always_leave_and_a_tenth_of_many() {
        for (limit, accounts, expected) in [
            (MayLeave::default(), 3, 1),
            (MayLeave::default(), 0, 1),
            (MayLeave::default(), 50, 5),
            (MayLeave::Count(0), 50, 0),
            (MayLeave::Percent(100), 50, 50),
        ] {
            assert_eq!(limit.of(accounts), expected, "{limit} of {accounts}");
        }
        assert_eq!("25%".parse(), Ok(MayLeave::Percent(25)));
        assert_eq!("7".parse(), Ok(MayLeave::Count(7)));
        assert_eq!("101%".parse::<MayLeave>(), Err(NoAmount));
    }
}
