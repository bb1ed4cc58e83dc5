//! What service control policies decide about one request, without asking AWS.
//!
//! Follows the IAM User Guide ("Policy evaluation logic", "IAM JSON policy elements") and the AWS
//! Organizations User Guide ("SCP evaluation"): an explicit Deny wins, and every level from the root down to
//! the account must allow. The answer has a third value: what the policies make depend on something that
//! nobody said is [`Verdict::Unknown`] with the reason, never a guess.

mod arn;
mod compare;
mod condition;
mod document;
mod request;
mod resource_policy;
mod statement;
mod truth;
mod variables;
mod verdict;
mod wildcard;

#[cfg(test)]
mod tests;

pub use document::{Effect, ParsedPolicy, Unreadable};
pub use request::{ContextValue, Principal, Request};
pub use resource_policy::{Named, ResourceVerdict, evaluate_resource_policy};
pub use truth::Doubt;
pub use verdict::{Allowance, Denial, StatementName, Verdict};

use std::collections::BTreeSet;

use truth::Truth;

/// The policies attached at one place on the way from the root to the account.
#[derive(Debug, Clone)]
pub struct Level {
    /// As people know it: `Root`, the path of a unit, an account.
    pub name: String,
    pub policies: Vec<ParsedPolicy>,
}

/// Decides whether service control policies let a request of a member account pass.
///
/// `levels` go from the root through every unit to the account; none at all means that the organization has
/// not enabled the policy type. A level without a policy allows nothing.
pub fn evaluate(levels: &[Level], request: &Request) -> Verdict {
    if let Some(allowance) = request.exemption() {
        return Verdict::Allowed(allowance);
    }
    let mut doubts: BTreeSet<Doubt> = BTreeSet::new();
    let mut unallowed: Option<&Level> = None;
    for level in levels {
        let mut allowed = Truth::False;
        for policy in &level.policies {
            for statement in policy.statements() {
                let applies = statement.applies(request);
                match (statement.effect, applies) {
                    (Effect::Deny, Truth::True) => {
                        return Verdict::Denied(Denial::Explicit(StatementName {
                            level: level.name.clone(),
                            policy: policy.name().to_owned(),
                            statement: statement.name.clone(),
                        }));
                    }
                    (Effect::Deny, Truth::Unknown(more)) => doubts.extend(more),
                    (Effect::Deny, Truth::False) => {}
                    (Effect::Allow, applies) => allowed = allowed.or(applies),
                }
            }
        }
        match allowed {
            Truth::True => {}
            Truth::Unknown(more) => doubts.extend(more),
            Truth::False => unallowed = unallowed.or(Some(level)),
        }
    }
    // A level that allows nothing denies whatever else is in doubt.
    if let Some(level) = unallowed {
        return Verdict::Denied(Denial::NotAllowed {
            level: level.name.clone(),
        });
    }
    if doubts.is_empty() {
        Verdict::Allowed(Allowance::EveryLevel)
    } else {
        Verdict::Unknown(doubts)
    }
}
