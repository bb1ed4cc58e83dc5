//! STS over the wire.

use serde_json::{Value, json};

use super::assume::{self, Wanted};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{integer, required, tags, text},
        service::Service,
    },
    world::{ApiError, Call, World, time::iso_seconds},
};

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(json!({
            "UserId": user_id(world, call),
            "Account": call.caller.account,
            "Arn": call.caller.arn,
        })),
        "AssumeRole" => {
            let issued = assume::assume(
                world,
                &call.caller,
                &Wanted {
                    role_arn: required(input, "RoleArn")?.to_owned(),
                    session_name: required(input, "RoleSessionName")?.to_owned(),
                    seconds: integer(input, "DurationSeconds"),
                    external_id: text(input, "ExternalId").map(str::to_owned),
                    source_identity: text(input, "SourceIdentity").map(str::to_owned),
                    tags: tags(input, "Tags"),
                },
            )?;
            let session = issued.session;
            let mut output = json!({
                "Credentials": {
                    "AccessKeyId": issued.access_key,
                    "SecretAccessKey": issued.secret,
                    "SessionToken": session.token,
                    "Expiration": iso_seconds(session.expires),
                },
                "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
            });
            if let (Some(identity), Some(members)) =
                (session.source_identity, output.as_object_mut())
            {
                members.insert("SourceIdentity".to_owned(), Value::from(identity));
            }
            Ok(output)
        }
        other => Err(no_such_operation(Service::Sts, other)),
    }
}

fn user_id(world: &World, call: &Call) -> String {
    let session = world
        .sts
        .sessions
        .values()
        .find(|session| session.arn == call.caller.arn);
    if let Some(session) = session {
        return session.user_id.clone();
    }
    let name = call.caller.arn.rsplit('/').next().unwrap_or_default();
    world
        .accounts
        .get(&call.caller.account)
        .and_then(|held| held.iam.users.get(name))
        .map_or_else(|| call.caller.account.0.clone(), |user| user.id.clone())
}
