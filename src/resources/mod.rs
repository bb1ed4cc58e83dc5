//! One folder per kind of component. Each holds what is declared (`spec`), what that means for the live
//! organization (`desired`), what is there (`observe`), the difference (`diff`), how to change it (`apply`), how to take
//! the change back (`undo`), what accounts that arrive get (`onboard`) and how to take all of it out (`teardown`).
//!
//! A new kind is a new folder and one line in the list below. A kind that consists of components of other kinds is a line
//! in the second part of that list, and needs none of these but what is declared: what it consists of is worked out when
//! the files are read.

pub mod invocation_logging;
pub mod organization_access;
pub mod policy;
pub mod scope;
pub mod stack;
pub mod stack_set;
pub mod tenant_access;
pub mod values;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::{Context, StepResult};
use crate::aws::{Aws, AwsError};
use crate::live::{Depth, Look};
use crate::onboard::arrivals::Arrivals;
use crate::plan::teardown::Removal;
use crate::plan::undo::{Touched, Undo};
use crate::plan::{Draft, Step};
use scope::Scope;

/// Lists the kinds: the one place that a new kind adds a line to.
///
/// They are compared in this order: what a kind needs from another (trusted access, outputs of stacks) comes
/// from one above it.
macro_rules! kinds {
    (
        single { $($(#[$doc:meta])* $variant:ident = $name:literal in $module:ident;)* }
        composed { $($(#[$composed_doc:meta])* $composed:ident = $composed_name:literal in $composed_module:ident;)* }
    ) => {
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
        pub enum Declared {
            $($(#[$doc])* #[serde(rename = $name)] $variant($module::spec::Spec),)*
            $($(#[$composed_doc])* #[serde(rename = $composed_name)] $composed($composed_module::spec::Spec),)*
        }

        /// What a component is to everything after the files.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Spec {
            $($(#[$doc])* $variant($module::spec::Spec),)*
        }

        /// What stands for several components.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Composed {
            $($(#[$composed_doc])* $composed($composed_module::spec::Spec),)*
        }

        impl Declared {
            /// # Errors
            /// The declaration stands for several components.
            pub fn single(self) -> Result<Spec, Composed> {
                match self {
                    $(Self::$variant(spec) => Ok(Spec::$variant(spec)),)*
                    $(Self::$composed(spec) => Err(Composed::$composed(spec)),)*
                }
            }
        }

        impl Spec {
            pub fn kind(&self) -> Kind {
                match self { $(Spec::$variant(_) => Kind::$variant),* }
            }
        }

        /// What a step sends, by kind.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "do")]
        pub enum Change {
            $(#[serde(rename = $name)] $variant($module::change::Change),)*
        }

        impl Change {
            pub fn kind(&self) -> Kind {
                match self { $(Change::$variant(_) => Kind::$variant),* }
            }
        }

        /// What the declaration means for this organization.
        #[derive(Debug, Clone, Default)]
        pub struct Desired {
            $(pub $module: Vec<$module::desired::Desired>,)*
        }

        impl Desired {
            pub fn of(scope: &Scope<'_>) -> Self {
                let mut desired = Self::default();
                for (phase, component) in scope.components() {
                    match &component.spec {
                        $(Spec::$variant(spec) => {
                            $module::desired::build(scope, phase, component, spec, &mut desired.$module);
                        })*
                    }
                }
                // The one thing that kinds take from each other: outputs.
                stack::desired::referred(scope, &mut desired.stack);
                desired
            }
        }

        /// What is live, as far as the declaration is concerned.
        #[derive(Debug, Clone, Default)]
        pub struct Observation {
            $(pub $module: $module::observe::Observed,)*
        }

        impl Observation {
            pub async fn of(aws: &Aws, scope: &Scope<'_>, desired: &Desired) -> Result<Self, AwsError> {
                Ok(Self {
                    $($module: $module::observe::observe(aws, scope, &desired.$module).await?,)*
                })
            }
        }

        impl Observation {
            /// Reads what a plan does not need and drift does. Nothing that cannot be read ends it.
            pub async fn deepen(&mut self, aws: &Aws, scope: &Scope<'_>, desired: &Desired, depth: Depth) {
                $($module::inspect::inspect(aws, scope, &desired.$module, &mut self.$module, depth).await;)*
            }
        }

        /// Adds the steps that turn what is live into what is declared.
        pub fn diff(desired: &Desired, observation: &Observation, draft: &mut Draft<'_>) {
            $($module::diff::diff(&desired.$module, &observation.$module, draft);)*
        }

        /// Says how everything that is declared is, and what differs.
        pub fn look(desired: &Desired, observation: &Observation, look: &mut Look<'_>) {
            $($module::live::look(&desired.$module, &observation.$module, look);)*
        }

        /// Adds the steps that bring accounts which have arrived to what is live in their environment.
        pub fn onboard(desired: &Desired, observation: &Observation, arrivals: &Arrivals, draft: &mut Draft<'_>) {
            $($module::onboard::onboard(&desired.$module, &observation.$module, arrivals, draft);)*
        }

        /// Adds the steps that take out what is live and ours.
        pub fn teardown(desired: &Desired, observation: &Observation, removal: &Removal, draft: &mut Draft<'_>) {
            $($module::teardown::teardown(&desired.$module, &observation.$module, removal, draft);)*
        }

        /// Adds the opposite of a step that was touched.
        pub fn undo(step: &Step, memory: &Touched, into: &mut Undo<'_>) {
            match &step.change {
                $(Change::$variant(change) => $module::undo::undo(step, change, memory, into),)*
            }
        }

        /// Does one step.
        pub async fn apply(context: &Context<'_>, step: &Step) -> StepResult {
            match &step.change {
                $(Change::$variant(change) => $module::apply::apply(context, step, change).await,)*
            }
        }
    };
}

kinds! {
    single {
        /// Trusted access for StackSets, policy types, delegated administrator.
        OrganizationAccess = "organizationAccess" in organization_access;
        /// One CloudFormation stack in one account, per Region.
        Stack = "stack" in stack;
        /// One StackSet per environment.
        StackSet = "stackSet" in stack_set;
        /// An organization policy and what it is attached to.
        Policy = "policy" in policy;
        /// Bedrock's model invocation logging, per account and Region.
        InvocationLogging = "invocationLogging" in invocation_logging;
    }
    composed {
        /// One role per tenant in the account whose model quota the tenants share; consists of stacks.
        TenantAccess = "tenantAccess" in tenant_access;
    }
}

impl Observation {
    /// The same where the lists of StackSets were read before: everything else is read now.
    ///
    /// # Errors
    /// Something that concerns everybody cannot be read.
    pub async fn beside(
        aws: &Aws,
        scope: &Scope<'_>,
        desired: &Desired,
        stack_set: stack_set::observe::Observed,
    ) -> Result<Self, AwsError> {
        Ok(Self {
            organization_access: organization_access::observe::observe(
                aws,
                scope,
                &desired.organization_access,
            )
            .await?,
            stack: stack::observe::observe(aws, scope, &desired.stack).await?,
            stack_set,
            policy: policy::observe::observe(aws, scope, &desired.policy).await?,
            invocation_logging: invocation_logging::observe::observe(
                aws,
                scope,
                &desired.invocation_logging,
            )
            .await?,
        })
    }
}
