//! StackSets, instances and operations as answers show them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    instance::Instance,
    operation::{Action, Operation, OperationStatus, Row, RowStatus},
    set::{AutoDeployment, InstanceKey, StackSet},
};
use crate::sandbox::world::{
    Region, World,
    cloudformation::stacks::answers::{self, compact},
    time::iso,
};

fn auto_deployment(auto: Option<&AutoDeployment>) -> Option<Value> {
    auto.map(|auto| {
        compact(json!({
            "Enabled": auto.enabled,
            "RetainStacksOnAccountRemoval": auto.enabled.then_some(auto.retain_stacks),
            "DependsOn": (!auto.depends_on.is_empty()).then_some(&auto.depends_on),
        }))
    })
}

fn permission_model(set: &StackSet) -> &'static str {
    if set.service_managed {
        "SERVICE_MANAGED"
    } else {
        "SELF_MANAGED"
    }
}

fn status(set: &StackSet) -> &'static str {
    if set.is_deleted { "DELETED" } else { "ACTIVE" }
}

fn drift_status(checked: bool) -> &'static str {
    if checked { "IN_SYNC" } else { "NOT_CHECKED" }
}

pub fn set(world: &World, set: &StackSet) -> Value {
    let templates = &world.cloudformation.templates;
    let definition = &set.definition;
    let template = templates.template(definition.template);
    let regions: BTreeSet<&Region> = set.instances.keys().map(|(_, region)| region).collect();
    let units: BTreeSet<&str> = set
        .instances
        .values()
        .filter_map(|instance| instance.unit.as_deref())
        .collect();
    compact(json!({
        "StackSetName": set.name.as_ref(),
        "StackSetId": set.id.as_ref(),
        "StackSetARN": set.arn.as_ref(),
        "Description": definition.description,
        "Status": status(set),
        "TemplateBody": templates.body(definition.template).as_deref(),
        "Parameters": answers::parameters(template.as_deref(), &definition.parameters),
        "Capabilities": definition.capabilities.as_ref(),
        "Tags": answers::tags(&definition.tags),
        "AdministrationRoleARN": definition.administration_role,
        "ExecutionRoleName": definition.execution_role,
        "StackSetDriftDetectionDetails": drift(set, set.instances.len()),
        "AutoDeployment": auto_deployment(set.auto_deployment.as_ref()),
        "PermissionModel": permission_model(set),
        "OrganizationalUnitIds": units,
        "ManagedExecution": {"Active": set.managed_execution},
        "Regions": regions,
    }))
}

fn drift(set: &StackSet, total: usize) -> Value {
    compact(json!({
        "DriftStatus": drift_status(set.drift_checked.is_some()),
        "DriftDetectionStatus": set.drift_checked.map(|_| "COMPLETED"),
        "LastDriftCheckTimestamp": set.drift_checked.map(iso),
        "TotalStackInstancesCount": total,
        "DriftedStackInstancesCount": 0,
        "InSyncStackInstancesCount": set.drift_checked.map_or(0, |_| total),
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": 0,
    }))
}

pub fn set_summary(set: &StackSet) -> Value {
    compact(json!({
        "StackSetName": set.name.as_ref(),
        "StackSetId": set.id.as_ref(),
        "Description": set.definition.description,
        "Status": status(set),
        "AutoDeployment": auto_deployment(set.auto_deployment.as_ref()),
        "PermissionModel": permission_model(set),
        "DriftStatus": drift_status(set.drift_checked.is_some()),
        "LastDriftCheckTimestamp": set.drift_checked.map(iso),
        "ManagedExecution": {"Active": set.managed_execution},
    }))
}

/// Parameter overrides are in DescribeStackInstance only.
pub fn instance(
    set: &StackSet,
    (account, region): &InstanceKey,
    instance: &Instance,
    with_overrides: bool,
) -> Value {
    let overrides: Option<Value> = with_overrides.then(|| {
        instance
            .overrides
            .as_deref()
            .into_iter()
            .flatten()
            .map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value}))
            .collect()
    });
    compact(json!({
        "StackSetId": set.id.as_ref(),
        "Region": region,
        "Account": account,
        "StackId": instance.stack.as_deref(),
        "ParameterOverrides": overrides,
        "Status": instance.status.as_str(),
        "StackInstanceStatus": {"DetailedStatus": instance.detailed.as_str()},
        "StatusReason": instance.reason.as_deref(),
        "OrganizationalUnitId": instance.unit.as_deref(),
        "DriftStatus": drift_status(instance.drift_checked.is_some()),
        "LastDriftCheckTimestamp": instance.drift_checked.map(iso),
        "LastOperationId": instance.last_operation.as_deref(),
    }))
}

pub fn operation(set: &StackSet, operation: &Operation) -> Value {
    let is_drift = operation.action == Action::DetectDrift;
    let finished = operation.status == OperationStatus::Succeeded;
    compact(json!({
        "OperationId": operation.id.as_ref(),
        "StackSetId": set.id.as_ref(),
        "Action": operation.action.as_str(),
        "Status": operation.status.as_str(),
        "OperationPreferences": operation.preferences.show(),
        "RetainStacks": operation.retain_stacks,
        "AdministrationRoleARN": set.definition.administration_role,
        "ExecutionRoleName": set.definition.execution_role,
        "CreationTimestamp": iso(operation.created),
        "EndTimestamp": operation.ended.map(iso),
        "DeploymentTargets": operation.deployment_targets,
        "StackSetDriftDetectionDetails": (is_drift && finished).then(|| drift(set, operation.rows.len())),
        "StatusReason": operation.reason,
        "StatusDetails": {"FailedStackInstancesCount": operation.failed},
    }))
}

pub fn operation_summary(operation: &Operation) -> Value {
    compact(json!({
        "OperationId": operation.id.as_ref(),
        "Action": operation.action.as_str(),
        "Status": operation.status.as_str(),
        "CreationTimestamp": iso(operation.created),
        "EndTimestamp": operation.ended.map(iso),
        "StatusReason": operation.reason,
        "StatusDetails": {"FailedStackInstancesCount": operation.failed},
        "OperationPreferences": operation.preferences.show(),
    }))
}

/// A row as it looked when `status` was its status.
pub fn row(operation: &Operation, row: &Row, status: RowStatus) -> Value {
    let region = operation.regions.get(usize::from(row.region));
    let is_final = !matches!(status, RowStatus::Pending | RowStatus::Running);
    let gate = match status {
        RowStatus::Pending | RowStatus::Cancelled => None,
        // No account has a function AWSCloudFormationStackSetAccountGate.
        RowStatus::Running | RowStatus::Succeeded | RowStatus::Failed => Some(json!({
            "Status": "SKIPPED",
            "StatusReason": "Function not found: AWSCloudFormationStackSetAccountGate",
        })),
    };
    compact(json!({
        "Account": row.account,
        "Region": region.map(|run| &run.region),
        "Status": status.as_str(),
        "StatusReason": row.reason.as_deref().filter(|_| is_final),
        "AccountGateResult": gate,
        "OrganizationalUnitId": row.unit.as_deref(),
    }))
}
