//! What CloudFormation asks of the other services: the only place that names them.

use super::super::{AccountId, Region, World, account, iam::roles, organizations::access, s3};

/// Role that the management account's StackSets act through, made by ActivateOrganizationsAccess.
const ORG_ADMIN_ROLE: &str = "AWSServiceRoleForCloudFormationStackSetsOrgAdmin";
const ORG_ADMIN_PATH: &str = "/aws-service-role/stacksets.cloudformation.amazonaws.com/";

/// The bytes of the S3 object that a URL names, if there is one.
pub fn object_at(world: &World, url: &str) -> Option<Vec<u8>> {
    s3::body_at(world, url).map(|body| body.to_vec())
}

/// Whether the account can be called in the Region.
pub fn region_enabled(world: &World, account: &AccountId, region: &Region) -> bool {
    account::region_enabled(world, account, region)
}

/// Turns trusted access of StackSets on and makes the service-linked role of the management account
/// (user guide, "Activate trusted access for StackSets with Organizations").
pub fn trust_stack_sets(world: &mut World) {
    let now = world.now;
    world
        .organizations
        .trusted_services
        .entry(access::STACK_SETS.to_owned())
        .or_insert(now);
    let management = world.organizations.management_account.clone();
    let role = roles::NewRole {
        name: ORG_ADMIN_ROLE.to_owned(),
        path: Some(ORG_ADMIN_PATH.to_owned()),
        trust: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"stacksets.cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#.to_owned(),
        ..roles::NewRole::default()
    };
    // It may be there from an earlier activation.
    let _ = roles::create(world, &management, role);
}

pub fn distrust_stack_sets(world: &mut World) {
    world
        .organizations
        .trusted_services
        .remove(access::STACK_SETS);
}

pub fn trusts_stack_sets(world: &World) -> bool {
    world
        .organizations
        .trusted_services
        .contains_key(access::STACK_SETS)
}

/// The role that StackSets with service-managed permissions act through in a member account; its name.
pub fn ensure_execution_role(world: &mut World, account: &AccountId, suffix: &str) -> String {
    let name = format!("stacksets-exec-{suffix}");
    if has_role(world, account, &name) {
        return name;
    }
    let management = &world.organizations.management_account;
    let role = roles::NewRole {
        name: name.clone(),
        trust: format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{management}:role{ORG_ADMIN_PATH}{ORG_ADMIN_ROLE}"}},"Action":"sts:AssumeRole"}}]}}"#
        ),
        ..roles::NewRole::default()
    };
    // Two rows of one account may come here at once; the second finds the role.
    let _ = roles::create(world, account, role);
    name
}

pub fn has_role(world: &World, account: &AccountId, name: &str) -> bool {
    roles::get(world, account, name).is_ok()
}
