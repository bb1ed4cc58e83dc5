//! AssumeRole: the trust policy decides (STS API reference, AssumeRole).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Session, caller::ISSUED_PREFIX};
use crate::sandbox::world::{
    AccountId, ApiError, Caller, World,
    arn::{self, Arn},
    iam::{
        condition::Context,
        policy::{self, Decision, Principal, Question},
    },
};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub role_arn: String,
    pub session_name: String,
    /// 900 to 43,200; 3,600 if absent.
    pub seconds: Option<i64>,
    pub external_id: Option<String>,
    pub source_identity: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// Fresh credentials.
#[derive(Debug, Clone)]
pub struct Issued {
    pub access_key: String,
    pub secret: String,
    pub session: Session,
}

/// How long an expired session is remembered, so that its user hears that it expired.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(12);

/// Makes a session of the role for the caller.
///
/// # Errors
/// `AccessDenied` with one and the same text whether the role is missing or does not trust the caller;
/// `ValidationError` for a name or a duration out of its bounds.
pub fn assume(world: &mut World, caller: &Caller, wanted: &Wanted) -> Result<Issued, ApiError> {
    check_form(wanted)?;
    if caller.arn.ends_with(":root") {
        return Err(ApiError::new(
            403,
            "AccessDenied",
            "Roles may not be assumed by root accounts.",
        ));
    }
    // A session's source identity cannot be changed by chaining.
    let source_identity = caller
        .source_identity
        .clone()
        .or_else(|| wanted.source_identity.clone());
    let refused = |action: &str| {
        ApiError::new(
            403,
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: {action} on resource: {}",
                caller.arn, wanted.role_arn
            ),
        )
    };
    let role = Arn::parse(&wanted.role_arn)
        .zip(arn::role_name(&wanted.role_arn))
        .filter(|(arn, _)| {
            !world
                .organizations
                .is_shut(&AccountId(arn.account.to_owned()))
        })
        .and_then(|(arn, name)| {
            let account = AccountId(arn.account.to_owned());
            let role = world.accounts.get(&account)?.iam.roles.get(name)?;
            Some((account, role))
        })
        .filter(|(_, role)| role.arn == wanted.role_arn && role.visible <= world.now);
    let Some((account, role)) = role else {
        return Err(refused("sts:AssumeRole"));
    };
    let trust = serde_json::from_str(&role.trust).unwrap_or_default();
    let principal = Principal::caller(caller);
    let context = context(
        world,
        caller,
        &principal,
        wanted,
        source_identity.as_deref(),
    );
    let asks = |action: &str| {
        policy::decide(
            &trust,
            &Question {
                principal: Some(&principal),
                action,
                resource: None,
                context: &context,
            },
        ) == Decision::Allowed
    };
    if !asks("sts:AssumeRole") {
        return Err(refused("sts:AssumeRole"));
    }
    if source_identity.is_some() && !asks("sts:SetSourceIdentity") {
        return Err(refused("sts:SetSourceIdentity"));
    }
    if !wanted.tags.is_empty() && !asks("sts:TagSession") {
        return Err(refused("sts:TagSession"));
    }
    let seconds = wanted.seconds.unwrap_or(3_600);
    let chained = caller.arn.contains(":assumed-role/");
    if chained && seconds > 3_600 {
        return Err(ApiError::validation_error(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if seconds > i64::from(role.max_session) {
        return Err(ApiError::validation_error(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let (name, id) = (role.name.clone(), role.id.clone());
    let session = Session {
        arn: format!(
            "arn:aws:sts::{account}:assumed-role/{name}/{}",
            wanted.session_name
        ),
        account,
        user_id: format!("{id}:{}", wanted.session_name),
        token: format!("sandbox{}", world.ids.lower(48)),
        expires: later(world.now, SignedDuration::from_secs(seconds)),
        source_identity,
    };
    let access_key = format!("{ISSUED_PREFIX}{}", world.ids.upper(13));
    let secret = world.ids.lower(40);
    // Now and then is enough: looking through all of them for each new one is not.
    if world.sts.sessions.len().is_multiple_of(256) {
        let now = world.now;
        world
            .sts
            .sessions
            .retain(|_, session| later(session.expires, REMEMBERED) > now);
    }
    world
        .sts
        .sessions
        .insert(access_key.clone(), session.clone());
    Ok(Issued {
        access_key,
        secret,
        session,
    })
}

fn context(
    world: &World,
    caller: &Caller,
    principal: &Principal,
    wanted: &Wanted,
    source_identity: Option<&str>,
) -> Context {
    let mut context = Context::new([
        ("aws:PrincipalAccount", caller.account.0.clone()),
        ("sts:RoleSessionName", wanted.session_name.clone()),
    ]);
    if let Some(arn) = principal.principal_arn() {
        context.add("aws:PrincipalArn", arn);
    }
    world
        .organizations
        .add_principal_keys(&caller.account, &mut context);
    if let Some(external_id) = &wanted.external_id {
        context.add("sts:ExternalId", external_id.clone());
    }
    if let Some(identity) = source_identity {
        context.add("sts:SourceIdentity", identity);
        if caller.source_identity.is_some() {
            context.add("aws:SourceIdentity", identity);
        }
    }
    for (key, value) in &wanted.tags {
        context.add(&format!("aws:RequestTag/{key}"), value.clone());
        context.add("aws:TagKeys", key.clone());
    }
    context
}

fn check_form(wanted: &Wanted) -> Result<(), ApiError> {
    let letters = |extra: &'static str| {
        move |c: char| c.is_ascii_alphanumeric() || c == '_' || extra.contains(c)
    };
    let broken = |member: &str, value: &str, rule: &str| {
        Err(ApiError::validation_error(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
        )))
    };
    if wanted.role_arn.len() < 20 {
        return broken(
            "roleArn",
            &wanted.role_arn,
            "Member must have length greater than or equal to 20",
        );
    }
    if Arn::parse(&wanted.role_arn).is_none() {
        return Err(ApiError::validation_error(format!(
            "{} is invalid",
            wanted.role_arn
        )));
    }
    let name = &wanted.session_name;
    if !(2..=64).contains(&name.len()) || !name.chars().all(letters("+=,.@-")) {
        return broken(
            "roleSessionName",
            name,
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        );
    }
    if let Some(id) = &wanted.external_id
        && (!(2..=1_224).contains(&id.len()) || !id.chars().all(letters("+=,.@:/-")))
    {
        return broken(
            "externalId",
            id,
            "Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*",
        );
    }
    match wanted.seconds {
        Some(seconds) if seconds < 900 => broken(
            "durationSeconds",
            &seconds.to_string(),
            "Member must have value greater than or equal to 900",
        ),
        Some(seconds) if seconds > 43_200 => broken(
            "durationSeconds",
            &seconds.to_string(),
            "Member must have value less than or equal to 43200",
        ),
        _ => Ok(()),
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
