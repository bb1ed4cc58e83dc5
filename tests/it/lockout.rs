//! The lock-out guard as people meet it: on the command line, before anything is done.

use crate::support::project::Project;

/// Named scenario 7: a Region condition with NotAction denies the deployer its own sessions (E80, F55). Refused
/// with exit code 4 by every command that would do it, and with the way out.
#[test]
fn a_policy_that_denies_the_deployer_its_sessions_is_refused_on_the_command_line() {
    let project = Project::shipped();
    project.replace(
        "templates/policies/approved-models.json",
        "\"Statement\": [",
        r#""Statement": [ {
      "Sid": "OnlyFrankfurt",
      "Effect": "Deny",
      "NotAction": ["bedrock:*", "cloudformation:*", "events:*", "iam:*", "kms:*", "logs:*", "s3:*"],
      "Resource": "*",
      "Condition": { "StringNotEquals": { "aws:RequestedRegion": "eu-central-1" } }
    },"#,
    );
    for command in ["plan", "apply"] {
        let outcome = match command {
            "plan" => project.expect(4, ["plan", "--sandbox"]),
            _ => project.expect(4, ["apply", "--sandbox", "--yes"]),
        };
        for part in [
            "E1108",
            "the deployer's role bedrail-deployer would be denied sts:AssumeRole",
            "in account dev-1 (510000000001) and 2 more accounts",
            "denied by the statement OnlyFrankfurt of bedrail-bedrock-governance-approved-models-dev",
            "except it in the statement OnlyFrankfurt with the condition ArnNotLike",
            "refused",
            "nothing was changed",
        ] {
            outcome.mentions(part);
        }
    }
    // With the way out taken the same document goes through.
    project.replace(
        "templates/policies/approved-models.json",
        r#"{ "StringNotEquals": { "aws:RequestedRegion": "eu-central-1" } }"#,
        r#"{ "StringNotEquals": { "aws:RequestedRegion": "eu-central-1" }, "ArnNotLike": { "aws:PrincipalArn": [
          "arn:aws:iam::*:role/${organization.deployerRole}", "arn:aws:iam::*:role/stacksets-exec-*",
          "arn:aws:iam::*:role/${parameters.BreakGlassRoles}"] } }"#,
    );
    project.expect(0, ["plan", "--sandbox"]);
}
