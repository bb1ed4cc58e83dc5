//! CreateStackSet, UpdateStackSet, DeleteStackSet, DescribeStackSet, ListStackSets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    access, errors,
    instance::InstanceStatus,
    instances::Rows,
    operation::Action,
    preferences::Preferences,
    set::{AutoDeployment, Definition, StackSet},
    show,
    start::{self, Request},
    targets::Targets,
};
use crate::sandbox::{
    wire::input::{boolean, list_given, member, required, text, texts},
    world::{
        ApiError, Call, World,
        cloudformation::{
            source,
            stacks::{answers, desired},
            template::{Template, TemplateId, parameters, resolve::partition},
        },
    },
};

const PAGE: usize = 100;
/// StackSets of an administrator account (user guide, "Understand CloudFormation quotas").
const MAX_SETS: usize = 1_000;

pub fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let name = required(input, "StackSetName")?;
    check_name(name)?;
    let administrator = access::administrator(world, call)?;
    let owner = administrator.owner;
    let service_managed = permission_model(input)?.unwrap_or(false);
    if service_managed {
        access::check_service_managed(world, &owner)?;
    } else if administrator.delegated {
        return Err(ApiError::validation_error(
            "CallAs DELEGATED_ADMIN can only be used with the SERVICE_MANAGED permission model.",
        ));
    }
    let definition = Arc::new(read_definition(world, call, service_managed, None)?);
    let token = text(input, "ClientRequestToken").map(str::to_owned);
    let shelf = world.cloudformation.stack_sets.shelf_mut(&owner);
    if let Some(set) = shelf.live.get(name).and_then(|id| shelf.sets.get(id)) {
        let same = token.is_some() && set.created_as.0 == token;
        return match same {
            true if set.definition == definition => Ok(json!({"StackSetId": set.id.as_ref()})),
            true => Err(errors::created_but_modified()),
            false => Err(errors::name_already_exists(name)),
        };
    }
    if shelf.live.len() >= MAX_SETS {
        return Err(ApiError::new(
            400,
            "LimitExceededException",
            format!("You have exceeded the maximum number of StackSets ({MAX_SETS})."),
        ));
    }
    let auto_deployment = auto_deployment(input, service_managed)?;
    let id: Arc<str> = Arc::from(format!("{name}:{}", world.ids.uuid()));
    let arn = format!(
        "arn:{}:cloudformation:{}:{}:stackset/{id}",
        partition(&owner.region.0),
        owner.region,
        owner.account
    );
    let set = StackSet {
        name: Arc::from(name),
        id: Arc::clone(&id),
        arn: Arc::from(arn),
        is_deleted: false,
        service_managed,
        created_as: (token, Arc::clone(&definition)),
        definition,
        auto_deployment,
        auto_targets: BTreeMap::new(),
        managed_execution: managed_execution(input).unwrap_or(false),
        instances: BTreeMap::new(),
        operations: Vec::new(),
        drift_checked: None,
    };
    let shelf = world.cloudformation.stack_sets.shelf_mut(&owner);
    shelf.live.insert(Arc::clone(&set.name), Arc::clone(&id));
    shelf.sets.insert(Arc::clone(&id), Box::new(set));
    Ok(json!({"StackSetId": id.as_ref()}))
}

/// `[a-zA-Z][-a-zA-Z0-9]*`, at most 128 characters (API reference, CreateStackSet).
fn check_name(name: &str) -> Result<(), ApiError> {
    let mut letters = name.chars();
    let fits = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '-')
        && name.len() <= 128;
    if fits {
        return Ok(());
    }
    Err(ApiError::validation_error(format!(
        "1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

fn permission_model(input: &Value) -> Result<Option<bool>, ApiError> {
    match text(input, "PermissionModel") {
        None => Ok(None),
        Some("SERVICE_MANAGED") => Ok(Some(true)),
        Some("SELF_MANAGED") => Ok(Some(false)),
        Some(other) => Err(ApiError::validation_error(format!(
            "1 validation error detected: Value '{other}' at 'permissionModel' failed to satisfy constraint: Member must satisfy enum value set: [SERVICE_MANAGED, SELF_MANAGED]"
        ))),
    }
}

fn managed_execution(input: &Value) -> Option<bool> {
    boolean(member(input, "ManagedExecution")?, "Active")
}

/// SERVICE_MANAGED only; RetainStacksOnAccountRemoval only where it is enabled (API reference,
/// AutoDeployment).
fn auto_deployment(
    input: &Value,
    service_managed: bool,
) -> Result<Option<AutoDeployment>, ApiError> {
    let Some(given) = member(input, "AutoDeployment") else {
        return Ok(service_managed.then(AutoDeployment::default));
    };
    if !service_managed {
        return Err(ApiError::validation_error(
            "AutoDeployment can only be specified in [SERVICE_MANAGED] model",
        ));
    }
    let enabled = boolean(given, "Enabled") == Some(true);
    let retain = boolean(given, "RetainStacksOnAccountRemoval");
    if enabled != retain.is_some() {
        return Err(ApiError::validation_error(
            "RetainStacksOnAccountRemoval must be specified if, and only if, AutoDeployment is enabled",
        ));
    }
    Ok(Some(AutoDeployment {
        enabled,
        retain_stacks: retain.unwrap_or(false),
        depends_on: texts(given, "DependsOn"),
    }))
}

fn read_definition(
    world: &mut World,
    call: &Call,
    service_managed: bool,
    present: Option<&Definition>,
) -> Result<Definition, ApiError> {
    let input = &call.input;
    let (template_id, template): (TemplateId, Arc<Template>) =
        source::template(world, input, present.map(|d| d.template))?;
    if service_managed {
        refuse_unsupported(&template)?;
    }
    let given = desired::given_parameters(input, present.map(|d| d.parameters.as_ref()))?;
    let parameters = parameters::settle(&template.parameters, &given)?;
    let capabilities = texts(input, "Capabilities");
    desired::check_capabilities(&template, &capabilities)?;
    let tags = match present {
        Some(present) if !list_given(input, "Tags") => Arc::clone(&present.tags),
        Some(_) | None => Arc::new(desired::checked_tags(input)?),
    };
    let roles = ["AdministrationRoleARN", "ExecutionRoleName"];
    if service_managed && roles.iter().any(|role| text(input, role).is_some()) {
        return Err(ApiError::validation_error(
            "AdministrationRoleARN and ExecutionRoleName can only be specified in [SELF_MANAGED] model",
        ));
    }
    let description = text(input, "Description").map(str::to_owned);
    Ok(Definition {
        template: template_id,
        description: description.or_else(|| present.and_then(|d| d.description.clone())),
        parameters: Arc::new(parameters),
        tags,
        capabilities: Arc::from(capabilities),
        administration_role: text(input, "AdministrationRoleARN").map(str::to_owned),
        execution_role: text(input, "ExecutionRoleName").map(str::to_owned),
    })
}

/// No macros, no nested stacks (user guide, "Considerations for service-managed StackSets").
fn refuse_unsupported(template: &Template) -> Result<(), ApiError> {
    if !template.transforms.is_empty() {
        return Err(ApiError::validation_error(
            "Stack sets with the SERVICE_MANAGED permission model do not support templates with transforms.",
        ));
    }
    if template
        .resources
        .iter()
        .any(|r| r.kind.as_ref() == "AWS::CloudFormation::Stack")
    {
        return Err(ApiError::validation_error(
            "Stack sets with the SERVICE_MANAGED permission model do not support nested stacks.",
        ));
    }
    Ok(())
}

pub fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let (owner, id) = access::named(world, call)?;
    let Some(set) = world.cloudformation.stack_sets.get(&owner, &id) else {
        return Err(errors::set_not_found(&id));
    };
    if set.service_managed {
        access::check_service_managed(world, &owner)?;
    }
    if let Some(answer) = start::admit(world, set, call)? {
        return Ok(answer);
    }
    let changed_model = permission_model(input)?.filter(|model| *model != set.service_managed);
    if changed_model.is_some() && !set.instances.is_empty() {
        return Err(ApiError::validation_error(
            "The permission model of a stack set with stack instances cannot be changed.",
        ));
    }
    let service_managed = changed_model.unwrap_or(set.service_managed);
    let managed = managed_execution(input);
    if managed.is_some_and(|m| m != set.managed_execution) && set.is_busy() {
        return Err(errors::invalid_operation(
            "ManagedExecution cannot be changed while operations are running or queued.",
        ));
    }
    let targets = Targets::read(world, set, Action::Update, input)?;
    let new_auto = if member(input, "AutoDeployment").is_some() {
        if targets.is_some() {
            return Err(ApiError::validation_error(
                "DeploymentTargets and Regions cannot be specified together with AutoDeployment.",
            ));
        }
        auto_deployment(input, service_managed)?
    } else {
        set.auto_deployment.clone()
    };
    let (rows, regions) = match &targets {
        None => every_instance(set),
        Some(targets) => super::instances::existing_rows(set, targets, true)?,
    };
    let present = Arc::clone(&set.definition);
    let definition = Arc::new(read_definition(
        world,
        call,
        service_managed,
        Some(&present),
    )?);
    let request = Request {
        action: Action::Update,
        preferences: Preferences::read(input)?,
        deployment_targets: member(input, "DeploymentTargets").cloned(),
        retain_stacks: None,
        overrides: None,
        definition: Some(definition),
        rows,
        regions,
    };
    if let Some(set) = world.cloudformation.stack_sets.get_mut(&owner, &id) {
        set.service_managed = service_managed;
        set.auto_deployment = new_auto;
        set.managed_execution = managed.unwrap_or(set.managed_execution);
    }
    let operation = start::accept(world, &owner, &id, text(input, "OperationId"), request);
    Ok(json!({"OperationId": operation.as_ref()}))
}

/// All instances that an update reaches: not the inoperable ones (API reference, StackInstance).
fn every_instance(set: &StackSet) -> Rows {
    let rows: Vec<_> = set
        .instances
        .iter()
        .filter(|(_, instance)| instance.status != InstanceStatus::Inoperable)
        .map(|((account, region), instance)| {
            (account.clone(), region.clone(), instance.unit.clone())
        })
        .collect();
    let regions: BTreeSet<_> = rows.iter().map(|(_, region, _)| region.clone()).collect();
    (rows, regions.into_iter().collect())
}

pub fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (owner, id) = match access::named(world, call) {
        Ok(found) => found,
        // Deleting a set that is not there succeeds: the model lists no such error.
        Err(error) if error.code == "StackSetNotFoundException" => return Ok(json!({})),
        Err(error) => return Err(error),
    };
    let shelf = world.cloudformation.stack_sets.shelf_mut(&owner);
    let Some(set) = shelf.sets.get_mut(&id) else {
        return Ok(json!({}));
    };
    if set.is_busy() {
        return Err(errors::operation_in_progress(&set.arn));
    }
    if !set.instances.is_empty() {
        return Err(errors::not_empty());
    }
    set.is_deleted = true;
    let name = Arc::clone(&set.name);
    if shelf.live.get(&name) == Some(&id) {
        shelf.live.remove(&name);
    }
    Ok(json!({}))
}

pub fn describe(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (owner, id) = access::named(world, call)?;
    let set = world
        .cloudformation
        .stack_sets
        .get(&owner, &id)
        .ok_or_else(|| errors::set_not_found(&id))?;
    Ok(json!({"StackSet": show::set(world, set)}))
}

pub fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let administrator = access::administrator(world, call)?;
    let wanted = text(&call.input, "Status");
    let sets = world
        .cloudformation
        .stack_sets
        .shelf(&administrator.owner)
        .into_iter()
        .flat_map(|shelf| shelf.sets.values())
        .filter(|set| !administrator.delegated || set.service_managed)
        .filter(|set| match wanted {
            Some("DELETED") => set.is_deleted,
            Some(_) => !set.is_deleted,
            None => true,
        })
        .map(|set| (set.id.as_ref(), show::set_summary(set)));
    answers::page(world, call, "Summaries", PAGE, sets)
}
