//! What is in the way, and whether a tired person is told what, where and what to do about it.

use crate::support::aws;
use crate::support::project::Project;
use crate::support::servers::{Server, any_keys};

/// One mistake in the files: where, what is written instead, and what the message must name.
struct Mistake {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    named: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        file: "rollout.yaml",
        right: "homeRegion: us-east-1",
        wrong: "homeRegion: us-east-11",
        named: &["rollout.yaml", "us-east-11"],
    },
    Mistake {
        file: "rollout.yaml",
        right: "callAs: SELF",
        wrong: "callAss: SELF",
        named: &["rollout.yaml", "callAss", "callAs"],
    },
    Mistake {
        file: "rollout.yaml",
        right: "template: templates/hub/central-monitoring.yaml",
        wrong: "template: ../templates/hub/central-monitoring.yaml",
        named: &["rollout.yaml", "../templates/hub/central-monitoring.yaml"],
    },
    Mistake {
        file: "rollout.yaml",
        right: "${stack.central-monitoring.outputs.LogDestinationArn}",
        wrong: "${stack.central-monitoring.outputs.LogDestinationArm}",
        named: &["rollout.yaml", "LogDestinationArm", "LogDestinationArn"],
    },
    Mistake {
        file: "environments/dev.yaml",
        right: "LogRetentionDays: 30",
        wrong: "LogRetentionDays: 31",
        named: &["environments/dev.yaml", "31", "LogRetentionDays"],
    },
    Mistake {
        file: "environments/dev.yaml",
        right: "ObjectLockMode: none",
        wrong: "ObjectLockModus: none",
        named: &["environments/dev.yaml", "ObjectLockModus", "ObjectLockMode"],
    },
    Mistake {
        file: "environments/prod.yaml",
        right: "after: [staging]",
        wrong: "after: [stagging]",
        named: &["environments/prod.yaml", "stagging", "staging"],
    },
    Mistake {
        file: "environments/prod.yaml",
        right: "organizationalUnits: [Workloads/Prod]",
        wrong: "accounts: [530000000001]",
        named: &["environments/prod.yaml", "\"530000000001\""],
    },
];

#[test]
fn every_mistake_in_the_files_is_named_with_its_line() {
    for mistake in MISTAKES {
        let project = Project::shipped();
        project.replace(mistake.file, mistake.right, mistake.wrong);
        let outcome = project.expect(1, ["validate"]);
        for name in mistake.named {
            outcome.mentions(name);
        }
        let line = 1 + project
            .read(mistake.file)
            .lines()
            .position(|line| line.contains(mistake.wrong))
            .expect("the mistake is in the file");
        outcome.mentions(&format!("{}:{line}", mistake.file));
    }
}

/// Makes the mistakes whose wrong text is in `chosen`, and expects all of them in one run.
fn all_at_once(chosen: &[&str]) {
    let project = Project::shipped();
    let made: Vec<&Mistake> = MISTAKES
        .iter()
        .filter(|mistake| chosen.iter().any(|text| mistake.wrong.contains(text)))
        .collect();
    assert_eq!(made.len(), chosen.len());
    for mistake in &made {
        project.replace(mistake.file, mistake.right, mistake.wrong);
    }
    let outcome = project.expect(1, ["validate"]);
    for name in made.iter().flat_map(|mistake| mistake.named) {
        outcome.mentions(name);
    }
}

#[test]
fn all_mistakes_of_form_are_named_in_one_run() {
    all_at_once(&["us-east-11", "callAss", "[530000000001]"]);
}

#[test]
fn all_mistakes_of_meaning_are_named_in_one_run() {
    all_at_once(&[
        "LogDestinationArm",
        "LogRetentionDays: 31",
        "ObjectLockModus",
        "stagging",
    ]);
}

#[test]
fn an_unquoted_account_id_that_yaml_reads_as_a_number_is_named_with_the_fix() {
    let project = Project::shipped();
    project.replace(
        "rollout.yaml",
        "hub: { name: ai-hub }",
        "hub: { id: 012345678901 }",
    );
    project
        .expect(1, ["validate"])
        .mentions("012345678901")
        .mentions("\"012345678901\"");
}

#[test]
fn a_policy_over_the_limit_is_refused_before_anything_is_changed() {
    let project = Project::shipped();
    let many: Vec<String> = (0..400)
        .map(|n| format!("\"vendor.model-{n:04}-*\""))
        .collect();
    project.replace(
        "environments/staging.yaml",
        "- \"amazon.nova-*\"",
        &format!("- {}", many.join("\n    - ")),
    );
    project
        .expect(1, ["plan", "--sandbox"])
        .mentions("approved-models")
        .mentions("staging")
        .mentions("10240");
}

#[test]
fn another_organization_than_the_pinned_one_is_refused() {
    let project = Project::shipped();
    project.replace("rollout.yaml", "# id: o-exampleorg1", "id: o-anotherorg99");
    project
        .expect(4, ["plan", "--sandbox"])
        .mentions("o-anotherorg99")
        .mentions("o-exampleorg1");
}

#[test]
fn without_credentials_the_ways_to_give_them_are_named() {
    let project = Project::shipped();
    project.expect(1, ["plan"]).mentions("credentials");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let project = Project::shipped();
    project
        .bedrail(["plan"])
        .against("http://127.0.0.1:9", &any_keys())
        .run()
        .expect_code(1)
        .mentions("http://127.0.0.1:9");
}

#[test]
fn a_unit_that_is_not_there_is_named() {
    let project = Project::shipped();
    project.replace(
        "environments/prod.yaml",
        "[Workloads/Prod]",
        "[Workloads/Production]",
    );
    project
        .expect(1, ["plan", "--sandbox"])
        .mentions("Workloads/Production")
        .mentions("Workloads/Prod");
}

#[test]
fn a_stack_set_of_that_name_that_is_not_ours_is_left_alone() {
    let project = Project::shipped();
    let server = Server::sandbox(project.path());
    aws::ask(
        &server,
        "aws.client('cloudformation').activate_organizations_access()
         body = 'Resources: {Group: {Type: \"AWS::Logs::LogGroup\"}}'
         aws.client('cloudformation').create_stack_set(
             StackSetName='bedrail-bedrock-governance-deployer-role-dev', TemplateBody=body, PermissionModel='SERVICE_MANAGED',
             AutoDeployment={'Enabled': False})
         answer = None",
    );
    drop(server);
    project
        .expect(4, ["apply", "--sandbox", "--yes"])
        .mentions("bedrail-bedrock-governance-deployer-role-dev");
}

#[test]
fn a_foreign_logging_configuration_is_a_conflict_until_it_is_declared_otherwise() {
    let project = Project::shipped();
    let server = Server::sandbox(project.path());
    aws::ask(
        &server,
        "import json
         account = aws.accounts['dev-1']
         s3 = aws.client('s3', 'dev-1')
         s3.create_bucket(Bucket='somebody-elses')
         s3.put_bucket_policy(Bucket='somebody-elses', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{
             'Effect': 'Allow', 'Principal': {'Service': 'bedrock.amazonaws.com'}, 'Action': 's3:PutObject',
             'Resource': f'arn:aws:s3:::somebody-elses/AWSLogs/{account}/BedrockModelInvocationLogs/*'}]}))
         aws.client('bedrock', 'dev-1').put_model_invocation_logging_configuration(
             loggingConfig={'s3Config': {'bucketName': 'somebody-elses'}})
         answer = None",
    );
    drop(server);
    let refused = project.bedrail(["apply", "--sandbox", "--yes"]).run();
    assert!(
        matches!(refused.code, Some(3 | 4)),
        "{}",
        refused.transcript()
    );
    refused.mentions("510000000001").mentions("somebody-elses");
    project
        .bedrail(["plan", "--sandbox"])
        .run()
        .mentions("somebody-elses")
        .mentions("foreign");

    let text = project.read("rollout.yaml");
    project.write(
        "rollout.yaml",
        &text.replacen("foreign: refuse", "foreign: replace", 1),
    );
    project.expect(0, ["apply", "--sandbox", "--yes"]);
}

#[test]
fn an_account_that_cannot_be_entered_fails_alone() {
    let project = Project::shipped();
    // The seal would keep anybody from breaking what is broken here.
    project.remove_item("rollout.yaml", "protect-invocation-logging");
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    let server = Server::sandbox(project.path());
    // The way in is closed in one account, and logging is switched off there and in another one.
    aws::ask(
        &server,
        "for account in ('dev-1', 'dev-2'):
             aws.client('bedrock', account).delete_model_invocation_logging_configuration()
         iam = aws.client('iam', 'dev-1')
         for policy in iam.list_role_policies(RoleName='bedrail-deployer')['PolicyNames']:
             iam.delete_role_policy(RoleName='bedrail-deployer', PolicyName=policy)
         iam.delete_role(RoleName='bedrail-deployer')
         answer = None",
    );
    drop(server);
    let run = project.expect(3, ["apply", "--sandbox", "--yes", "--format", "json"]);
    let finished = run.run_finished();
    assert_eq!(finished["outcome"], "partial", "{}", run.transcript());
    for failure in finished["failures"].as_array().expect("failures") {
        assert_eq!(failure["account"], "510000000001", "{}", run.transcript());
        assert!(
            failure["next"]
                .as_str()
                .is_some_and(|next| !next.is_empty())
        );
    }
    run.mentions("bedrail-deployer");
}

#[test]
fn a_failed_account_is_one_row_and_holds_up_nobody_else() {
    let project = Project::shipped();
    let server = Server::sandbox(project.path());
    // The log group that the member's stack wants to make is there already.
    aws::ask(
        &server,
        "aws.client('logs', 'dev-2').create_log_group(logGroupName='/aws/bedrock/model-invocation-logs')
         answer = None",
    );
    drop(server);
    let run = project.expect(3, ["apply", "--sandbox", "--yes", "--format", "json"]);
    let finished = run.run_finished();
    assert_eq!(finished["outcome"], "partial", "{}", run.transcript());
    let failures = finished["failures"].as_array().expect("failures").clone();
    assert!(
        failures
            .iter()
            .any(|failure| failure["account"] == "510000000002"
                && failure["component"] == "invocation-logging"
                && failure["message"]
                    .as_str()
                    .is_some_and(|message| message.contains("already exists"))),
        "{}",
        run.transcript()
    );
}

#[test]
fn a_hub_stack_that_was_rolled_back_is_named_with_the_way_out() {
    let project = Project::shipped();
    let server = Server::sandbox(project.path());
    aws::ask(
        &server,
        "aws.client('logs', 'ai-hub').create_log_group(logGroupName='/taken')
         body = 'Resources: {Group: {Type: \"AWS::Logs::LogGroup\", Properties: {LogGroupName: /taken}}}'
         cloudformation = aws.client('cloudformation', 'ai-hub')
         cloudformation.create_stack(StackName='bedrail-bedrock-governance-central-monitoring', TemplateBody=body, Tags=[
             {'Key': 'bedrail:rollout', 'Value': 'bedrock-governance'}, {'Key': 'bedrail:component', 'Value': 'central-monitoring'}])
         def status():
             stack = cloudformation.describe_stacks(StackName='bedrail-bedrock-governance-central-monitoring')['Stacks'][0]
             return stack['StackStatus'] == 'ROLLBACK_COMPLETE'
         eventually(status, 30)
         answer = None",
    );
    drop(server);
    let run = project.bedrail(["apply", "--sandbox", "--yes"]).run();
    run.mentions("central-monitoring");
    run.mentions("ROLLBACK_COMPLETE");
}

#[test]
fn more_units_than_one_call_takes_are_reached_all_the_same() {
    let project = Project::shipped();
    let units: Vec<String> = (0..60)
        .map(|n| format!("Workloads/Dev/Team{n:02}"))
        .collect();
    let mut all = vec![
        "Security".to_owned(),
        "Security/BreakGlass".to_owned(),
        "Infrastructure".to_owned(),
        "Workloads".to_owned(),
        "Workloads/Dev".to_owned(),
        "Workloads/Staging".to_owned(),
        "Workloads/Prod".to_owned(),
    ];
    all.extend(units.iter().cloned());
    project.write("units.txt", &(all.join("\n") + "\n"));
    project.expect(
        0,
        [
            "sandbox",
            "seed",
            "--accounts",
            "62",
            "--organizational-units",
            "units.txt",
            "--latency",
            "none",
        ],
    );
    project.replace(
        "environments/dev.yaml",
        "organizationalUnits: [Workloads/Dev]",
        &format!("organizationalUnits: [{}]", units.join(", ")),
    );
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}
