//! Regions of an account, and the Account Management API about them.

use serde_json::{Value, json};

use super::{AccountId, ApiError, Call, Region, World, paging};
use crate::sandbox::wire::{
    dispatch::no_such_operation,
    input::{count, text, texts},
    service::Service,
};

/// Regions that every account has from the start (Account Management guide, "Enable or disable AWS
/// Regions", read in November 2026).
pub const BY_DEFAULT: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Regions that an account has to opt in to.
pub const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Whether the account can be called in the Region. Regions that AWS does not have are enabled nowhere.
pub fn region_enabled(world: &World, account: &AccountId, region: &Region) -> bool {
    let held = world.accounts.get(account);
    if BY_DEFAULT.contains(&region.0.as_str()) {
        return !held.is_some_and(|held| held.switched_off.contains(region));
    }
    OPT_IN.contains(&region.0.as_str()) && held.is_some_and(|held| held.opted_in.contains(region))
}

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let account = match text(input, "AccountId") {
        None => call.caller.account.clone(),
        Some(named) => other_account(world, call, named)?,
    };
    match call.operation.as_str() {
        "ListRegions" => {
            let wanted = texts(input, "RegionOptStatusContains");
            let mut names: Vec<&str> = BY_DEFAULT.iter().chain(OPT_IN).copied().collect();
            names.sort_unstable();
            let shown = names
                .into_iter()
                .map(|name| (name, status(world, &account, name)))
                .filter(|(_, status)| wanted.is_empty() || wanted.iter().any(|w| w == status))
                .map(|(name, status)| {
                    (name, json!({"RegionName": name, "RegionOptStatus": status}))
                });
            let page = paging::page(
                &world.settings,
                text(input, "NextToken"),
                count(input, "MaxResults"),
                50,
                shown,
            )
            .map_err(|_| invalid("Invalid NextToken"))?;
            let mut output = json!({"Regions": page.items});
            if let (Some(next), Some(members)) = (page.next, output.as_object_mut()) {
                members.insert("NextToken".to_owned(), Value::from(next));
            }
            Ok(output)
        }
        "GetRegionOptStatus" => {
            let name = text(input, "RegionName").ok_or_else(|| invalid("RegionName"))?;
            Ok(json!({"RegionName": name, "RegionOptStatus": status(world, &account, name)}))
        }
        "EnableRegion" | "DisableRegion" => {
            let name = text(input, "RegionName").ok_or_else(|| invalid("RegionName"))?;
            if !OPT_IN.contains(&name) {
                return Err(invalid("The Region cannot be enabled or disabled."));
            }
            let opted_in = &mut world.accounts.entry(account).or_default().opted_in;
            let region = Region(name.to_owned());
            if call.operation == "EnableRegion" {
                opted_in.insert(region);
            } else {
                opted_in.remove(&region);
            }
            Ok(Value::Null)
        }
        other => Err(no_such_operation(Service::Account, other)),
    }
}

/// The management account may ask about members, but must not name itself.
fn other_account(world: &World, call: &Call, named: &str) -> Result<AccountId, ApiError> {
    let account = AccountId(named.to_owned());
    let management = &world.organizations.management_account;
    let is_member = world.organizations.accounts.contains_key(&account);
    if call.caller.account == *management && account != *management && is_member {
        return Ok(account);
    }
    Err(ApiError::new(
        403,
        "AccessDeniedException",
        format!(
            "User: {} is not authorized to perform this operation on account {named}",
            call.caller.arn
        ),
    ))
}

fn status(world: &World, account: &AccountId, name: &str) -> &'static str {
    let enabled = region_enabled(world, account, &Region(name.to_owned()));
    match (BY_DEFAULT.contains(&name), enabled) {
        (true, true) => "ENABLED_BY_DEFAULT",
        (false, true) => "ENABLED",
        (_, false) => "DISABLED",
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}
