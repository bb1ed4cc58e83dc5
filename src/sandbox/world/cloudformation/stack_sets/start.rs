//! Taking an operation on: is it new, may it run, what are its rows.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    OperationKey, Resent, errors,
    instance::{DetailedStatus, Instance, InstanceStatus},
    operation::{
        Action, Operation, OperationStatus, OverrideValue, Overrides, RegionRun, Row, RowStatus,
    },
    preferences::Preferences,
    set::{Definition, StackSet},
};
use crate::sandbox::{
    wire::input::{boolean, list, list_given, text},
    world::{
        AccountId, ApiError, Call, Place, Region, World, cloudformation::queue::Due,
        cloudformation::template::Template,
    },
};

/// Operations and results are kept for 90 days (assumed: AWS documents no bound).
const KEEP: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);

/// An operation before it is taken on.
pub struct Request {
    pub action: Action,
    pub preferences: Preferences,
    pub deployment_targets: Option<Value>,
    pub retain_stacks: Option<bool>,
    pub overrides: Option<Arc<Overrides>>,
    pub definition: Option<Arc<Definition>>,
    /// `(account, Region, unit)`; grouped and ordered by Region when the operation is made.
    pub rows: Vec<(AccountId, Region, Option<Arc<str>>)>,
    /// In the caller's order.
    pub regions: Vec<Region>,
}

/// Looks whether this OperationId was sent before, and whether the set can take an operation now.
///
/// `Ok(Some)` is the answer to a request that was carried out already.
///
/// # Errors
/// `OperationIdAlreadyExistsException`, `StaleRequestException`, `OperationInProgressException`.
pub fn admit(world: &World, set: &StackSet, call: &Call) -> Result<Option<Value>, ApiError> {
    if let Some(id) = text(&call.input, "OperationId") {
        check_id(id)?;
        if let Some(at) = set.operation_position(id) {
            if at + 1 < set.operations.len() {
                return Err(errors::stale_request());
            }
            return match world
                .cloudformation
                .stack_sets
                .open_questions
                .resent_operation
            {
                Resent::Echo => Ok(Some(json!({"OperationId": id}))),
                Resent::Refuse => Err(errors::operation_id_already_exists(id)),
            };
        }
    }
    if set.is_busy() && !set.managed_execution {
        return Err(errors::operation_in_progress(&set.arn));
    }
    Ok(None)
}

fn check_id(id: &str) -> Result<(), ApiError> {
    let mut letters = id.chars();
    let fits = letters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '-')
        && id.len() <= 128;
    if fits {
        return Ok(());
    }
    Err(ApiError::validation_error(format!(
        "1 validation error detected: Value '{id}' at 'operationId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*"
    )))
}

/// Takes the operation on and answers with its id. It runs at once, or waits its turn.
pub fn accept(
    world: &mut World,
    owner: &Place,
    set_id: &Arc<str>,
    id: Option<&str>,
    request: Request,
) -> Arc<str> {
    let id: Arc<str> = match id {
        Some(id) => Arc::from(id),
        None => Arc::from(world.ids.uuid()),
    };
    let now = world.now;
    let Some(set) = world.cloudformation.stack_sets.get_mut(owner, set_id) else {
        return id;
    };
    set.operations
        .retain(|o| !o.status.is_final() || o.ended.is_none_or(|at| now.duration_since(at) < KEEP));
    let (rows, regions) = lay_out(&request);
    let operation = Operation {
        id: Arc::clone(&id),
        action: request.action,
        status: OperationStatus::Queued,
        reason: None,
        created: now,
        ended: None,
        preferences: request.preferences,
        deployment_targets: request.deployment_targets,
        retain_stacks: request.retain_stacks,
        overrides: request.overrides,
        definition: request.definition,
        rows,
        regions,
        failed: 0,
        held_until: None,
        imports: false,
    };
    set.operations.push(operation);
    let key = OperationKey {
        owner: owner.clone(),
        stack_set: Arc::clone(set_id),
        operation: Arc::clone(&id),
    };
    let queued = jiff::SignedDuration::from_secs(i64::from(world.settings.queue_seconds));
    if queued.is_zero() {
        start_if_idle(world, &key);
    } else {
        let at = world.done_after(queued);
        world.cloudformation.queue.push(at, Due::Operation(key));
    }
    id
}

/// An account, and the root or unit that it is targeted by.
type Target<'a> = (&'a AccountId, Option<&'a Arc<str>>);

/// Rows by Region: in the caller's `RegionOrder`, then in the order of the Regions given.
fn lay_out(request: &Request) -> (Vec<Row>, Vec<RegionRun>) {
    let mut by_region: BTreeMap<&Region, Vec<Target<'_>>> = BTreeMap::new();
    for (account, region, unit) in &request.rows {
        by_region
            .entry(region)
            .or_default()
            .push((account, unit.as_ref()));
    }
    let mut order: Vec<&Region> = request.preferences.region_order.iter().collect();
    order.extend(request.regions.iter());
    order.extend(by_region.keys().copied());
    let mut rows = Vec::with_capacity(request.rows.len());
    let mut regions: Vec<RegionRun> = Vec::new();
    for region in order {
        let Some(accounts) = by_region.remove(region) else {
            continue;
        };
        let number = u16::try_from(regions.len()).unwrap_or(u16::MAX);
        let first = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(accounts.len()).unwrap_or(u32::MAX);
        for (account, unit) in accounts {
            rows.push(Row {
                account: account.clone(),
                region: number,
                status: RowStatus::Pending,
                reason: None,
                unit: unit.cloned(),
                started: None,
                ended: None,
            });
        }
        regions.push(RegionRun {
            region: region.clone(),
            first,
            end: first + count,
            next: first,
            running: 0,
            failed: 0,
            limits: request.preferences.limits(count),
            stopped: false,
        });
    }
    (rows, regions)
}

/// Lets an operation run that waits, if nothing else runs and none waits before it.
pub fn start_if_idle(world: &mut World, key: &OperationKey) {
    let at = world.done_after(jiff::SignedDuration::from_secs(1));
    let Some((set, position)) = world.cloudformation.stack_sets.operation_mut(key) else {
        return;
    };
    let first = set.first_queued().map(|o| Arc::clone(&o.id));
    if set.running().is_some() || first.as_ref() != Some(&key.operation) {
        return;
    }
    let StackSet {
        operations,
        instances,
        definition,
        ..
    } = set;
    let Some(operation) = operations.get_mut(position) else {
        return;
    };
    operation.status = OperationStatus::Running;
    if let Some(new) = operation.definition.take() {
        // The definition moves for everybody, whatever becomes of the operation, and all instances are
        // outdated until an operation has reached them (API reference, UpdateStackSet).
        *definition = new;
        for instance in instances.values_mut() {
            if instance.status == InstanceStatus::Current {
                instance.status = InstanceStatus::Outdated;
            }
        }
    }
    for row in &operation.rows {
        let Some(run) = operation.regions.get(usize::from(row.region)) else {
            continue;
        };
        let instance_key = (row.account.clone(), run.region.clone());
        match operation.action {
            Action::Create => {
                let instance = instances
                    .entry(instance_key)
                    .or_insert_with(|| Instance::pending(row.unit.clone()));
                if instance.unit.is_none() {
                    instance.unit.clone_from(&row.unit);
                }
                instance.detailed = DetailedStatus::Pending;
                instance.last_operation = Some(Arc::clone(&operation.id));
            }
            Action::Update | Action::Delete => {
                if let Some(instance) = instances.get_mut(&instance_key) {
                    instance.detailed = DetailedStatus::Pending;
                    instance.last_operation = Some(Arc::clone(&operation.id));
                }
            }
            Action::DetectDrift => {}
        }
    }
    world
        .cloudformation
        .queue
        .push(at, Due::Operation(key.clone()));
}

/// Reads `ParameterOverrides`. Absent: nothing is changed. Given: what it leaves out goes back to the
/// StackSet's value (API reference, CreateStackInstances and UpdateStackInstances).
///
/// # Errors
/// A parameter that the template does not have, or a value that its constraints refuse.
pub fn overrides(template: &Template, input: &Value) -> Result<Option<Arc<Overrides>>, ApiError> {
    if !list_given(input, "ParameterOverrides") {
        return Ok(None);
    }
    let mut overrides = Overrides::new();
    for given in list(input, "ParameterOverrides") {
        let Some(name) = text(given, "ParameterKey") else {
            continue;
        };
        let Some(parameter) = template.parameter(name) else {
            return Err(ApiError::validation_error(format!(
                "Parameters: [{name}] do not exist in the template"
            )));
        };
        let value = if boolean(given, "UsePreviousValue") == Some(true) {
            OverrideValue::Keep
        } else {
            let value = text(given, "ParameterValue").unwrap_or_default();
            parameter.check(value)?;
            OverrideValue::Given(value.to_owned())
        };
        overrides.insert(name.to_owned(), value);
    }
    Ok(Some(Arc::new(overrides)))
}
