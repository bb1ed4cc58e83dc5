//! What came out, and why, in words.

use std::collections::BTreeSet;
use std::fmt;

use super::Doubt;

/// What service control policies decide. They grant nothing: allowed means that they leave the request to
/// identity and resource policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Allowed(Allowance),
    Denied(Denial),
    /// It depends on what nobody said.
    Unknown(BTreeSet<Doubt>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// No statement denies, and one allows at each level.
    EveryLevel,
    /// SCPs do not affect the management account's users and roles.
    ManagementAccount,
    /// SCPs do not affect service-linked roles.
    ServiceLinkedRole,
    /// SCPs restrict users and roles of accounts, not services that call by themselves.
    NoIdentity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    Explicit(StatementName),
    /// Nothing at this level allows the request.
    NotAllowed {
        level: String,
    },
}

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementName {
    pub level: String,
    pub policy: String,
    /// The Sid, or its position, counted from 1: `#2`.
    pub statement: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(Allowance::EveryLevel) => f.write_str("allowed at every level"),
            Self::Allowed(Allowance::ManagementAccount) => {
                f.write_str("allowed: policies do not affect the management account")
            }
            Self::Allowed(Allowance::ServiceLinkedRole) => {
                f.write_str("allowed: policies do not affect service-linked roles")
            }
            Self::Allowed(Allowance::NoIdentity) => {
                f.write_str("allowed: policies affect users and roles only")
            }
            Self::Denied(Denial::Explicit(at)) => write!(
                f,
                "denied by the statement {} of {} at {}",
                at.statement, at.policy, at.level
            ),
            Self::Denied(Denial::NotAllowed { level }) => {
                write!(f, "denied: nothing at {level} allows it")
            }
            Self::Unknown(doubts) => {
                f.write_str("unknown")?;
                let mut before = ": ";
                for doubt in doubts {
                    write!(f, "{before}{doubt}")?;
                    before = "; ";
                }
                Ok(())
            }
        }
    }
}
