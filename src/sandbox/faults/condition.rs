//! How an AWS may be without anything having gone wrong: pages, lags, and behaviour that no document
//! settles. In place from the start of a simulation.

use crate::sandbox::{
    observed::{Fate, Observed},
    world::{
        AccountStates, World,
        cloudformation::stack_sets::{OnExisting, Resent},
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Longest page of any list.
    PageSize(usize),
    EmptyFirstPages,
    RepeatAcrossPages,
    /// Seconds by which ListStackSetOperationResults lags.
    ResultsLag(u32),
    /// Seconds by which ListStackInstances lags.
    InstancesLag(u32),
    /// Seconds that an operation waits in QUEUED.
    Queued(u32),
    /// Most seconds until a change of policies is enforced.
    PolicyLag(u32),
    /// Most seconds until a new role is seen.
    RolePropagation(u32),
    AccountStates(AccountStates),
    ResentOperation(Resent),
    CreateOnExisting(OnExisting),
    PublishedRates,
}

impl Condition {
    pub fn set(self, world: &mut World) {
        let settings = &mut world.settings;
        let open = &mut world.cloudformation.stack_sets.open_questions;
        match self {
            Self::PageSize(most) => settings.page_size_cap = Some(most),
            Self::EmptyFirstPages => settings.empty_first_pages = true,
            Self::RepeatAcrossPages => settings.repeat_across_pages = true,
            Self::ResultsLag(seconds) => settings.list_lag_seconds = seconds,
            Self::InstancesLag(seconds) => settings.instance_lag_seconds = seconds,
            Self::Queued(seconds) => settings.queue_seconds = seconds,
            Self::PolicyLag(seconds) => settings.policy_lag_seconds = seconds,
            Self::RolePropagation(seconds) => settings.role_propagation_seconds = seconds,
            Self::AccountStates(states) => settings.account_states = states,
            Self::ResentOperation(resent) => open.resent_operation = resent,
            Self::CreateOnExisting(existing) => open.create_on_existing = existing,
            Self::PublishedRates => settings.published_rates = true,
        }
    }

    /// Whether the request met the condition.
    pub fn meets(self, observed: &Observed) -> bool {
        let operation = observed.operation.as_str();
        if observed.fate != Fate::Served {
            return self == Self::PublishedRates
                && observed.code.as_deref().is_some_and(|code| {
                    code.starts_with("Throttling") || code.starts_with("TooManyRequests")
                });
        }
        match self {
            Self::PageSize(_) | Self::EmptyFirstPages => {
                operation.starts_with("List") && observed.service != "s3"
            }
            Self::RepeatAcrossPages => {
                operation.starts_with("List") && observed.service == "cloudformation"
            }
            Self::ResultsLag(_) => operation == "ListStackSetOperationResults",
            Self::InstancesLag(_) => operation == "ListStackInstances",
            Self::Queued(_) => matches!(
                operation,
                "CreateStackInstances"
                    | "UpdateStackInstances"
                    | "DeleteStackInstances"
                    | "UpdateStackSet"
            ),
            Self::PolicyLag(_) => {
                matches!(operation, "AttachPolicy" | "DetachPolicy" | "UpdatePolicy")
            }
            Self::RolePropagation(_) => operation == "CreateRole",
            Self::AccountStates(_) => {
                matches!(
                    operation,
                    "ListAccounts" | "ListAccountsForParent" | "DescribeAccount"
                )
            }
            Self::ResentOperation(Resent::Refuse) => {
                observed.code.as_deref() == Some("OperationIdAlreadyExistsException")
            }
            Self::ResentOperation(Resent::Echo) => false,
            Self::CreateOnExisting(_) => operation == "CreateStackInstances",
            Self::PublishedRates => false,
        }
    }
}
