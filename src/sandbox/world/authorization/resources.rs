//! From a request to the resource that policies name (service authorization reference, "Resource types").

use serde_json::Value;

use crate::sandbox::{
    wire::{
        Parsed,
        input::{text, texts},
        parsed::Body,
        service::Service,
    },
    world::{Caller, Region},
};

/// The ARN of what the request is about; `*` where the action is about no single resource.
pub fn of(parsed: &Parsed, caller: &Caller, region: &Region) -> String {
    let named = match &parsed.body {
        Body::S3(request) => request.bucket.as_ref().map(|bucket| match &request.key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        }),
        Body::Shape(input) => in_shape(parsed.service, input, caller, region),
    };
    named.unwrap_or_else(|| "*".to_owned())
}

fn in_shape(service: Service, input: &Value, caller: &Caller, region: &Region) -> Option<String> {
    let account = &caller.account;
    let whole = |value: &str| value.starts_with("arn:").then(|| value.to_owned());
    match service {
        Service::CloudFormation => {
            if let Some(set) = text(input, "StackSetName") {
                return whole(set).or_else(|| {
                    Some(format!(
                        "arn:aws:cloudformation:{region}:{account}:stackset/{set}:*"
                    ))
                });
            }
            let stack = text(input, "StackName")?;
            whole(stack).or_else(|| {
                Some(format!(
                    "arn:aws:cloudformation:{region}:{account}:stack/{stack}/*"
                ))
            })
        }
        Service::Iam => text(input, "PolicyArn")
            .filter(|_| text(input, "RoleName").is_none() && text(input, "UserName").is_none())
            .map(str::to_owned)
            .or_else(|| {
                let (kind, name) = [
                    ("role", "RoleName"),
                    ("user", "UserName"),
                    ("policy", "PolicyName"),
                    ("instance-profile", "InstanceProfileName"),
                ]
                .into_iter()
                .find_map(|(kind, member)| Some((kind, text(input, member)?)))?;
                Some(format!("arn:aws:iam::{account}:{kind}/{name}"))
            }),
        Service::Kms => {
            let key = text(input, "KeyId").or_else(|| text(input, "TargetKeyId"))?;
            whole(key).or_else(|| {
                let resource = if key.starts_with("alias/") {
                    key.to_owned()
                } else {
                    format!("key/{key}")
                };
                Some(format!("arn:aws:kms:{region}:{account}:{resource}"))
            })
        }
        Service::Logs => {
            let group = text(input, "logGroupName")
                .or_else(|| text(input, "logGroupIdentifier"))
                .or_else(|| text(input, "resourceArn"))?;
            whole(group)
                .or_else(|| Some(format!("arn:aws:logs:{region}:{account}:log-group:{group}")))
        }
        Service::Monitoring => {
            let names = texts(input, "AlarmNames");
            let single = names.first().filter(|_| names.len() == 1);
            let name = text(input, "AlarmName").or(single.map(String::as_str))?;
            Some(format!(
                "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"
            ))
        }
        Service::Sqs => {
            let queue = text(input, "QueueUrl")
                .and_then(|url| url.rsplit('/').next())
                .or_else(|| text(input, "QueueName"))?;
            Some(format!("arn:aws:sqs:{region}:{account}:{queue}"))
        }
        Service::Sts => text(input, "RoleArn").map(str::to_owned),
        Service::Bedrock => {
            let guardrail = text(input, "guardrailIdentifier")?;
            whole(guardrail).or_else(|| {
                Some(format!(
                    "arn:aws:bedrock:{region}:{account}:guardrail/{guardrail}"
                ))
            })
        }
        Service::Account | Service::Organizations | Service::S3 => None,
    }
}
