//! Who works in which account, and with what: the accounts that must stay open.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::model::{Parameters, Text, Value};
use crate::config::text::Filled;
use crate::ids::{AccountId, Region, TargetId};
use crate::organization::AccountState;
use crate::policy::evaluate::{Principal, Request};
use crate::policy::guard::needs::{self, Deployer, Setting, Stack};
use crate::policy::guard::resource_types::Made;
use crate::policy::guard::{Ask, Node, Subject};
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::{Filter, For, Scope};
use crate::resources::{Desired, Spec};

use super::names;

/// The parameter that names the roles which every policy must leave alone.
const BREAK_GLASS: &str = "BreakGlassRoles";

/// Everything that is done in accounts by the whole rollout, whatever a command was narrowed to.
#[derive(Debug)]
pub struct Works<'a> {
    scope: Scope<'a>,
    /// The role's ARN of whoever runs it.
    caller: Option<Caller>,
    works: BTreeMap<AccountId, Work>,
    pub subjects: Vec<Subject>,
}

#[derive(Debug)]
struct Caller {
    account: AccountId,
    role: String,
    arn: String,
}

#[derive(Debug, Default)]
struct Work {
    environment: Option<String>,
    logging: BTreeSet<Region>,
    logging_roles: BTreeSet<String>,
    stacks: Vec<Placed>,
    stack_sets: Vec<Placed>,
    break_glass: BTreeSet<String>,
}

/// One stack or StackSet in a Region.
#[derive(Debug)]
struct Placed {
    name: String,
    region: Region,
    made: std::rc::Rc<Vec<Made>>,
    service_role: Option<String>,
}

impl<'a> Works<'a> {
    pub fn of(scope: &Scope<'a>, caller: &str) -> Self {
        let mut works: BTreeMap<AccountId, Work> = BTreeMap::new();
        for (environment, members) in &scope.membership.members {
            for member in members {
                works.entry(member.account.clone()).or_default().environment =
                    Some(environment.clone());
            }
        }
        let everything = Filter::default();
        let whole = Scope {
            filter: &everything,
            ..*scope
        };
        let desired = Desired::of(&whole);
        logging(&desired, &mut works);
        stacks(scope, &desired, &mut works);
        stack_sets(scope, &desired, &mut works);
        works.remove(&scope.snapshot.management_account);
        let roles = Roles::of(scope);
        let mut subjects = Vec::new();
        for (id, account) in &scope.snapshot.accounts {
            let governable = match account.state {
                AccountState::Active
                | AccountState::PendingActivation
                | AccountState::Unknown(_) => true,
                AccountState::Suspended | AccountState::PendingClosure | AccountState::Closed => {
                    false
                }
            };
            // Policies do not reach the management account (Organizations User Guide, "SCP effects").
            if !governable || *id == scope.snapshot.management_account {
                continue;
            }
            let work = works.entry(id.clone()).or_default();
            work.break_glass = roles.for_account(work.environment.as_deref());
            subjects.push(Subject {
                account: id.clone(),
                account_name: scope.snapshot.account_name(id).to_owned(),
                path: path(scope, id),
                group: work.kind(id),
            });
        }
        Self {
            scope: *scope,
            caller: Caller::read(caller),
            works,
            subjects,
        }
    }

    /// What must be let through in an account.
    pub fn asks(&self, policy_type: PolicyType, subject: &Subject) -> Vec<Ask> {
        let Some(work) = self.works.get(&subject.account) else {
            return Vec::new();
        };
        let rollout = &self.scope.rollout;
        let home = &rollout.organization.home_region;
        let role = rollout.organization.deployer_role.name.as_str();
        let setting = Setting {
            partition: &self.scope.snapshot.partition,
            organization: &self.scope.snapshot.organization,
            account: &subject.account,
            global_region: global_region(&self.scope.snapshot.partition),
            home_region: home,
        };
        let mut asks = Vec::new();
        if work.is_worked_in() {
            asks.extend(needs::deployer(
                &setting,
                &Deployer {
                    role,
                    logging: work.logging.iter().collect(),
                    logging_roles: work.logging_roles.iter().map(String::as_str).collect(),
                    stacks: work.stacks.iter().map(Placed::stack).collect(),
                },
            ));
            let stack_sets: Vec<Stack<'_>> = work.stack_sets.iter().map(Placed::stack).collect();
            asks.extend(needs::stack_sets(&setting, &stack_sets));
        }
        let mut regions: BTreeSet<&Region> = work.regions().collect();
        regions.insert(home);
        let regions: Vec<&Region> = regions.into_iter().collect();
        for name in &work.break_glass {
            asks.extend(needs::break_glass(&setting, name, role, &regions));
        }
        if let Some(caller) = &self.caller {
            match policy_type {
                // SCPs are about who asks: they reach a caller that is a member account's.
                PolicyType::ServiceControlPolicy if caller.account == subject.account => {
                    asks.extend(needs::operator(&setting, &caller.role));
                }
                // RCPs are about what is asked for: the deployer's role is, by whoever assumes it.
                PolicyType::ResourceControlPolicy if work.is_worked_in() => asks.push(Ask {
                    who: format!("the caller's role {}", caller.role),
                    request: assume(&setting, caller, role),
                }),
                PolicyType::ServiceControlPolicy
                | PolicyType::ResourceControlPolicy
                | PolicyType::BedrockPolicy => {}
            }
        }
        if policy_type == PolicyType::ServiceControlPolicy {
            let management = &self.scope.snapshot.management_account;
            for ask in &mut asks {
                ask.request = ask.request.clone().managed_by(management.clone());
            }
        }
        asks
    }
}

fn assume(setting: &Setting<'_>, caller: &Caller, role: &str) -> Request {
    Request::new(
        Principal::Identity(caller.arn.clone()),
        "sts:AssumeRole",
        setting.role_arn(role),
    )
    .with("aws:RequestedRegion", setting.home_region.as_str())
    .with("aws:PrincipalOrgID", setting.organization.as_str())
    .with("aws:ResourceOrgID", setting.organization.as_str())
    .with("aws:ResourceAccount", setting.account.as_str())
    .with("aws:SecureTransport", "true")
    .without("aws:SourceAccount")
    .without("aws:SourceArn")
    .without("aws:SourceOrgID")
    .without("aws:SourceOrgPaths")
}

impl Caller {
    /// `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`; the role's path is not in it.
    fn read(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (_, partition, _) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let role = name.strip_prefix("assumed-role/")?.split('/').next()?;
        Some(Self {
            account: account.parse().ok()?,
            role: role.to_owned(),
            arn: format!("arn:{partition}:iam::{account}:role/{role}"),
        })
    }
}

impl Work {
    fn is_worked_in(&self) -> bool {
        self.environment.is_some()
            || !self.logging.is_empty()
            || !self.stacks.is_empty()
            || !self.stack_sets.is_empty()
    }

    fn regions(&self) -> impl Iterator<Item = &Region> {
        self.logging
            .iter()
            .chain(self.stacks.iter().map(|placed| &placed.region))
            .chain(self.stack_sets.iter().map(|placed| &placed.region))
    }

    /// Equal for accounts in which the same is done. What is named by account is done in that one only.
    fn kind(&self, account: &AccountId) -> String {
        if !self.stacks.is_empty() {
            return account.to_string();
        }
        let mut kind = self.environment.clone().unwrap_or_default();
        for region in &self.logging {
            kind.push_str(&format!("|logging {region}"));
        }
        for placed in &self.stack_sets {
            kind.push_str(&format!("|{} {}", placed.name, placed.region));
        }
        kind
    }
}

impl Placed {
    fn stack(&self) -> Stack<'_> {
        Stack {
            name: self.name.clone(),
            region: &self.region,
            resources: self.made.as_ref().clone(),
            service_role: self.service_role.as_deref(),
        }
    }
}

fn logging(desired: &Desired, works: &mut BTreeMap<AccountId, Work>) {
    for row in &desired.invocation_logging {
        let work = works.entry(row.place.account.clone()).or_default();
        work.logging.insert(row.place.region.clone());
        work.logging_roles.extend(
            row.config
                .as_ref()
                .and_then(|config| config.cloud_watch.as_ref())
                .map(|destination| destination.role_arn.clone()),
        );
    }
}

fn stacks(scope: &Scope<'_>, desired: &Desired, works: &mut BTreeMap<AccountId, Work>) {
    for row in &desired.stack {
        let at = For {
            environment: None,
            account: Some(&row.place.account),
            region: Some(&row.place.region),
        };
        let made = scope
            .rollout
            .templates
            .get(&row.template)
            .map(|template| {
                names::resources(template, &row.stack, &|name| {
                    filled(scope, row.parameters.get(name)?, at)
                })
            })
            .unwrap_or_default();
        works
            .entry(row.place.account.clone())
            .or_default()
            .stacks
            .push(Placed {
                name: row.stack.clone(),
                region: row.place.region.clone(),
                made: std::rc::Rc::new(made),
                service_role: row.service_role.clone(),
            });
    }
}

fn stack_sets(scope: &Scope<'_>, desired: &Desired, works: &mut BTreeMap<AccountId, Work>) {
    for row in &desired.stack_set {
        let environment = row
            .environment
            .as_ref()
            .and_then(|name| scope.rollout.environments.get(name));
        let stack = format!("StackSet-{}-0a1b2c3d-0000-1111-2222-333344445555", row.name);
        let made = scope.rollout.templates.get(&row.template).map(|template| {
            names::resources(template, &stack, &|name| {
                let at = For {
                    environment,
                    ..For::default()
                };
                filled(scope, row.parameters.get(name)?, at)
            })
        });
        let made = std::rc::Rc::new(made.unwrap_or_default());
        for target in row.instances.keys() {
            works
                .entry(target.account.clone())
                .or_default()
                .stack_sets
                .push(Placed {
                    name: stack.clone(),
                    region: target.region.clone(),
                    made: std::rc::Rc::clone(&made),
                    service_role: None,
                });
        }
    }
}

/// A value of which everything is known without an output or another parameter.
fn filled(scope: &Scope<'_>, value: &Value, at: For<'_>) -> Option<String> {
    match value.fill(&|reference| scope.fixed(reference, at)) {
        Filled::Known(text) => Some(text),
        Filled::Unknown(_) => None,
    }
}

/// Declared break-glass roles, by environment; `None`: what components and any environment declare.
struct Roles {
    by_environment: BTreeMap<String, BTreeSet<String>>,
    anywhere: BTreeSet<String>,
}

impl Roles {
    fn of(scope: &Scope<'_>) -> Self {
        let names = |parameters: &Parameters, at: For<'_>| -> BTreeSet<String> {
            let texts = parameters.get(BREAK_GLASS).map(|value| value.value.texts());
            texts
                .unwrap_or_default()
                .iter()
                .filter_map(|text: &Text| {
                    match text.fill(&|reference| scope.fixed(reference, at)) {
                        Filled::Known(text) => Some(text),
                        Filled::Unknown(_) => None,
                    }
                })
                .filter(|name| !name.is_empty())
                .collect()
        };
        let mut by_environment = BTreeMap::new();
        let mut anywhere: BTreeSet<String> = scope
            .rollout
            .components()
            .filter(|component| matches!(component.spec, Spec::Policy(_)))
            .flat_map(|component| names(&component.parameters, For::default()))
            .collect();
        for environment in scope.rollout.environments.values() {
            let at = For {
                environment: Some(environment),
                ..For::default()
            };
            let mut roles = names(&environment.parameters, at);
            for own in environment.components.values() {
                roles.extend(names(&own.parameters, at));
            }
            anywhere.extend(roles.iter().cloned());
            by_environment.insert(environment.name.clone(), roles);
        }
        Self {
            by_environment,
            anywhere,
        }
    }

    fn for_account(&self, environment: Option<&str>) -> BTreeSet<String> {
        environment
            .and_then(|name| self.by_environment.get(name))
            .unwrap_or(&self.anywhere)
            .clone()
    }
}

/// From the root to an account.
pub fn path(scope: &Scope<'_>, account: &AccountId) -> Vec<Node> {
    let snapshot = scope.snapshot;
    let node = |id: TargetId| Node {
        name: snapshot.target_name(&id),
        id,
    };
    let units = snapshot.units_above(account);
    std::iter::once(node(snapshot.root.clone().into()))
        .chain(
            units
                .into_iter()
                .rev()
                .map(|unit| node(unit.clone().into())),
        )
        .chain([node(account.clone().into())])
        .collect()
}

/// Where IAM and other global services answer (AWS General Reference, "Service endpoints").
pub fn global_region(partition: &str) -> &'static str {
    match partition {
        "aws-us-gov" => "us-gov-west-1",
        "aws-cn" => "cn-north-1",
        _ => "us-east-1",
    }
}
