//! What the organization lets principals of member accounts do: each request, and each deed of
//! CloudFormation on behalf of one, is judged by the service control policies that act on the account.
//!
//! Identity policies are not judged: whoever has credentials of an account may do there what the
//! organization does not forbid.

mod actions;
mod context;
mod handlers;
mod resources;

pub use context::home;
pub use handlers::needed;

use jiff::Timestamp;

use super::{
    AccountId, ApiError, Caller, Region, World,
    arn::Arn,
    iam::policy::{Question, role_of_session},
    organizations::Control,
};
use crate::sandbox::wire::{
    Parsed,
    service::{Protocol, Service},
};

/// Path of service-linked roles, which no service control policy touches (user guide, "Tasks and entities
/// not restricted by SCPs").
const SERVICE_LINKED: &str = "/aws-service-role/";

/// What a principal is about to do.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// As GetCallerIdentity shows it.
    pub principal: &'a str,
    pub action: &'a str,
    /// `*` where the action knows no resource.
    pub resource: &'a str,
    pub region: &'a Region,
    /// CloudFormation does it with the principal's permissions (forward access session).
    pub by_cloudformation: bool,
}

/// Judges a request before its service sees it.
///
/// # Errors
/// The refusal, in the form of the service.
pub fn check(world: &World, parsed: &Parsed, caller: &Caller) -> Result<(), ApiError> {
    if !world.organizations.is_controlled(&caller.account) {
        return Ok(());
    }
    let Some(action) = actions::of(parsed.service, &parsed.operation) else {
        return Ok(());
    };
    let region = Region(parsed.region().to_owned());
    let resource = resources::of(parsed, caller, &region);
    let deed = Deed {
        principal: &caller.arn,
        action: &action,
        resource: &resource,
        region: if parsed.service.is_global() {
            &home()
        } else {
            &region
        },
        by_cloudformation: false,
    };
    let mut context = context::of(world, &caller.account, &deed);
    context::add_request(world, &mut context, parsed, caller, &resource);
    match judge(world, &caller.account, &deed, &context) {
        Control::Allowed => Ok(()),
        verdict => Err(refusal(parsed.service, &text(&deed, verdict))),
    }
}

/// Judges a deed of CloudFormation in the account.
///
/// # Errors
/// The text of the refusal, as services give it.
pub fn check_deed(world: &World, account: &AccountId, deed: &Deed<'_>) -> Result<(), String> {
    if !world.organizations.is_controlled(account) {
        return Ok(());
    }
    let context = context::of(world, account, deed);
    match judge(world, account, deed, &context) {
        Control::Allowed => Ok(()),
        verdict => Err(text(deed, verdict)),
    }
}

fn judge(
    world: &World,
    account: &AccountId,
    deed: &Deed<'_>,
    context: &super::iam::condition::Context,
) -> Control {
    if is_service_linked(world, account, deed.principal) {
        return Control::Allowed;
    }
    let question = Question {
        principal: None,
        action: deed.action,
        resource: Some(deed.resource),
        context,
    };
    let now: Timestamp = world.now;
    world.organizations.control(account, &question, now)
}

fn is_service_linked(world: &World, account: &AccountId, principal: &str) -> bool {
    let Some(arn) = role_of_session(principal) else {
        return false;
    };
    let name = Arn::parse(&arn).and_then(|arn| arn.resource.strip_prefix("role/"));
    let iam = world.accounts.get(account).map(|held| &held.iam);
    name.zip(iam)
        .and_then(|(name, iam)| iam.roles.get(name))
        .is_some_and(|role| role.path.starts_with(SERVICE_LINKED))
}

/// AWS's two sentences (IAM user guide, "Troubleshoot access denied error messages").
fn text(deed: &Deed<'_>, verdict: Control) -> String {
    let Deed {
        principal,
        action,
        resource,
        ..
    } = deed;
    let start = format!("User: {principal} is not authorized to perform: {action}");
    if verdict == Control::Denied {
        format!("{start} on resource: {resource} with an explicit deny in a service control policy")
    } else {
        format!(
            "{start} on resource: {resource} because no service control policy allows the {action} action"
        )
    }
}

/// An access denial in the form of the service.
pub fn refusal(service: Service, text: &str) -> ApiError {
    match service.protocol() {
        Protocol::Query { .. } | Protocol::Cbor | Protocol::RestXml => {
            ApiError::new(403, "AccessDenied", text)
        }
        Protocol::Json => ApiError::new(400, "AccessDeniedException", text),
        Protocol::RestJson => ApiError::new(403, "AccessDeniedException", text),
    }
}
