//! Plans and runs to show, for the tests of this folder.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::apply::event::{
    Event, Failure, FailureClass, PhaseSize, RunOutcome, RunSummary, StepOutcome, What,
};
use crate::ids::{AccountId, Region};
use crate::plan::model::{EnvironmentOrder, WorstCase};
use crate::plan::{
    Action, Estimate, FieldChange, Note, NoteKind, Plan, PlannedGate, PlannedWave, Shown, Step,
    StepId, Summary, Target,
};
use crate::resources::{Change, Kind, organization_access};

pub const EAST: &str = "us-east-1";
pub const WEST: &str = "eu-west-1";

/// The one place that has to know what a kind sends: none of it is shown.
fn change() -> Change {
    Change::OrganizationAccess(organization_access::change::Change::ActivateStackSets)
}

pub fn account(n: usize) -> AccountId {
    format!("{:012}", 100_000_000_000 + n).parse().unwrap()
}

pub fn region(code: &str) -> Region {
    code.parse().unwrap()
}

pub fn text(text: &str) -> Option<Shown> {
    Some(Shown::Text(text.to_owned()))
}

pub fn later(producer: &str) -> Option<Shown> {
    Some(Shown::KnownAfterApply(producer.to_owned()))
}

pub fn field(path: &str, before: Option<Shown>, after: Option<Shown>) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        before,
        after,
    }
}

pub fn targets(accounts: impl IntoIterator<Item = usize>, regions: &[&str]) -> Vec<Target> {
    accounts
        .into_iter()
        .flat_map(|n| {
            regions.iter().map(move |code| Target {
                account: account(n),
                region: region(code),
            })
        })
        .collect()
}

/// Puts steps, notes and names together to a plan.
pub struct PlanBuilder(pub Plan);

impl PlanBuilder {
    pub fn new(accounts: usize) -> Self {
        let names = (0..accounts).map(|n| (account(n), format!("app-{n:03}")));
        Self(Plan {
            version: 1,
            tool: "0.1.0".to_owned(),
            rollout: "bedrock-governance".to_owned(),
            organization: "o-exampleorg1".parse().unwrap(),
            management_account: account(999),
            config_digest: "c".repeat(64),
            snapshot_digest: "5".repeat(64),
            digest: "4f0c2d1e9ab3".repeat(5) + "4f0c",
            summary: Summary::default(),
            estimate: Estimate::default(),
            phases: ["management", "hub", "members", "logging", "seal"]
                .map(str::to_owned)
                .to_vec(),
            environments: BTreeMap::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            account_names: names.collect(),
            parents: BTreeMap::new(),
            blobs: BTreeMap::new(),
        })
    }

    pub fn environment(mut self, name: &str, accounts: usize, after: &[&str]) -> Self {
        let order = EnvironmentOrder {
            accounts,
            regions: vec![region(EAST), region(WEST)],
            rolls_back: false,
            after: after.iter().map(|name| (*name).to_owned()).collect(),
            waves: Vec::new(),
        };
        self.0.environments.insert(name.to_owned(), order);
        self
    }

    pub fn name(mut self, account: AccountId, name: &str) -> Self {
        self.0.account_names.insert(account, name.to_owned());
        self
    }

    pub fn unchanged(mut self, targets: usize) -> Self {
        self.0.summary.unchanged = targets;
        self
    }

    pub fn note(mut self, kind: NoteKind, account: Option<usize>, text: &str) -> Self {
        self.0.notes.push(Note {
            kind,
            component: None,
            environment: None,
            account: account.map(self::account),
            region: None,
            text: text.to_owned(),
        });
        self
    }

    pub fn step(mut self, step: Step) -> Self {
        let count = match step.action {
            Action::Create => &mut self.0.summary.create,
            Action::Update => &mut self.0.summary.update,
            Action::Delete => &mut self.0.summary.delete,
        };
        *count += step.targets.len().max(1);
        self.0.steps.push(step);
        self
    }

    pub fn steps(self, steps: impl IntoIterator<Item = Step>) -> Self {
        steps.into_iter().fold(self, Self::step)
    }

    pub fn build(self) -> Plan {
        self.0
    }
}

/// A change that reaches 1, 74 and 225 accounts of prod, one after the other.
pub fn waves_plan() -> Plan {
    let parts = [("canary", 0..1), ("early", 1..75), ("rest", 75..300)];
    let mut builder = PlanBuilder::new(300)
        .name(account(900), "ai-hub")
        .environment("prod", 300, &["staging"]);
    let waves = parts.clone().map(|(name, accounts)| {
        let changed = accounts.len();
        let large = changed > 1;
        PlannedWave {
            name: name.to_owned(),
            accounts: accounts.map(account).collect(),
            changed,
            regions: vec![region(EAST), region(WEST)],
            max_concurrent: if large { 25 } else { 1 },
            effective_concurrency: if large { 4 } else { 1 },
            failure_tolerance: if large { 3 } else { 0 },
            soft: false,
            worst_case_failures: WorstCase {
                per_region: if large { 4 } else { 1 },
                total: if large { 7 } else { 1 },
            },
            bake: if name == "rest" { 0 } else { 1800 },
            gate: match name {
                "canary" => Some(PlannedGate::Alarm {
                    name: "bedrail-delivery-fails".to_owned(),
                    accounts: vec![account(900)],
                    region: region(EAST),
                }),
                "early" => Some(PlannedGate::Command {
                    program: vec!["check-canary".to_owned(), "--strict".to_owned()],
                    timeout: 300,
                }),
                _ => None,
            },
            approval: (name == "rest").then(|| "the plan reaches 300 accounts, over 50".to_owned()),
            estimate: Estimate {
                least: if large { 80 * changed as u64 } else { 1880 },
                most: if large { 170 * changed as u64 } else { 1970 },
            },
        }
    });
    if let Some(order) = builder.0.environments.get_mut("prod") {
        order.waves = waves.to_vec();
    }
    builder.0.estimate = Estimate {
        least: 25_820,
        most: 52_800,
    };
    for (wave, accounts) in parts {
        let mut step = step(
            "members/invocation-logging/prod",
            Kind::StackSet,
            Action::Update,
            "bring instances to the new definition",
        )
        .reaching(targets(accounts, &[EAST, WEST]))
        .why("its definition differs");
        step.id = StepId(format!("{}/{wave}", step.id));
        step.wave = Some(wave.to_owned());
        builder = builder.step(step);
    }
    builder.build()
}

/// A step of `phase/component[/environment]`.
pub fn step(path: &str, kind: Kind, action: Action, title: &str) -> Step {
    let mut parts = path.split('/').map(str::to_owned);
    let (phase, component) = (parts.next().unwrap(), parts.next().unwrap());
    Step {
        id: StepId(format!("{path}/{}", title.replace(' ', "-"))),
        phase,
        kind,
        component,
        environment: parts.next(),
        wave: None,
        account: None,
        region: None,
        action,
        title: title.to_owned(),
        reason: String::new(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: None,
        preimage: String::new(),
        payload: String::new(),
        change: change(),
    }
}

impl Step {
    pub fn on(mut self, account: AccountId, code: &str) -> Self {
        self.id = StepId(format!("{}/{account}/{code}", self.id));
        self.account = Some(account);
        self.region = Some(region(code));
        self
    }

    pub fn reaching(mut self, targets: Vec<Target>) -> Self {
        self.targets = targets;
        self
    }

    pub fn why(mut self, reason: &str) -> Self {
        self.reason = reason.to_owned();
        self
    }

    pub fn with(mut self, changes: Vec<FieldChange>) -> Self {
        self.changes = changes;
        self
    }
}

/// Puts of the logging configuration, one step for each account and Region.
pub fn logging_steps(environment: &str, accounts: std::ops::Range<usize>) -> Vec<Step> {
    targets(accounts, &[EAST, WEST])
        .into_iter()
        .map(|target| {
            let bucket = format!("logs-model-invocation-{}-{}", target.account, target.region);
            step(
                &format!("logging/model-invocations/{environment}"),
                Kind::InvocationLogging,
                Action::Create,
                "put the logging configuration",
            )
            .on(target.account, target.region.as_str())
            .why("model invocations are not logged there")
            .with(vec![
                field("s3.bucket", None, text(&bucket)),
                field(
                    "cloudWatch.logGroup",
                    None,
                    text("/aws/bedrock/model-invocation-logs"),
                ),
                field(
                    "deliver",
                    None,
                    text("text, image, embedding, video, audio"),
                ),
            ])
        })
        .collect()
}

pub const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"ApprovedModelsOnly","Effect":"Deny","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"NotResource":["arn:aws:bedrock:*::foundation-model/anthropic.*"]}]}"#;

/// The first plan of a small organization.
pub fn first_plan() -> Plan {
    let environments: [(&str, std::ops::Range<usize>, &[&str]); 3] = [
        ("dev", 0..5, &[]),
        ("staging", 5..8, &["dev"]),
        ("prod", 8..12, &["dev", "staging"]),
    ];
    let mut plan = PlanBuilder::new(12)
        .name(account(900), "ai-operations")
        .name(account(901), "old-sandbox")
        .step(
            step(
                "management/access",
                Kind::OrganizationAccess,
                Action::Create,
                "activate trusted access for StackSets",
            )
            .why("StackSets cannot reach member accounts without it"),
        )
        .step(
            step(
                "management/access",
                Kind::OrganizationAccess,
                Action::Create,
                "enable the policy type SERVICE_CONTROL_POLICY",
            )
            .why("policies of this type are declared"),
        );
    for (name, accounts, after) in environments.clone() {
        plan = plan.environment(name, accounts.len(), after).step(
            step(
                &format!("management/approved-models/{name}"),
                Kind::Policy,
                Action::Create,
                &format!("create the policy and attach it to Workloads/{name}"),
            )
            .why("declared, and not there yet")
            .with(vec![field("content", None, text(POLICY))]),
        );
    }
    plan = plan.step(
        step(
            "hub/central-monitoring",
            Kind::Stack,
            Action::Create,
            "create the stack bedrail-bedrock-governance-central-monitoring",
        )
        .on(account(900), EAST)
        .why("declared, and not there yet")
        .with(vec![
            field("parameters.OrganizationId", None, text("o-exampleorg1")),
            field("parameters.ApiToken", None, Some(Shown::Hidden)),
        ]),
    );
    for (name, accounts, _) in environments.clone() {
        let retention = if name == "prod" { "2557" } else { "30" };
        plan = plan.step(
            step(
                &format!("members/invocation-logging/{name}"),
                Kind::StackSet,
                Action::Create,
                "create the StackSet and its instances",
            )
            .reaching(targets(accounts, &[EAST, WEST]))
            .why("declared, and not there yet")
            .with(vec![
                field("parameters.LogRetentionDays", None, text(retention)),
                field(
                    "parameters.LogDestinationArn",
                    None,
                    later("central-monitoring"),
                ),
            ]),
        );
    }
    for (name, accounts, _) in environments {
        plan = plan.steps(logging_steps(name, accounts));
    }
    plan.note(NoteKind::OutOfScope, Some(901), "old-sandbox is suspended")
        .note(NoteKind::Advice, None, "write organization.id: o-exampleorg1 into rollout.yaml, so that another organization is refused")
        .build()
}

pub fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

pub fn event(seconds: i64, what: What) -> Event {
    Event {
        at: at(seconds),
        what,
    }
}

pub fn failure(
    n: usize,
    code: &str,
    component: &str,
    error: &str,
    message: &str,
    next: &str,
) -> Failure {
    Failure {
        account: Some(account(n)),
        region: Some(region(code)),
        component: component.to_owned(),
        environment: Some("prod".to_owned()),
        code: error.to_owned(),
        message: message.to_owned(),
        class: FailureClass::NeedsAction,
        next: next.to_owned(),
    }
}

/// A plan with a StackSet on 12 accounts, puts in 300 accounts, and a policy after them.
pub fn partial_plan() -> Plan {
    PlanBuilder::new(300)
        .environment("prod", 300, &[])
        .step(
            step(
                "members/invocation-logging/prod",
                Kind::StackSet,
                Action::Create,
                "create the StackSet and its instances",
            )
            .reaching(targets(0..12, &[EAST, WEST])),
        )
        .steps(logging_steps("prod", 0..300))
        .step(step(
            "seal/protect-invocation-logging/prod",
            Kind::Policy,
            Action::Create,
            "create the policy",
        ))
        .build()
}

/// The run of that plan, in which some puts fail for the same reason.
pub fn partial_run() -> Vec<Event> {
    let plan = partial_plan();
    let phases: Vec<PhaseSize> = [("members", 1, 24), ("logging", 600, 600), ("seal", 1, 1)]
        .map(|(phase, steps, targets)| PhaseSize {
            phase: phase.to_owned(),
            steps,
            targets,
        })
        .to_vec();
    let mut events = vec![event(
        0,
        What::RunStarted {
            rollout: plan.rollout.clone(),
            digest: plan.digest.clone(),
            steps: 602,
            targets: 625,
            phases: phases.clone(),
        },
    )];
    let mut all: Vec<Failure> = Vec::new();
    let mut time = 1;
    for PhaseSize {
        phase,
        steps,
        targets,
    } in phases
    {
        events.push(event(
            time,
            What::PhaseStarted {
                phase: phase.clone(),
                steps,
                targets,
            },
        ));
        let mut lost = 0;
        for step in plan.steps.iter().filter(|step| step.phase == phase) {
            let failures = failures_of(step);
            let real = |f: &&Failure| f.class != FailureClass::NotAttempted;
            lost += failures.iter().filter(real).count();
            run_step(step, &failures, &mut time, &mut events);
            all.extend(failures);
        }
        events.push(event(
            time,
            What::PhaseFinished {
                phase,
                succeeded: targets.saturating_sub(lost),
                failed: lost,
            },
        ));
    }
    events.push(event(
        time,
        What::RunFinished {
            outcome: RunOutcome::Partial,
            summary: RunSummary {
                succeeded: 611,
                failed: 13,
                skipped: 0,
                not_attempted: 1,
            },
            failures: all,
            paused: Vec::new(),
        },
    ));
    events
}

fn failures_of(step: &Step) -> Vec<Failure> {
    let n = step
        .account
        .as_ref()
        .map(|id| id.as_str().get(9..).unwrap().parse::<usize>().unwrap());
    match (step.phase.as_str(), n) {
        ("logging", Some(n)) if n < 6 => vec![failure(
            n,
            step.region.as_ref().unwrap().as_str(),
            &step.component,
            "AccessDeniedException",
            &format!(
                "User: arn:aws:sts::{}:assumed-role/bedrail-deployer/bedrail is not authorized to perform: bedrock:PutModelInvocationLoggingConfiguration with an explicit deny in a service control policy",
                account(n)
            ),
            "let the role bedrail-deployer through in the service control policy that denies it",
        )],
        ("logging", Some(11)) if step.region == Some(region(WEST)) => vec![Failure {
            class: FailureClass::Retryable,
            ..failure(
                11,
                WEST,
                &step.component,
                "ThrottlingException",
                "Rate exceeded",
                "run the same command again",
            )
        }],
        ("seal", _) => vec![Failure {
            account: None,
            region: None,
            class: FailureClass::NotAttempted,
            ..failure(
                0,
                EAST,
                &step.component,
                "NotAttempted",
                "model-invocations failed in 7 accounts",
                "remove the causes above",
            )
        }],
        _ => Vec::new(),
    }
}

fn run_step(step: &Step, failures: &[Failure], time: &mut i64, events: &mut Vec<Event>) {
    let targets = step.targets.len().max(1);
    let not_attempted = failures
        .iter()
        .filter(|f| f.class == FailureClass::NotAttempted)
        .count();
    if not_attempted == 0 {
        events.push(event(*time, start_of_step(step)));
    }
    if targets > 1 {
        for done in 0..targets {
            *time += 5;
            events.push(event(
                *time,
                What::StepProgress {
                    step: step.id.clone(),
                    done,
                    failed: 0,
                    targets,
                    message: (done % 4 == 1).then(|| "throttled, next try in 2 s".to_owned()),
                },
            ));
        }
    } else if step.id.0.ends_with("0/us-east-1") {
        *time += 2;
    }
    let failed = failures.len() - not_attempted;
    events.push(event(
        *time,
        What::StepFinished {
            step: step.id.clone(),
            phase: step.phase.clone(),
            outcome: match (failed, not_attempted) {
                (0, 0) => StepOutcome::Succeeded,
                (0, _) => StepOutcome::NotAttempted,
                _ => StepOutcome::Failed,
            },
            succeeded: targets - failures.len(),
            failed,
            skipped: 0,
            not_attempted,
            failures: failures.to_vec(),
            details: Vec::new(),
            settled: true,
        },
    ));
}

pub fn start_of(plan: &Plan) -> Event {
    event(
        0,
        What::RunStarted {
            rollout: plan.rollout.clone(),
            digest: plan.digest.clone(),
            steps: plan.steps.len(),
            targets: plan
                .steps
                .iter()
                .map(|step| step.targets.len().max(1))
                .sum(),
            phases: Vec::new(),
        },
    )
}

pub fn started(step: &Step) -> Event {
    event(1, start_of_step(step))
}

fn start_of_step(step: &Step) -> What {
    What::StepStarted {
        step: step.id.clone(),
        phase: step.phase.clone(),
        kind: step.kind,
        component: step.component.clone(),
        environment: step.environment.clone(),
        account: step.account.clone(),
        region: step.region.clone(),
        action: step.action,
        title: step.title.clone(),
        targets: step.targets.len().max(1),
    }
}
