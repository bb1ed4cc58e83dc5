//! What every command that looks at an organization stands on: read files, a connection, the organization as
//! it was discovered, and the plan that follows from them.

use std::collections::BTreeSet;

use crate::aws::{Aws, AwsError, CallAs, ConnectError, Deployer, Options, Pacing, Source};
use crate::clock::Clock;
use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{CallAs as DeclaredCallAs, Rollout};
use crate::config::{Failed, Loaded};
use crate::ids::{AccountId, OrganizationId};
use crate::live::{Depth, Found, Look};
use crate::onboard::arrivals::{Arrivals, Known};
use crate::onboard::kept::kept;
use crate::organization::{Membership, Snapshot, discover};
use crate::plan::shrunk::{self, MayLeave};
use crate::plan::teardown::{self, Removal};
use crate::plan::waves::Assigned;
use crate::plan::{self, NoPlan, Plan};
use crate::resources::policy::lockout;
use crate::resources::policy::teardown::keep_full_access;
use crate::resources::scope::{Filter, Scope};
use crate::resources::{self, Desired, Observation, stack_set};

/// A rollout, the organization that it is for, and a connection to it.
#[derive(Debug)]
pub struct Session {
    pub loaded: Loaded,
    pub aws: Aws,
    pub snapshot: Snapshot,
    pub membership: Membership,
    pub filter: Filter,
    /// Accounts that may leave the rollout in one run.
    pub may_leave: MayLeave,
}

/// Who has arrived, and what was read to know it.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub arrivals: Arrivals,
    desired: Desired,
    lists: stack_set::observe::Observed,
}

/// Why nothing can be done with an organization. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error("the organization does not fit the files")]
    Organization {
        failed: Failed,
        /// Nothing is wrong with the files: what is live forbids it (exit code 4).
        refused: bool,
    },
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// Connects as a rollout declares it.
pub async fn connect(
    rollout: &Rollout,
    source: Source,
    clock: Clock,
    pacing: Option<Pacing>,
) -> Result<Aws, ConnectError> {
    let role = &rollout.organization.deployer_role;
    Aws::connect(Options {
        source,
        clock,
        home_region: rollout.organization.home_region.clone(),
        deployer: Deployer {
            role: role.name.clone(),
            external_id: role.external_id.clone(),
            session_duration: role.session_duration,
        },
        call_as: match rollout.organization.call_as {
            DeclaredCallAs::SelfManagement => CallAs::SelfManagement,
            DeclaredCallAs::DelegatedAdmin => CallAs::DelegatedAdmin,
        },
        pacing,
    })
    .await
}

impl Session {
    /// Discovers the organization. Another one than the files pin is refused before anything else is read.
    pub async fn open(loaded: Loaded, aws: Aws, filter: Filter) -> Result<Self, Stop> {
        let organization = aws.describe_organization().await?;
        if let Some(refusal) = wrong_organization(&loaded.rollout, &organization.id) {
            return Err(stop(vec![refusal], loaded, true));
        }
        let snapshot = discover(&aws, &loaded.rollout, organization).await?;
        match Membership::resolve(&loaded.rollout, &snapshot) {
            Ok(membership) => Ok(Self {
                loaded,
                aws,
                snapshot,
                membership,
                filter,
                may_leave: MayLeave::default(),
            }),
            Err(diagnostics) => Err(stop(diagnostics, loaded, false)),
        }
    }

    pub fn scope(&self) -> Scope<'_> {
        Scope {
            rollout: &self.loaded.rollout,
            snapshot: &self.snapshot,
            membership: &self.membership,
            filter: &self.filter,
        }
    }

    /// Reads what is live and compares.
    pub async fn plan(&self) -> Result<Plan, Stop> {
        self.plan_beside(&Assigned::new()).await
    }

    /// The same while a rollout is open that has dealt out waves already: who arrived since joins the last one.
    pub async fn plan_beside(&self, assigned: &Assigned) -> Result<Plan, Stop> {
        if mutant!(PlanWrites) {
            self.aws.allow_writes();
            self.aws.activate_organizations_access().await?;
        }
        let scope = self.scope();
        let desired = Desired::of(&scope);
        let observation = Observation::of(&self.aws, &scope, &desired).await?;
        let plan = plan::build(scope, &desired, &observation, assigned)
            .and_then(|plan| {
                shrunk::check(&plan, &scope, &observation.stack_set, self.may_leave)?;
                Ok(plan)
            })
            .map_err(
                |NoPlan {
                     diagnostics,
                     refused,
                 }| self.no_plan(diagnostics, refused),
            )?;
        Box::pin(self.guarded(plan)).await
    }

    /// Who has arrived. Reads lists only, whatever the size of the organization. `only`: nobody else.
    ///
    /// # Errors
    /// The lists cannot be read.
    pub async fn arrived(
        &self,
        known: &Known,
        only: &BTreeSet<AccountId>,
    ) -> Result<Arrived, Stop> {
        let scope = self.scope();
        let desired = Desired::of(&scope);
        let lists = stack_set::observe::lists(&self.aws, &scope, &desired.stack_set).await?;
        let arrivals = Arrivals::of(&scope, &desired.stack_set, &lists, known).only(only);
        Ok(Arrived {
            arrivals,
            desired,
            lists,
        })
    }

    /// What carries along those that have arrived.
    ///
    /// # Errors
    /// What is live cannot be read, or the files do not fit it.
    pub async fn arrival(&self, arrived: Arrived) -> Result<Plan, Stop> {
        let scope = self.scope();
        let Arrived {
            arrivals,
            mut desired,
            lists,
        } = arrived;
        desired
            .invocation_logging
            .retain(|desired| arrivals.concerns(&desired.place.account));
        let observation = if arrivals.accounts.is_empty() {
            Observation {
                stack_set: lists,
                ..Observation::default()
            }
        } else {
            Observation::beside(&self.aws, &scope, &desired, lists).await?
        };
        let plan = plan::arrival::build(scope, &desired, &observation, &arrivals).map_err(
            |NoPlan {
                 diagnostics,
                 refused,
             }| self.no_plan(diagnostics, refused),
        )?;
        Box::pin(self.guarded(plan)).await
    }

    /// What is live, target by target, as `status` and `drift` show it.
    pub async fn look(&self, depth: Depth) -> Result<Found, Stop> {
        let scope = self.scope();
        let desired = Desired::of(&scope);
        let mut observation = Observation::of(&self.aws, &scope, &desired).await?;
        observation.deepen(&self.aws, &scope, &desired, depth).await;
        let mut look = Look::new(scope);
        resources::look(&desired, &observation, &mut look);
        Ok(look.finish())
    }

    /// What takes the rollout out, or one account out of the rollout.
    ///
    /// # Errors
    /// What is live cannot be read, or the plan would break a rule.
    pub async fn teardown(&self, mut removal: Removal) -> Result<Plan, Stop> {
        let scope = self.scope();
        let mut desired = Desired::of(&scope);
        desired
            .invocation_logging
            .retain(|desired| removal.reaches(&desired.place.account));
        let lists = stack_set::observe::lists(&self.aws, &scope, &desired.stack_set).await?;
        let observation = Observation::beside(&self.aws, &scope, &desired, lists).await?;
        removal.governed = observation
            .stack_set
            .sets
            .values()
            .filter(|set| set.is_of(&self.loaded.rollout.name))
            .flat_map(|set| set.instances.keys().map(|target| target.account.clone()))
            .collect();
        removal.kept = kept(&self.aws, &scope, &observation, &removal).await?;
        let plan = teardown::build(scope, &desired, &observation, &removal).map_err(
            |NoPlan {
                 diagnostics,
                 refused,
             }| self.no_plan(diagnostics, refused),
        )?;
        let live = lockout::read(&self.aws, &scope, &plan).await?;
        Ok(keep_full_access(plan, &live))
    }

    /// The second stage: what policies of everybody would deny after each step. Reads only for a plan that
    /// touches such policies.
    async fn guarded(&self, plan: Plan) -> Result<Plan, Stop> {
        let scope = self.scope();
        let live = lockout::read(&self.aws, &scope, &plan).await?;
        let plan = lockout::make_room(&scope, plan, &live);
        let judgement = lockout::judge(&scope, &plan, &live, &self.aws.identity().arn);
        if judgement.refusals.is_empty() {
            Ok(plan.advised(judgement.advice))
        } else {
            Err(self.no_plan(judgement.refusals, true))
        }
    }

    fn no_plan(&self, diagnostics: Vec<Diagnostic>, refused: bool) -> Stop {
        Stop::Organization {
            failed: Failed {
                diagnostics,
                sources: self.loaded.sources.clone(),
            },
            refused,
        }
    }
}

fn stop(diagnostics: Vec<Diagnostic>, loaded: Loaded, refused: bool) -> Stop {
    Stop::Organization {
        failed: Failed {
            diagnostics,
            sources: loaded.sources,
        },
        refused,
    }
}

fn wrong_organization(rollout: &Rollout, live: &OrganizationId) -> Option<Diagnostic> {
    let pinned = rollout.organization.id.as_ref()?;
    if pinned.value == *live {
        return None;
    }
    Some(
        Diagnostic::error(
            codes::WRONG_ORGANIZATION,
            format!(
                "the credentials belong to organization {live}, and the rollout is for {}",
                pinned.value
            ),
        )
        .at(&pinned.origin)
        .help("use the credentials of the right organization; nothing was changed"),
    )
}
