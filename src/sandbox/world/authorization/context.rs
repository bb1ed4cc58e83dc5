//! The keys of a request (IAM user guide, "AWS global condition context keys").

use crate::sandbox::{
    wire::{Parsed, input::tags, parsed::Body, service::Service},
    world::{
        AccountId, Caller, Region, World,
        arn::Arn,
        iam::{condition::Context, policy::role_of_session},
        time::{iso_seconds, seconds},
    },
};

use super::Deed;

/// Where global services are, whatever Region a request is signed for (`aws:RequestedRegion`).
pub fn home() -> Region {
    Region("us-east-1".to_owned())
}

/// What every request of the principal has. `aws:SourceVpc` and `aws:PrincipalTag` are absent: nobody
/// comes through an endpoint, and no principal is tagged.
pub fn of(world: &World, account: &AccountId, deed: &Deed<'_>) -> Context {
    let principal = role_of_session(deed.principal).unwrap_or_else(|| deed.principal.to_owned());
    let kind = if deed.principal.contains(":assumed-role/") {
        "AssumedRole"
    } else if deed.principal.ends_with(":root") {
        "Account"
    } else {
        "User"
    };
    let mut context = Context::new([
        ("aws:PrincipalArn", principal),
        ("aws:PrincipalAccount", account.0.clone()),
        ("aws:PrincipalType", kind.to_owned()),
        ("aws:PrincipalIsAWSService", "false".to_owned()),
        ("aws:RequestedRegion", deed.region.0.clone()),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:ViaAWSService", deed.by_cloudformation.to_string()),
        ("aws:EpochTime", seconds(world.now).to_string()),
    ]);
    if let Some(now) = iso_seconds(world.now).as_str() {
        context.add("aws:CurrentTime", now);
    }
    if deed.by_cloudformation {
        for key in ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"] {
            context.add(key, "cloudformation.amazonaws.com");
        }
    }
    if kind == "User"
        && let Some(name) = deed.principal.rsplit('/').next()
    {
        context.add("aws:username", name);
    }
    world
        .organizations
        .add_principal_keys(account, &mut context);
    context
}

/// What only a request of its own has.
pub fn add_request(
    world: &World,
    context: &mut Context,
    parsed: &Parsed,
    caller: &Caller,
    resource: &str,
) {
    if let Some(identity) = &caller.source_identity {
        context.add("aws:SourceIdentity", identity);
    }
    let owner = match (&parsed.body, parsed.service) {
        (Body::S3(request), _) => request
            .bucket
            .as_ref()
            .and_then(|bucket| world.s3.owner_of(bucket))
            .unwrap_or(&caller.account)
            .clone(),
        (Body::Shape(_), Service::Sts) => Arn::parse(resource).map_or_else(
            || caller.account.clone(),
            |arn| AccountId(arn.account.to_owned()),
        ),
        (Body::Shape(_), _) => caller.account.clone(),
    };
    if world.organizations.accounts.contains_key(&owner) {
        context.add("aws:ResourceOrgID", world.organizations.id.clone());
    }
    context.add("aws:ResourceAccount", owner.0);
    if let Body::Shape(input) = &parsed.body {
        for (key, value) in tags(input, "Tags") {
            context.add(&format!("aws:RequestTag/{key}"), value);
            context.add("aws:TagKeys", key);
        }
    }
}
