//! Deployment targets → accounts.
//! Rules: API reference, DeploymentTargets.

use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{operation::Action, set::StackSet};
use crate::sandbox::{
    wire::input::{member, text, texts},
    world::{
        AccountId, ApiError, Region, World, cloudformation::membership, cloudformation::source,
    },
};

/// Most organizational units of one request.
const MAX_UNITS: usize = 50;

/// Which accounts and Regions a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// Account → the targeted root or unit that it is in.
    pub accounts: BTreeMap<AccountId, Option<Arc<str>>>,
    /// Accounts that the caller named one by one.
    pub named: BTreeSet<AccountId>,
    pub units: Vec<Arc<str>>,
    pub regions: Vec<Region>,
    /// Account filters are in play, which automatic deployment ignores.
    pub filtered: bool,
}

impl Targets {
    /// Reads `Accounts` or `DeploymentTargets`, and `Regions`; `None` where an update gives neither.
    ///
    /// # Errors
    /// `ValidationError` for targets that the permission model or the operation does not allow.
    pub fn read(
        world: &World,
        set: &StackSet,
        action: Action,
        input: &Value,
    ) -> Result<Option<Self>, ApiError> {
        let regions = regions(input)?;
        let accounts = texts(input, "Accounts");
        let given = member(input, "DeploymentTargets").filter(|v| v.is_object());
        let targets = match (given, accounts.is_empty()) {
            (Some(_), false) => {
                return Err(ApiError::validation_error(
                    "Accounts and DeploymentTargets cannot be specified at the same time.",
                ));
            }
            (None, true) if regions.is_empty() => return Ok(None),
            (None, true) => {
                return Err(ApiError::validation_error(
                    "Either Accounts or DeploymentTargets must be specified.",
                ));
            }
            (None, false) => Self::of_accounts(set, accounts)?,
            (Some(given), true) => Self::of_targets(world, set, action, given)?,
        };
        if regions.is_empty() {
            return Err(ApiError::validation_error(
                "1 validation error detected: Value null at 'regions' failed to satisfy constraint: Member must not be null",
            ));
        }
        Ok(Some(Self { regions, ..targets }))
    }

    fn of_accounts(set: &StackSet, accounts: Vec<String>) -> Result<Self, ApiError> {
        if set.service_managed {
            return Err(ApiError::validation_error(
                "StackSets with SERVICE_MANAGED permission model can only have DeploymentTargets as target",
            ));
        }
        let named: BTreeSet<AccountId> = checked(accounts)?;
        Ok(Self {
            accounts: named.iter().map(|a| (a.clone(), None)).collect(),
            named,
            units: Vec::new(),
            regions: Vec::new(),
            filtered: false,
        })
    }

    fn of_targets(
        world: &World,
        set: &StackSet,
        action: Action,
        given: &Value,
    ) -> Result<Self, ApiError> {
        let mut listed = texts(given, "Accounts");
        if let Some(url) = text(given, "AccountsUrl") {
            if !listed.is_empty() {
                return Err(ApiError::validation_error(
                    "Accounts and AccountsUrl cannot be specified at the same time.",
                ));
            }
            listed = account_file(world, url)?;
        }
        let units = texts(given, "OrganizationalUnitIds");
        if !set.service_managed {
            if !units.is_empty() {
                return Err(ApiError::validation_error(
                    "OrganizationalUnitIds can only be specified in [SERVICE_MANAGED] model",
                ));
            }
            return Self::of_accounts(set, listed);
        }
        if units.is_empty() {
            return Err(ApiError::validation_error(
                "OrganizationalUnitIds should be specified in [DeploymentTargets] in [SERVICE_MANAGED] model",
            ));
        }
        if units.len() > MAX_UNITS {
            return Err(ApiError::validation_error(format!(
                "The number of OrganizationalUnitIds exceeds the maximum of {MAX_UNITS}."
            )));
        }
        if let Some(unknown) = units
            .iter()
            .find(|unit| !membership::is_parent(world, unit))
        {
            return Err(ApiError::validation_error(format!(
                "OrganizationalUnitId {unknown} does not exist in the organization."
            )));
        }
        let listed: BTreeSet<AccountId> = checked(listed)?;
        // UNION is the implied value where accounts are listed beside units.
        let filter = match text(given, "AccountFilterType") {
            Some(filter) => filter,
            None if listed.is_empty() => "NONE",
            None => "UNION",
        };
        let mut accounts: BTreeMap<AccountId, Option<Arc<str>>> = BTreeMap::new();
        let units: Vec<Arc<str>> = units.into_iter().map(Arc::from).collect();
        for unit in &units {
            for account in membership::accounts_under(world, unit) {
                accounts
                    .entry(account)
                    .or_insert_with(|| Some(Arc::clone(unit)));
            }
            if action != Action::Create {
                // Instances of accounts that have left the unit since still belong to it.
                for ((account, _), instance) in &set.instances {
                    if instance.unit.as_ref() == Some(unit) {
                        accounts
                            .entry(account.clone())
                            .or_insert_with(|| Some(Arc::clone(unit)));
                    }
                }
            }
        }
        let mut named = BTreeSet::new();
        match filter {
            "NONE" => {
                if !listed.is_empty() {
                    return Err(ApiError::validation_error(
                        "Accounts cannot be specified with AccountFilterType NONE.",
                    ));
                }
            }
            "INTERSECTION" => {
                accounts.retain(|account, _| listed.contains(account));
                named = accounts.keys().cloned().collect();
            }
            "DIFFERENCE" => accounts.retain(|account, _| !listed.contains(account)),
            "UNION" if action == Action::Create => {
                return Err(ApiError::validation_error(
                    "AccountFilterType UNION is not supported for CreateStackInstances operations.",
                ));
            }
            "UNION" => {
                for account in &listed {
                    accounts.entry(account.clone()).or_insert(None);
                }
                named.clone_from(&listed);
            }
            other => {
                return Err(ApiError::validation_error(format!(
                    "1 validation error detected: Value '{other}' at 'deploymentTargets.accountFilterType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, INTERSECTION, DIFFERENCE, UNION]"
                )));
            }
        }
        // Never the management account, even when it is in the unit (user guide).
        accounts.remove(membership::management(world));
        Ok(Self {
            accounts,
            named,
            units,
            regions: Vec::new(),
            filtered: filter != "NONE",
        })
    }
}

fn checked(accounts: Vec<String>) -> Result<BTreeSet<AccountId>, ApiError> {
    accounts
        .into_iter()
        .map(|account| {
            if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
                Ok(AccountId(account))
            } else {
                Err(ApiError::validation_error(format!(
                    "1 validation error detected: Value '[{account}]' at 'accounts' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[0-9]{{12}}$]"
                )))
            }
        })
        .collect()
}

fn regions(input: &Value) -> Result<Vec<Region>, ApiError> {
    let mut regions: Vec<Region> = Vec::new();
    for region in texts(input, "Regions") {
        let form = !region.is_empty()
            && region
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
            && region.len() <= 128;
        if !form {
            return Err(ApiError::validation_error(format!(
                "1 validation error detected: Value '[{region}]' at 'regions' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]{{1,128}}$]"
            )));
        }
        let region = Region(region);
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    Ok(regions)
}

/// The accounts of a `.csv` or `.txt` object in S3.
fn account_file(world: &World, url: &str) -> Result<Vec<String>, ApiError> {
    let text = source::from_url(world, url)?;
    Ok(text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect())
}
