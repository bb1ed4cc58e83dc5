//! From an access key to a caller.
//!
//! Credentials that this STS or this IAM issued belong to the account that they were issued for. Any
//! other access key, whatever its secret, is the user `administrator` of the management account, so
//! that a tool with made-up keys can begin.

use crate::sandbox::{
    wire::{
        Parsed,
        service::{Protocol, Service},
    },
    world::{ApiError, Caller, Region, World, account},
};

/// Begins every key that [`super::assume`] issues; a key of this form that is not known is refused
/// instead of being taken for the administrator's.
pub const ISSUED_PREFIX: &str = "ASIASBX";

/// Who made the request.
///
/// # Errors
/// Refused credentials, with the code that the service's protocol has for them.
pub fn resolve(world: &World, parsed: &Parsed) -> Result<Caller, ApiError> {
    let service = parsed.service;
    let Some(scope) = &parsed.scope else {
        return Err(unsigned(service));
    };
    let caller = match world.sts.sessions.get(&scope.access_key) {
        Some(session) => {
            if parsed.session_token.as_deref() != Some(session.token.as_str()) {
                return Err(invalid(service));
            }
            if session.expires <= world.now {
                return Err(expired(service));
            }
            Caller {
                account: session.account.clone(),
                arn: session.arn.clone(),
                source_identity: session.source_identity.clone(),
            }
        }
        None if scope.access_key.starts_with(ISSUED_PREFIX) => return Err(invalid(service)),
        None => match world.sts.user_keys.get(&scope.access_key) {
            Some(key) => Caller {
                account: key.account.clone(),
                arn: key.arn.clone(),
                source_identity: None,
            },
            None => administrator(world),
        },
    };
    if world.organizations.is_shut(&caller.account) {
        return Err(invalid(service));
    }
    let region = Region(scope.region.clone());
    if !service.is_global() && !account::region_enabled(world, &caller.account, &region) {
        return Err(invalid(service));
    }
    Ok(caller)
}

/// The management account's administrator.
pub fn administrator(world: &World) -> Caller {
    let account = world.organizations.management_account.clone();
    Caller {
        arn: format!("arn:aws:iam::{account}:user/administrator"),
        account,
        source_identity: None,
    }
}

fn unsigned(service: Service) -> ApiError {
    match service.protocol() {
        Protocol::RestXml => ApiError::new(403, "AccessDenied", "Access Denied"),
        Protocol::Query { .. } | Protocol::Cbor => ApiError::new(
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        Protocol::Json => ApiError::new(
            400,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Protocol::RestJson => ApiError::new(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
    }
}

/// Unknown keys, and keys used in a Region that their account has not enabled.
fn invalid(service: Service) -> ApiError {
    let text = "The security token included in the request is invalid.";
    match service.protocol() {
        Protocol::Query { .. } | Protocol::Cbor => ApiError::new(403, "InvalidClientTokenId", text),
        Protocol::Json => ApiError::new(400, "UnrecognizedClientException", text),
        Protocol::RestJson => ApiError::new(403, "UnrecognizedClientException", text),
        Protocol::RestXml => ApiError::new(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
    }
}

/// Credentials whose time is over.
pub fn expired(service: Service) -> ApiError {
    let text = "The security token included in the request is expired";
    match service.protocol() {
        Protocol::Query { .. } | Protocol::Cbor => ApiError::new(403, "ExpiredToken", text),
        Protocol::Json => ApiError::new(400, "ExpiredTokenException", text),
        Protocol::RestJson => ApiError::new(403, "ExpiredTokenException", text),
        Protocol::RestXml => ApiError::new(400, "ExpiredToken", "The provided token has expired."),
    }
}
