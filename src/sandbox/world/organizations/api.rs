//! Organizations over the wire.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Organizations, creation, errors, limits,
    policies::{self, Policy},
    show, tree,
};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{count, missing, tags, text, texts},
        service::Service,
    },
    world::{AccountId, ApiError, Call, World, events, paging, time::epoch_seconds},
};

/// What only the management account may do, whoever is a delegated administrator.
const MANAGEMENT_ONLY: &[&str] = &[
    "CloseAccount",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "DeleteOrganizationalUnit",
    "DeregisterDelegatedAdministrator",
    "DisableAWSServiceAccess",
    "EnableAWSServiceAccess",
    "MoveAccount",
    "RegisterDelegatedAdministrator",
    "RemoveAccountFromOrganization",
    "UpdateOrganizationalUnit",
    "AttachPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "TagResource",
    "UntagResource",
    "UpdatePolicy",
];

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    allowed(&world.organizations, call)?;
    let input = &call.input;
    let now = world.now;
    let states = world.settings.account_states;
    match call.operation.as_str() {
        "DescribeOrganization" => Ok(json!({
            "Organization": world.organizations.show_organization()
        })),
        "ListRoots" => {
            let root = world.organizations.show_root();
            listed(world, call, "Roots", std::iter::once(("root", root)))
        }
        "ListOrganizationalUnitsForParent" => {
            let organization = &world.organizations;
            let parent = parent(organization, call)?;
            let units = organization.units_of.get(parent).into_iter().flatten();
            let shown = units.filter_map(|id| {
                let unit = organization.units.get(id)?;
                Some((id, organization.show_unit(id, unit)))
            });
            listed(world, call, "OrganizationalUnits", shown)
        }
        "ListAccounts" => {
            let organization = &world.organizations;
            let shown = organization.accounts.iter().map(|(id, member)| {
                (
                    &id.0,
                    Lazy(|| organization.show_account(id, member, states)),
                )
            });
            listed_lazy(world, call, "Accounts", shown)
        }
        "ListAccountsForParent" => {
            let organization = &world.organizations;
            let parent = parent(organization, call)?;
            let ids = organization.accounts_of.get(parent).into_iter().flatten();
            let shown = ids.filter_map(|id| {
                let member = organization.accounts.get(id)?;
                Some((
                    &id.0,
                    Lazy(|| organization.show_account(id, member, states)),
                ))
            });
            listed_lazy(world, call, "Accounts", shown)
        }
        "ListParents" => {
            let child = need(input, "ChildId")?;
            let organization = &world.organizations;
            let parent = organization
                .units
                .get(child)
                .map(|unit| &unit.parent)
                .or_else(|| {
                    let account = AccountId(child.to_owned());
                    Some(&organization.accounts.get(&account)?.parent)
                })
                .ok_or_else(errors::child_not_found)?;
            let shown = json!({"Id": parent, "Type": kind_of_parent(organization, parent)});
            listed(world, call, "Parents", std::iter::once(("parent", shown)))
        }
        "ListChildren" => {
            let organization = &world.organizations;
            let parent = parent(organization, call)?;
            let kind = need(input, "ChildType")?;
            let ids: BTreeSet<String> = match kind {
                "ACCOUNT" => organization
                    .accounts_of
                    .get(parent)
                    .into_iter()
                    .flatten()
                    .map(|id| id.0.clone())
                    .collect(),
                "ORGANIZATIONAL_UNIT" => organization
                    .units_of
                    .get(parent)
                    .cloned()
                    .unwrap_or_default(),
                _ => {
                    return Err(errors::invalid_input(
                        "INVALID_ENUM",
                        "You specified an invalid value.",
                    ));
                }
            };
            let shown = ids.iter().map(|id| (id, json!({"Id": id, "Type": kind})));
            listed(world, call, "Children", shown)
        }
        "DescribeAccount" => {
            let id = AccountId(need(input, "AccountId")?.to_owned());
            let organization = &world.organizations;
            let member = organization
                .accounts
                .get(&id)
                .ok_or_else(errors::account_not_found)?;
            Ok(json!({"Account": organization.show_account(&id, member, states)}))
        }
        "DescribeOrganizationalUnit" => {
            let id = need(input, "OrganizationalUnitId")?;
            show_unit(&world.organizations, id)
        }
        "CreateOrganizationalUnit" => {
            let id = world.organizations.create_unit(
                &mut world.ids,
                need(input, "ParentId")?,
                need(input, "Name")?,
                tags(input, "Tags"),
            )?;
            show_unit(&world.organizations, &id)
        }
        "UpdateOrganizationalUnit" => {
            let id = need(input, "OrganizationalUnitId")?;
            if let Some(name) = text(input, "Name") {
                world.organizations.rename_unit(id, name)?;
            }
            show_unit(&world.organizations, id)
        }
        "DeleteOrganizationalUnit" => {
            let id = need(input, "OrganizationalUnitId")?;
            world.organizations.delete_unit(id)?;
            Ok(Value::Null)
        }
        "CreateAccount" => {
            let id = creation::request(
                world,
                need(input, "AccountName")?,
                need(input, "Email")?,
                text(input, "RoleName"),
                tags(input, "Tags"),
            );
            show_creation(world, &id)
        }
        "DescribeCreateAccountStatus" => {
            show_creation(world, need(input, "CreateAccountRequestId")?)
        }
        "ListCreateAccountStatus" => {
            let states = texts(input, "States");
            let shown = world
                .organizations
                .creations
                .iter()
                .map(|(id, creation)| (id, show::creation(id, creation)))
                .filter(|(_, shown)| {
                    let state = text(shown, "State").unwrap_or_default();
                    states.is_empty() || states.iter().any(|wanted| wanted == state)
                });
            listed(world, call, "CreateAccountStatuses", shown)
        }
        "MoveAccount" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            let from = need(input, "SourceParentId")?;
            let to = need(input, "DestinationParentId")?;
            world.organizations.move_account(&account, from, to)?;
            tree::moved(world, &account, Some(from), Some(to));
            let members = json!({
                "accountId": account.0, "sourceParentId": from, "destinationParentId": to,
            });
            events::emit(world, events::Kind::Call, "MoveAccount", &members);
            Ok(Value::Null)
        }
        "CloseAccount" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            world.organizations.close_account(&account)?;
            let members = json!({
                "closeAccountStatus": { "accountId": account.0, "state": "SUCCEEDED" },
            });
            let kind = events::Kind::ServiceEvent;
            events::emit(world, kind, "CloseAccountResult", &members);
            Ok(Value::Null)
        }
        "RemoveAccountFromOrganization" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            let parent = world
                .organizations
                .accounts
                .get(&account)
                .map(|member| member.parent.clone());
            world.organizations.remove_account(&account)?;
            tree::moved(world, &account, parent.as_deref(), None);
            let members = json!({ "accountId": account.0 });
            let kind = events::Kind::ServiceEvent;
            events::emit(world, kind, "AccountDepartedOrganization", &members);
            Ok(Value::Null)
        }
        "TagResource" => {
            let new = tags(input, "Tags");
            let id = need(input, "ResourceId")?;
            world.organizations.tags_of_mut(id)?.extend(new);
            Ok(Value::Null)
        }
        "UntagResource" => {
            let gone = texts(input, "TagKeys");
            let id = need(input, "ResourceId")?;
            let tags = world.organizations.tags_of_mut(id)?;
            tags.retain(|key, _| !gone.contains(key));
            Ok(Value::Null)
        }
        "ListTagsForResource" => {
            let tags = world.organizations.tags_of(need(input, "ResourceId")?)?;
            let shown = tags
                .iter()
                .map(|(key, value)| (key, json!({"Key": key, "Value": value})));
            // Tags come on one page: the operation takes a token but no MaxResults.
            listed(world, call, "Tags", shown)
        }
        "CreatePolicy" => {
            let new = Policy {
                name: need(input, "Name")?.to_owned(),
                description: need(input, "Description")?.to_owned(),
                policy_type: need(input, "Type")?.to_owned(),
                content: need(input, "Content")?.to_owned(),
                aws_managed: false,
                targets: BTreeSet::new(),
                tags: tags(input, "Tags"),
            };
            let id = world.organizations.create_policy(&mut world.ids, new)?;
            show_policy(&world.organizations, &id)
        }
        "UpdatePolicy" => {
            let id = need(input, "PolicyId")?;
            let acts = enforced(world);
            world.organizations.update_policy(
                id,
                text(input, "Name"),
                text(input, "Description"),
                text(input, "Content"),
                acts,
            )?;
            show_policy(&world.organizations, id)
        }
        "DescribePolicy" => show_policy(&world.organizations, need(input, "PolicyId")?),
        "DeletePolicy" => {
            world
                .organizations
                .delete_policy(need(input, "PolicyId")?)?;
            Ok(Value::Null)
        }
        "ListPolicies" => {
            let filter = need(input, "Filter")?;
            policies::known_type(filter)?;
            let organization = &world.organizations;
            let shown = organization
                .policies
                .iter()
                .filter(|(_, policy)| policy.policy_type == filter)
                .map(|(id, policy)| (id, organization.show_policy_summary(id, policy)));
            listed(world, call, "Policies", shown)
        }
        "ListPoliciesForTarget" => {
            let target = need(input, "TargetId")?;
            let filter = need(input, "Filter")?;
            policies::known_type(filter)?;
            let organization = &world.organizations;
            if !organization.is_target(target) {
                return Err(errors::target_not_found());
            }
            let attached = organization.attached.get(target).into_iter().flatten();
            let shown = attached.filter_map(|id| {
                let policy = organization.policies.get(id)?;
                (policy.policy_type == filter)
                    .then(|| (id, organization.show_policy_summary(id, policy)))
            });
            listed(world, call, "Policies", shown)
        }
        "ListTargetsForPolicy" => {
            let organization = &world.organizations;
            let policy = organization
                .policies
                .get(need(input, "PolicyId")?)
                .ok_or_else(errors::policy_not_found)?;
            let shown = policy
                .targets
                .iter()
                .map(|id| (id, Lazy(|| organization.show_target(id))));
            listed_lazy(world, call, "Targets", shown)
        }
        "AttachPolicy" => {
            let (policy, target) = (need(input, "PolicyId")?, need(input, "TargetId")?);
            let acts = enforced(world);
            world.organizations.attach_policy(policy, target, acts)?;
            Ok(Value::Null)
        }
        "DetachPolicy" => {
            let (policy, target) = (need(input, "PolicyId")?, need(input, "TargetId")?);
            let acts = enforced(world);
            world.organizations.detach_policy(policy, target, acts)?;
            Ok(Value::Null)
        }
        "EnablePolicyType" | "DisablePolicyType" => {
            if need(input, "RootId")? != world.organizations.root {
                return Err(errors::root_not_found());
            }
            let policy_type = need(input, "PolicyType")?;
            let done = world.done_after(policies::TYPE_CHANGE);
            if call.operation == "EnablePolicyType" {
                world.organizations.enable_type(policy_type, done)?;
            } else {
                world.organizations.disable_type(policy_type, done)?;
            }
            Ok(json!({"Root": world.organizations.show_root()}))
        }
        "EnableAWSServiceAccess" => {
            let principal = need(input, "ServicePrincipal")?;
            world.organizations.enable_service(principal, now)?;
            Ok(Value::Null)
        }
        "DisableAWSServiceAccess" => {
            let principal = need(input, "ServicePrincipal")?;
            world.organizations.disable_service(principal)?;
            Ok(Value::Null)
        }
        "ListAWSServiceAccessForOrganization" => {
            let shown = world
                .organizations
                .trusted_services
                .iter()
                .map(|(principal, since)| {
                    let shown = json!({
                        "ServicePrincipal": principal, "DateEnabled": epoch_seconds(*since),
                    });
                    (principal, shown)
                });
            listed(world, call, "EnabledServicePrincipals", shown)
        }
        "RegisterDelegatedAdministrator" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            let principal = need(input, "ServicePrincipal")?;
            world.organizations.register(&account, principal, now)?;
            Ok(Value::Null)
        }
        "DeregisterDelegatedAdministrator" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            let principal = need(input, "ServicePrincipal")?;
            world.organizations.deregister(&account, principal)?;
            Ok(Value::Null)
        }
        "ListDelegatedAdministrators" => {
            let organization = &world.organizations;
            let principal = text(input, "ServicePrincipal");
            let shown = organization.delegated.iter().filter_map(|(id, services)| {
                if principal.is_some_and(|principal| !services.contains_key(principal)) {
                    return None;
                }
                let since = services.values().min()?;
                let mut shown =
                    organization.show_account(id, organization.accounts.get(id)?, states);
                shown
                    .as_object_mut()?
                    .insert("DelegationEnabledDate".to_owned(), epoch_seconds(*since));
                Some((&id.0, shown))
            });
            listed(world, call, "DelegatedAdministrators", shown)
        }
        "ListDelegatedServicesForAccount" => {
            let account = AccountId(need(input, "AccountId")?.to_owned());
            let organization = &world.organizations;
            if !organization.accounts.contains_key(&account) {
                return Err(errors::account_not_found());
            }
            let services = organization.delegated.get(&account).ok_or_else(|| {
                errors::other(
                    "AccountNotRegisteredException",
                    "The specified account is not a delegated administrator for this AWS service.",
                )
            })?;
            let shown = services.iter().map(|(principal, since)| {
                let shown = json!({
                    "ServicePrincipal": principal, "DelegationEnabledDate": epoch_seconds(*since),
                });
                (principal, shown)
            });
            listed(world, call, "DelegatedServices", shown)
        }
        other => Err(no_such_operation(Service::Organizations, other)),
    }
}

/// Organizations answers only to the management account and, for reads, to delegated administrators
/// of any service. Every member may ask which organization it is in.
fn allowed(organization: &Organizations, call: &Call) -> Result<(), ApiError> {
    let caller = &call.caller.account;
    if *caller == organization.management_account {
        return Ok(());
    }
    if !organization.accounts.contains_key(caller) {
        return Err(errors::other(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    let delegated = organization.delegated.contains_key(caller)
        && !MANAGEMENT_ONLY.contains(&call.operation.as_str());
    if call.operation == "DescribeOrganization" || delegated {
        return Ok(());
    }
    Err(errors::access_denied())
}

fn need<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| errors::invalid_input("INPUT_REQUIRED", missing(name)))
}

fn parent<'a>(organization: &Organizations, call: &'a Call) -> Result<&'a str, ApiError> {
    let id = need(&call.input, "ParentId")?;
    if organization.is_parent(id) {
        Ok(id)
    } else {
        Err(errors::parent_not_found())
    }
}

fn kind_of_parent(organization: &Organizations, id: &str) -> &'static str {
    if id == organization.root {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    }
}

fn show_unit(organization: &Organizations, id: &str) -> Result<Value, ApiError> {
    let unit = organization
        .units
        .get(id)
        .ok_or_else(errors::unit_not_found)?;
    Ok(json!({"OrganizationalUnit": organization.show_unit(id, unit)}))
}

fn show_policy(organization: &Organizations, id: &str) -> Result<Value, ApiError> {
    let policy = organization
        .policies
        .get(id)
        .ok_or_else(errors::policy_not_found)?;
    Ok(json!({"Policy": organization.show_policy(id, policy)}))
}

fn show_creation(world: &World, id: &str) -> Result<Value, ApiError> {
    let creation = world.organizations.creations.get(id).ok_or_else(|| {
        errors::other(
            "CreateAccountStatusNotFoundException",
            "You specified a create account request that doesn't exist.",
        )
    })?;
    Ok(json!({"CreateAccountStatus": show::creation(id, creation)}))
}

/// An item that is only put together when it is on the page: lists of 10,000 accounts are walked
/// 20 at a time.
struct Lazy<F>(F);

fn listed_lazy<K: AsRef<str>, F: FnOnce() -> Value>(
    world: &World,
    call: &Call,
    name: &str,
    items: impl Iterator<Item = (K, Lazy<F>)>,
) -> Result<Value, ApiError> {
    let asked = page_size(call)?;
    let token = text(&call.input, "NextToken");
    let page = paging::page(&world.settings, token, asked, limits::PAGE, items)
        .map_err(|_| bad_token())?;
    let items: Vec<Value> = page.items.into_iter().map(|Lazy(make)| make()).collect();
    Ok(paged(name, items, page.next))
}

fn listed<K: AsRef<str>>(
    world: &World,
    call: &Call,
    name: &str,
    items: impl Iterator<Item = (K, Value)>,
) -> Result<Value, ApiError> {
    let asked = page_size(call)?;
    let token = text(&call.input, "NextToken");
    let page = paging::page(&world.settings, token, asked, limits::PAGE, items)
        .map_err(|_| bad_token())?;
    Ok(paged(name, page.items, page.next))
}

/// MaxResults is 1 to 20 (API reference, every list).
fn page_size(call: &Call) -> Result<Option<usize>, ApiError> {
    match count(&call.input, "MaxResults") {
        Some(0) => Err(errors::invalid_input(
            "MIN_VALUE_EXCEEDED",
            "You provided a numeric value that is smaller than allowed.",
        )),
        Some(asked) if asked > limits::PAGE => Err(errors::invalid_input(
            "MAX_VALUE_EXCEEDED",
            "You provided a numeric value that is larger than allowed.",
        )),
        other => Ok(other),
    }
}

fn paged(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut members = BTreeMap::from([(name.to_owned(), Value::from(items))]);
    if let Some(next) = next {
        members.insert("NextToken".to_owned(), Value::from(next));
    }
    members.into_iter().collect()
}

fn bad_token() -> ApiError {
    errors::invalid_input("INVALID_NEXT_TOKEN", "You provided an invalid NextToken.")
}

/// From when on a change of policies that is made now is enforced.
fn enforced(world: &mut World) -> policies::Acts {
    let lag = u64::from(world.settings.policy_lag_seconds);
    let seconds = i64::try_from(world.ids.below(lag + 1)).unwrap_or(0);
    let from = world.done_after(jiff::SignedDuration::from_secs(seconds));
    (world.now, from)
}
