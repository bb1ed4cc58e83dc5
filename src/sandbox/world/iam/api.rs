//! IAM's operations over the wire.

use serde_json::{Value, json};

use super::{
    ManagedPolicy, Role, User,
    condition::Context,
    managed, no_such,
    policy::{Decision, Question, decide},
    roles, tags, users,
};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{count, integer, list, required, tags as read_tags, text, texts},
        percent::encode,
        service::Service,
    },
    world::{AccountId, ApiError, Call, World, paging, time::iso_seconds},
};

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (input, account) = (&call.input, &call.caller.account);
    match call.operation.as_str() {
        "CreateRole" => {
            let role = roles::create(
                world,
                account,
                roles::NewRole {
                    name: required(input, "RoleName")?.to_owned(),
                    path: text(input, "Path").map(str::to_owned),
                    trust: required(input, "AssumeRolePolicyDocument")?.to_owned(),
                    description: text(input, "Description").unwrap_or_default().to_owned(),
                    max_session: session_seconds(input),
                    boundary: text(input, "PermissionsBoundary").map(str::to_owned),
                    tags: read_tags(input, "Tags"),
                },
            )?;
            Ok(json!({"Role": show_role(&role)}))
        }
        "SimulatePrincipalPolicy" => simulate(world, call),
        "GetRole" => Ok(json!({"Role": show_role(role(world, call)?)})),
        "ListRoles" => {
            let all = world.accounts.get(account).map(|held| &held.iam.roles);
            let prefix = text(input, "PathPrefix").unwrap_or("/");
            let items = all
                .into_iter()
                .flatten()
                .filter(|(_, role)| role.path.starts_with(prefix))
                .map(|(name, role)| (name, show_role(role)));
            listed(world, call, "Roles", items)
        }
        "DeleteRole" => {
            roles::delete(world, account, required(input, "RoleName")?)?;
            Ok(Value::Null)
        }
        "UpdateAssumeRolePolicy" => {
            let document = required(input, "PolicyDocument")?;
            roles::update_trust(world, account, required(input, "RoleName")?, document)?;
            Ok(Value::Null)
        }
        "UpdateRole" => {
            let seconds = session_seconds(input);
            if let Some(seconds) = seconds {
                roles::check_session(seconds)?;
            }
            let role = role_mut(world, call)?;
            if let Some(description) = text(input, "Description") {
                role.description = description.to_owned();
            }
            role.max_session = seconds.unwrap_or(role.max_session);
            Ok(json!({}))
        }
        "TagRole" => {
            let new = read_tags(input, "Tags");
            role_mut(world, call)?.tags.extend(new);
            Ok(Value::Null)
        }
        "UntagRole" => {
            let gone = texts(input, "TagKeys");
            role_mut(world, call)?
                .tags
                .retain(|key, _| !gone.contains(key));
            Ok(Value::Null)
        }
        "ListRoleTags" => Ok(json!({
            "Tags": tags::shown(&role(world, call)?.tags), "IsTruncated": false
        })),
        "PutRolePolicy" => {
            roles::put_inline(
                world,
                account,
                required(input, "RoleName")?,
                required(input, "PolicyName")?,
                required(input, "PolicyDocument")?,
            )?;
            Ok(Value::Null)
        }
        "GetRolePolicy" => {
            let name = required(input, "PolicyName")?;
            let role = role(world, call)?;
            let document = role
                .inline
                .get(name)
                .ok_or_else(|| no_such("role policy", name))?;
            Ok(json!({
                "RoleName": role.name, "PolicyName": name, "PolicyDocument": encode(document),
            }))
        }
        "ListRolePolicies" => {
            let names: Vec<String> = role(world, call)?.inline.keys().cloned().collect();
            Ok(json!({"PolicyNames": names, "IsTruncated": false}))
        }
        "DeleteRolePolicy" => {
            let name = required(input, "PolicyName")?;
            role_mut(world, call)?
                .inline
                .remove(name)
                .ok_or_else(|| no_such("role policy", name))?;
            Ok(Value::Null)
        }
        "AttachRolePolicy" => {
            let arn = required(input, "PolicyArn")?;
            roles::attach(world, account, required(input, "RoleName")?, arn)?;
            Ok(Value::Null)
        }
        "DetachRolePolicy" => {
            let arn = required(input, "PolicyArn")?;
            let role = role_mut(world, call)?;
            let before = role.attached.len();
            role.attached.retain(|other| other != arn);
            if role.attached.len() == before {
                return Err(managed::no_such_policy(arn));
            }
            Ok(Value::Null)
        }
        "ListAttachedRolePolicies" => Ok(attached(&role(world, call)?.attached)),
        "CreateUser" => {
            let user = users::create(
                world,
                account,
                required(input, "UserName")?,
                text(input, "Path"),
                read_tags(input, "Tags"),
            )?;
            Ok(json!({"User": show_user(&user)}))
        }
        "GetUser" => {
            let name = match text(input, "UserName") {
                Some(name) => name,
                None => call.caller.arn.rsplit('/').next().unwrap_or_default(),
            };
            Ok(json!({"User": show_user(users::get(world, account, name)?)}))
        }
        "ListUsers" => {
            let all = world.accounts.get(account).map(|held| &held.iam.users);
            let items = all
                .into_iter()
                .flatten()
                .map(|(name, user)| (name, show_user(user)));
            listed(world, call, "Users", items)
        }
        "DeleteUser" => {
            users::delete(world, account, required(input, "UserName")?)?;
            Ok(Value::Null)
        }
        "CreateAccessKey" => {
            let name = required(input, "UserName")?;
            let (id, secret) = users::create_key(world, account, name)?;
            Ok(json!({"AccessKey": {
                "UserName": name, "AccessKeyId": id, "Status": "Active",
                "SecretAccessKey": secret, "CreateDate": iso_seconds(world.now),
            }}))
        }
        "DeleteAccessKey" => {
            let key = required(input, "AccessKeyId")?;
            let user = users::get_mut(world, account, required(input, "UserName")?)?;
            user.keys.retain(|other| other != key);
            world.sts.user_keys.remove(key);
            Ok(Value::Null)
        }
        "AttachUserPolicy" => {
            let arn = required(input, "PolicyArn")?;
            managed::must_exist(world, account, arn)?;
            let user = users::get_mut(world, account, required(input, "UserName")?)?;
            user.attached.push(arn.to_owned());
            Ok(Value::Null)
        }
        "ListAttachedUserPolicies" => {
            let user = users::get(world, account, required(input, "UserName")?)?;
            Ok(attached(&user.attached))
        }
        "CreatePolicy" => {
            let arn = managed::create_policy(
                world,
                account,
                required(input, "PolicyName")?,
                text(input, "Path"),
                required(input, "PolicyDocument")?,
                text(input, "Description").unwrap_or_default(),
                read_tags(input, "Tags"),
            )?;
            let policy = policy(world, account, &arn)?;
            Ok(json!({"Policy": show_policy(&arn, policy)}))
        }
        "GetPolicy" => {
            let arn = required(input, "PolicyArn")?;
            Ok(json!({"Policy": show_policy(arn, policy(world, account, arn)?)}))
        }
        "GetPolicyVersion" => {
            let arn = required(input, "PolicyArn")?;
            let policy = policy(world, account, arn)?;
            let version = required(input, "VersionId")?;
            let document = version
                .strip_prefix('v')
                .and_then(|number| number.parse().ok())
                .and_then(|number: u32| policy.versions.get(&number))
                .ok_or_else(|| no_such("policy version", version))?;
            Ok(json!({"PolicyVersion": {
                "Document": encode(document), "VersionId": version,
                "IsDefaultVersion": version == format!("v{}", policy.default_version),
                "CreateDate": iso_seconds(policy.created),
            }}))
        }
        "CreatePolicyVersion" => {
            let arn = required(input, "PolicyArn")?;
            managed::put_policy_document(world, account, arn, required(input, "PolicyDocument")?)?;
            let policy = policy(world, account, arn)?;
            Ok(json!({"PolicyVersion": {
                "VersionId": format!("v{}", policy.default_version),
                "IsDefaultVersion": true, "CreateDate": iso_seconds(world.now),
            }}))
        }
        "ListPolicies" => {
            let all = world.accounts.get(account).map(|held| &held.iam.policies);
            let items = all
                .into_iter()
                .flatten()
                .map(|(arn, policy)| (arn, show_policy(arn, policy)));
            listed(world, call, "Policies", items)
        }
        "DeletePolicy" => {
            managed::delete_policy(world, account, required(input, "PolicyArn")?)?;
            Ok(Value::Null)
        }
        "ListAccountAliases" => Ok(json!({"AccountAliases": [], "IsTruncated": false})),
        other => Err(no_such_operation(Service::Iam, other)),
    }
}

fn role<'a>(world: &'a World, call: &Call) -> Result<&'a Role, ApiError> {
    roles::get(
        world,
        &call.caller.account,
        required(&call.input, "RoleName")?,
    )
}

fn role_mut<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Role, ApiError> {
    roles::get_mut(
        world,
        &call.caller.account,
        required(&call.input, "RoleName")?,
    )
}

fn policy<'a>(
    world: &'a World,
    account: &AccountId,
    arn: &str,
) -> Result<&'a ManagedPolicy, ApiError> {
    world
        .accounts
        .get(account)
        .and_then(|held| held.iam.policies.get(arn))
        .ok_or_else(|| managed::no_such_policy(arn))
}

fn session_seconds(input: &Value) -> Option<u32> {
    integer(input, "MaxSessionDuration").map(|n| u32::try_from(n).unwrap_or(0))
}

/// IAM pages by Marker, 100 items unless asked otherwise, 1,000 at the most.
fn listed<'a>(
    world: &World,
    call: &Call,
    name: &str,
    items: impl Iterator<Item = (&'a String, Value)>,
) -> Result<Value, ApiError> {
    let asked = count(&call.input, "MaxItems").unwrap_or(100);
    let page = paging::page(
        &world.settings,
        text(&call.input, "Marker"),
        Some(asked),
        1_000,
        items,
    )
    .map_err(|_| ApiError::validation_error("Invalid Marker"))?;
    let mut output = json!({"IsTruncated": page.next.is_some(), name: page.items});
    if let (Some(marker), Some(members)) = (page.next, output.as_object_mut()) {
        members.insert("Marker".to_owned(), Value::from(marker));
    }
    Ok(output)
}

fn attached(arns: &[String]) -> Value {
    let policies: Vec<Value> = arns
        .iter()
        .map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            json!({"PolicyName": name, "PolicyArn": arn})
        })
        .collect();
    json!({"AttachedPolicies": policies, "IsTruncated": false})
}

fn show_role(role: &Role) -> Value {
    let mut shown = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": iso_seconds(role.created),
        // IAM hands policies out percent-encoded (API reference, GetRole).
        "AssumeRolePolicyDocument": encode(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
        "Tags": tags::shown(&role.tags),
    });
    if let (Some(boundary), Some(members)) = (&role.boundary, shown.as_object_mut()) {
        members.insert(
            "PermissionsBoundary".to_owned(),
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}),
        );
    }
    shown
}

fn show_user(user: &User) -> Value {
    json!({
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": iso_seconds(user.created),
        "Tags": tags::shown(&user.tags),
    })
}

fn show_policy(arn: &str, policy: &ManagedPolicy) -> Value {
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "Description": policy.description,
        "IsAttachable": true,
        "CreateDate": iso_seconds(policy.created),
        "Tags": tags::shown(&policy.tags),
    })
}

/// What a role or user may do. Identity policies are not judged when calls are made here: whoever has none may do everything,
/// so that the answer is the one that a call would get. Service control policies act on members alone.
fn simulate(world: &World, call: &Call) -> Result<Value, ApiError> {
    let source = required(&call.input, "PolicySourceArn")?;
    let account = &call.caller.account;
    let held = world.accounts.get(account).map(|held| &held.iam);
    let name = source.rsplit('/').next().unwrap_or_default();
    let documents: Vec<Value> = if source.contains(":role/") {
        let role = held
            .and_then(|iam| iam.roles.get(name))
            .ok_or_else(|| no_such("role", name))?;
        let attached = role.attached.iter().filter_map(|arn| {
            let policy = policy(world, account, arn).ok()?;
            policy.versions.get(&policy.default_version).cloned()
        });
        role.inline
            .values()
            .cloned()
            .chain(attached)
            .filter_map(|text| serde_json::from_str(&text).ok())
            .collect()
    } else {
        Vec::new()
    };
    let mut resources = texts(&call.input, "ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let mut context = Context::default();
    for entry in list(&call.input, "ContextEntries") {
        if let Some(key) = entry.get("ContextKeyName").and_then(Value::as_str) {
            for value in texts(entry, "ContextKeyValues") {
                context.add(key, value);
            }
        }
    }
    let mut results = Vec::new();
    for action in texts(&call.input, "ActionNames") {
        for resource in &resources {
            let question = Question {
                principal: None,
                action: &action,
                resource: Some(resource),
                context: &context,
            };
            let said: Vec<Decision> = documents
                .iter()
                .map(|document| decide(document, &question))
                .collect();
            let decision = if said.contains(&Decision::Denied) {
                "explicitDeny"
            } else if documents.is_empty() || said.contains(&Decision::Allowed) {
                "allowed"
            } else {
                "implicitDeny"
            };
            results.push(json!({
                "EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision,
                "MatchedStatements": [], "MissingContextValues": [],
            }));
        }
    }
    Ok(json!({"EvaluationResults": results, "IsTruncated": false}))
}
