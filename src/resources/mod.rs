//! One folder per kind of component. Each holds what is declared (`spec`), what that means for the live
//! organization (`desired`), what is there (`observe`), the difference (`diff`) and how to change it (`apply`).

pub mod invocation_logging;
pub mod organization_access;
pub mod policy;
pub mod stack;
pub mod stack_set;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the kinds: the one place that a new kind adds a line to.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal in $module:ident;)*) => {
        /// The kinds of components.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// As written in `kind:`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),* }
            }
        }

        /// One component as it is declared in a phase of `rollout.yaml`.
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Spec {
            $($(#[$doc])* #[serde(rename = $name)] $variant($module::spec::Spec),)*
        }

        /// What a step sends, by kind.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "do")]
        pub enum Change {
            $(#[serde(rename = $name)] $variant($module::change::Change),)*
        }

        impl Spec {
            pub fn kind(&self) -> Kind {
                match self { $(Spec::$variant(_) => Kind::$variant),* }
            }
        }
    };
}

kinds! {
    /// Trusted access for StackSets, policy types, delegated administrator.
    OrganizationAccess = "organizationAccess" in organization_access;
    /// An organization policy and what it is attached to.
    Policy = "policy" in policy;
    /// One CloudFormation stack in one account, per Region.
    Stack = "stack" in stack;
    /// One StackSet per environment.
    StackSet = "stackSet" in stack_set;
    /// Bedrock's model invocation logging, per account and Region.
    InvocationLogging = "invocationLogging" in invocation_logging;
}
