//! Accounts that arrive, move and leave, from the command line: boto3 changes the organization, `bedrail` follows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::aws::ask;
use crate::support::bedrail::Bedrail;
use crate::support::process::{Background, Outcome};
use crate::support::project::Project;
use crate::support::servers::Server;

const LIMIT: Duration = Duration::from_secs(120);

/// Python that makes accounts in units, with the root as the place where they are born.
const HELPERS: &str = "
def create(name, unit):
    organizations = aws.client('organizations')
    status = organizations.create_account(Email=f'{name}@example.com', AccountName=name)['CreateAccountStatus']
    while status['State'] == 'IN_PROGRESS':
        time.sleep(0.05)
        status = organizations.describe_create_account_status(CreateAccountRequestId=status['Id'])['CreateAccountStatus']
    organizations.move_account(AccountId=status['AccountId'], SourceParentId=aws.root, DestinationParentId=aws.units[unit])
    return status['AccountId']

def of(unit):
    rows = aws.client('organizations').list_accounts_for_parent(ParentId=aws.units[unit])['Accounts']
    return sorted(row['Id'] for row in rows if row['Status'] == 'ACTIVE')

def instances(component, environment):
    cloudformation = aws.client('cloudformation')
    pages = cloudformation.get_paginator('list_stack_instances').paginate(StackSetName=f'bedrail-bedrock-governance-{component}-{environment}')
    return sorted((row['Account'], row['Region'], row['Status'], row['StackId']) for page in pages for row in page['Summaries'])
";

fn python(server: &Server, lines: &str) -> Value {
    ask(server, &format!("{HELPERS}\n{}", dedent(lines)))
}

fn dedent(lines: &str) -> String {
    lines
        .lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The shipped rollout on an organization whose operations take no time, applied.
fn rolled_out() -> (Project, Server) {
    let project = Project::shipped();
    project.expect(
        0,
        ["sandbox", "seed", "--accounts", "9", "--latency", "none"],
    );
    project.expect(0, ["apply", "--sandbox", "--yes", "--no-progress"]);
    let server = Server::sandbox(project.path());
    (project, server)
}

/// Whether a text stands in the result, however its lines are broken.
#[track_caller]
fn says(outcome: &Outcome, text: &str) {
    let words: Vec<&str> = outcome.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains(text), "{}", outcome.transcript());
}

fn has_converged(project: &Project) {
    project
        .expect(0, ["plan", "--sandbox", "--detailed-exitcode"])
        .mentions("No changes");
}

/// A7, S10, S11: what arrives gets what is live in its environment, not what the files say by now.
#[test]
fn an_account_that_is_created_and_moved_gets_the_live_values_of_its_environment() {
    let (project, server) = rolled_out();
    project
        .expect(0, ["onboard", "--sandbox", "--yes"])
        .mentions("nobody has arrived");
    let account = python(&server, "answer = create('dev-new', 'Workloads/Dev')");
    let account = account.as_str().unwrap();
    // An unreviewed change in the files is nobody's business here.
    project.replace(
        "environments/dev.yaml",
        "\n  LogRetentionDays: 30",
        "\n  LogRetentionDays: 60",
    );
    let outcome = project.expect(0, ["onboard", "--sandbox", "--yes", "--no-progress", "-v"]);
    // Beyond the lists, calls are made for who has arrived.
    assert!(
        !outcome.stderr.contains(" DescribeStackInstance\n"),
        "{}",
        outcome.transcript()
    );
    says(&outcome, "the accounts have arrived");
    says(&outcome, "accounts that arrive get what is live");
    project
        .expect(0, ["onboard", "--sandbox", "--yes"])
        .mentions("nobody has arrived");
    let rows = python(&server, "answer = instances('invocation-logging', 'dev')");
    let own: Vec<&Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row[0] == account)
        .collect();
    assert_eq!(own.len(), 2, "{rows}");
    assert!(own.iter().all(|row| row[2] == "CURRENT"), "{rows}");
    let plan = project
        .bedrail(["plan", "--sandbox", "--format", "json"])
        .run()
        .expect_code(0)
        .json();
    let steps = plan["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step["component"] == "invocation-logging"),
        "only the change in the files is left: {plan}"
    );
    project.replace(
        "environments/dev.yaml",
        "\n  LogRetentionDays: 60",
        "\n  LogRetentionDays: 30",
    );
    has_converged(&project);
}

#[test]
fn fifty_accounts_at_once_become_governed_in_one_run() {
    let (project, server) = rolled_out();
    let count = python(
        &server,
        "answer = len([create(f'burst-{n}', 'Workloads/Prod') for n in range(50)])",
    );
    assert_eq!(count, 50);
    let outcome = project.expect(0, ["onboard", "--sandbox", "--yes", "--format", "json"]);
    assert_eq!(outcome.run_finished()["outcome"], "converged");
    has_converged(&project);
}

/// E30, E44, E45: a move keeps stacks, and what they hold, and takes the new environment's values.
#[test]
fn an_account_that_moves_keeps_its_stacks_and_gets_the_values_of_its_new_environment() {
    let (project, server) = rolled_out();
    let before = python(
        &server,
        "
        moving = of('Workloads/Dev')[0]
        answer = [row for row in instances('invocation-logging', 'dev') if row[0] == moving]
        aws.client('organizations').move_account(AccountId=moving, SourceParentId=aws.units['Workloads/Dev'], DestinationParentId=aws.units['Workloads/Staging'])",
    );
    project
        .expect(0, ["plan", "--sandbox"])
        .mentions("hands its stacks over");
    let outcome = project.expect(0, ["onboard", "--sandbox", "--yes", "--no-progress"]);
    says(&outcome, "moved from dev to staging");
    says(&outcome, "gains deny-global-inference, require-guardrail");
    says(&outcome, "parameters.LogRetentionDays");
    let moved = before[0][0].as_str().unwrap();
    let after = python(
        &server,
        &format!(
            "answer = [row for row in instances('invocation-logging', 'staging') if row[0] == {moved:?}]"
        ),
    );
    assert_eq!(before, after, "the same stacks, current");
    has_converged(&project);
}

/// S10: while a rollout is open nobody gets what was not promoted; with the next apply they join the last wave.
#[test]
fn an_account_that_arrives_while_a_rollout_is_open_waits_for_it() {
    let project = Project::shipped();
    project.expect(
        0,
        ["sandbox", "seed", "--accounts", "9", "--latency", "none"],
    );
    project.expect(0, ["apply", "--sandbox", "--yes", "--no-progress"]);
    project.replace(
        "environments/prod.yaml",
        "\n  LogRetentionDays: 2557",
        "\n  LogRetentionDays: 3653",
    );
    // Waves of prod wait for an approval: the run pauses.
    let paused = project
        .bedrail(["apply", "--sandbox", "--yes", "--no-progress"])
        .run()
        .expect_code(130);
    let server = Server::sandbox(project.path());
    python(&server, "answer = create('prod-new', 'Workloads/Prod')");
    project
        .expect(0, ["onboard", "--sandbox", "--yes"])
        .mentions("waits for the rollout of prod that is open");
    let run = paused.paused_run();
    drop(run);
    let rows = python(
        &server,
        "answer = [row for row in instances('guardrail', 'prod') if row[0] not in aws.accounts.values()]",
    );
    assert_eq!(rows, json!([]));
}

/// S17, S25: everything goes but what holds data, and a second time there is nothing to call.
#[test]
fn destroy_takes_everything_out_but_data_and_a_second_one_changes_nothing() {
    let (project, server) = rolled_out();
    project
        .expect(1, ["destroy", "--sandbox", "--yes"])
        .mentions("--organization-id");
    project
        .bedrail([
            "destroy",
            "--sandbox",
            "--yes",
            "--organization-id",
            "o-someoneelse1",
        ])
        .run()
        .expect_code(1);
    let id = python(&server, "answer = aws.organization['Id']");
    let id = id.as_str().unwrap().to_owned();
    project
        .bedrail([
            "destroy",
            "--sandbox",
            "--yes",
            "--no-progress",
            "--organization-id",
            &id,
        ])
        .run()
        .expect_code(0)
        .mentions("AWS::S3::Bucket")
        .mentions("nothing of rollout bedrock-governance is left");
    let left = python(
        &server,
        "
        sets = aws.client('cloudformation').list_stack_sets(Status='ACTIVE')['Summaries']
        policies = aws.client('organizations').list_policies(Filter='SERVICE_CONTROL_POLICY')['Policies']
        stacks = aws.client('cloudformation').describe_stacks()['Stacks']
        answer = [sets, [policy['Name'] for policy in policies], stacks]",
    );
    assert_eq!(left, json!([[], ["FullAWSAccess"], []]));
    let again = project
        .bedrail([
            "destroy",
            "--sandbox",
            "--yes",
            "-v",
            "--organization-id",
            &id,
        ])
        .run()
        .expect_code(0);
    again.mentions("nothing of rollout bedrock-governance is left");
    for changing in ["Delete", "Detach", "Attach", "Put", "Update"] {
        assert!(
            !again.stderr.contains(&format!(" {changing}")),
            "{}",
            again.transcript()
        );
    }
}

#[test]
fn an_account_that_is_taken_out_has_nothing_of_the_rollout_but_what_holds_data() {
    let (project, server) = rolled_out();
    let leaving = python(&server, "answer = of('Workloads/Dev')[1]");
    let leaving = leaving.as_str().unwrap();
    project
        .expect(1, ["offboard", "ai-hub", "--sandbox", "--yes"])
        .mentions("others may depend on it");
    project
        .expect(
            0,
            ["offboard", leaving, "--sandbox", "--yes", "--no-progress"],
        )
        .mentions("switch invocation logging off")
        .mentions("goes on to")
        .mentions("nothing of account")
        .mentions("the next apply or onboard brings it back");
    let left = python(
        &server,
        &format!(
            "answer = [row for name in ['deployer-role', 'alarms', 'invocation-logging'] for row in instances(name, 'dev') if row[0] == {leaving:?}]"
        ),
    );
    assert_eq!(left, json!([]));
    project
        .expect(0, ["offboard", leaving, "--sandbox", "--yes"])
        .mentions("nothing of account");
}

/// S18: an organization that seems to have lost its accounts loses nothing.
#[test]
fn nothing_is_taken_away_when_many_accounts_seem_to_have_left() {
    let (project, server) = rolled_out();
    python(
        &server,
        "
        organizations = aws.client('organizations')
        for account in of('Workloads/Prod')[:2]:
            organizations.move_account(AccountId=account, SourceParentId=aws.units['Workloads/Prod'], DestinationParentId=aws.root)
        answer = True",
    );
    project
        .expect(4, ["plan", "--sandbox"])
        .mentions("may in one run")
        .mentions("--max-leaving 2");
    project.expect(0, ["plan", "--sandbox", "--max-leaving", "2"]);
}

/// F34, E36–E42: a suspended account is out of scope, and is let go of on request only.
#[test]
fn a_suspended_account_is_left_alone_until_somebody_lets_go_of_it() {
    let (project, server) = rolled_out();
    let closed = python(
        &server,
        "
        answer = of('Workloads/Dev')[0]
        aws.client('organizations').close_account(AccountId=answer)",
    );
    let closed = closed.as_str().unwrap();
    project
        .expect(0, ["plan", "--sandbox", "--detailed-exitcode"])
        .mentions("stays, since the account is")
        .mentions("--retain-stacks");
    project
        .expect(
            3,
            ["offboard", closed, "--sandbox", "--yes", "--no-progress"],
        )
        .mentions("lets go of it and leaves the stack");
    project
        .bedrail([
            "offboard",
            closed,
            "--sandbox",
            "--yes",
            "--no-progress",
            "--retain-stacks",
        ])
        .run()
        .expect_code(0)
        .mentions("nothing of account");
    has_converged(&project);
}

/// The shipped rollout with the template that brings events to a queue, and a watcher on that queue.
fn watched(every: &str) -> (Project, Server, Background, String) {
    let project = Project::shipped();
    let text = project.read("rollout.yaml");
    let offered = text
        .split("# Phase hub:\n")
        .nth(1)
        .and_then(|rest| rest.split("#\n").next())
        .expect("the rollout offers the events");
    let component: String = offered
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    project.write(
        "rollout.yaml",
        &text.replacen("  # Phase 3:", &format!("{component}\n  # Phase 3:"), 1),
    );
    project.expect(
        0,
        ["sandbox", "seed", "--accounts", "9", "--latency", "none"],
    );
    project.expect(0, ["apply", "--sandbox", "--yes", "--no-progress"]);
    let server = Server::sandbox(project.path());
    let queue = python(
        &server,
        "
        sqs = aws.client('sqs')
        answer = sqs.get_queue_url(QueueName='bedrail-onboarding')['QueueUrl']
        sqs.set_queue_attributes(QueueUrl=answer, Attributes={'VisibilityTimeout': '1'})",
    );
    let queue = queue.as_str().unwrap().to_owned();
    let watcher = Bedrail::within(project.path())
        .args([
            "onboard",
            "--watch",
            "--sandbox",
            "--yes",
            "--format",
            "json",
            "--queue",
            &queue,
            "--every",
            every,
            "--health",
            "127.0.0.1:0",
        ])
        .start();
    (project, server, watcher, queue)
}

/// Events wake it, three times the same is once, what cannot be read is kept, and SIGTERM ends it.
#[test]
fn a_watcher_follows_events_and_keeps_what_it_cannot_read() {
    let (project, server, watcher, queue) = watched("1h");
    let health = watcher.after("\"health\":\"", LIMIT);
    let health = health.split('"').next().unwrap().to_owned();
    watcher.after("\"event\":\"looked\"", LIMIT);
    python(
        &server,
        &format!(
            "
        import urllib.request
        with urllib.request.urlopen({health:?}) as reply:
            assert json.load(reply)['status'] == 'ok'
        account = create('dev-watched', 'Workloads/Dev')
        event = json.dumps({{'source': 'aws.organizations', 'detail-type': 'AWS API Call via CloudTrail', 'detail': {{'eventSource': 'organizations.amazonaws.com', 'eventName': 'MoveAccount', 'requestParameters': {{'accountId': account}}}}}})
        sqs = aws.client('sqs')
        for body in ['no event', event, event]:
            sqs.send_message(QueueUrl={queue:?}, MessageBody=body)
        answer = account"
        ),
    );
    watcher.after("\"onboarded\":1", LIMIT);
    has_converged(&project);
    let kept = python(
        &server,
        "
        sqs = aws.client('sqs')
        dead = sqs.get_queue_url(QueueName='bedrail-onboarding-unread')['QueueUrl']
        for _ in range(100):
            found = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1).get('Messages', [])
            if found:
                break
        answer = [message['Body'] for message in found]",
    );
    assert_eq!(kept, json!(["no event"]));
    watcher.signal("TERM");
    assert_eq!(watcher.end(LIMIT), Some(0));
}

/// An event that is lost delays nothing for longer than the schedule.
#[test]
fn a_watcher_finds_what_no_event_told_it() {
    let (project, server, watcher, queue) = watched("2s");
    watcher.after("\"event\":\"looked\"", LIMIT);
    python(
        &server,
        &format!("
        aws.client('sqs').set_queue_attributes(QueueUrl={queue:?}, Attributes={{'DelaySeconds': '900'}})
        answer = create('staging-lost', 'Workloads/Staging')"),
    );
    watcher.after("\"onboarded\":1", LIMIT);
    watcher.signal("TERM");
    assert_eq!(watcher.end(LIMIT), Some(0));
    has_converged(&project);
}
