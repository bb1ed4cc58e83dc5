//! The fault catalogue: what of it the sandbox can inject, and how. The numbers are those of the
//! reliability catalogue; numbers that are missing here are rules of the model itself (a tool meets them
//! by asking for the wrong thing) or faults of the process, its disk and its terminal.

use super::{
    Fault, FaultId, Only, Rule, What, When,
    condition::Condition,
    mishap::{HOSTILE, Mishap, Side, Trigger},
    swarm::Injection,
};
use crate::sandbox::world::{
    AccountStates,
    cloudformation::{
        self,
        faults::{Deed, Effect},
        stack_sets::{OnExisting, Resent},
    },
    ids::Ids,
};

/// One fault of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub id: FaultId,
    pub what: &'static str,
    pub draw: fn(&mut Draw) -> Vec<Injection>,
}

/// A secret that must appear nowhere: in texts of errors where [`CATALOGUE`]'s F94 puts it.
pub const CANARY: &str = "canary-9f2c71d4-never-show-this";

/// Chance for rates and moments.
#[derive(Debug)]
pub struct Draw(Ids);

impl Draw {
    pub fn seeded(seed: u64) -> Self {
        Self(Ids::seeded(seed))
    }

    /// From `least` to `most`, both included.
    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.below(most.saturating_sub(least) + 1)
    }

    fn seconds(&mut self, least: u32, most: u32) -> u32 {
        u32::try_from(self.between(u64::from(least), u64::from(most))).unwrap_or(most)
    }

    fn one_of<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        let at = usize::try_from(self.0.below(others.len() as u64 + 1)).unwrap_or(0);
        at.checked_sub(1)
            .and_then(|at| others.get(at))
            .copied()
            .unwrap_or(first)
    }

    /// Now and then, in bursts, or a few times at the beginning.
    fn now_and_then(&mut self) -> When {
        match self.0.below(3) {
            0 => When::PerMille(self.between(5, 150)),
            1 => {
                let length = self.between(1, 6);
                When::Bursts {
                    length,
                    every: length + self.between(10, 100),
                }
            }
            _ => When::First(self.between(1, 4)),
        }
    }

    /// From the start, or from some second on.
    fn beginning(&mut self, latest: u64) -> u64 {
        match self.0.below(2) {
            0 => 0,
            _ => self.between(1, latest),
        }
    }

    fn once(&mut self, most: u64) -> When {
        When::Nth(self.between(1, most))
    }
}

fn fault(service: &str, operation: &str, when: When, what: What) -> Fault {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Fault {
        service: given(service),
        operation: given(operation),
        account: None,
        region: None,
        when,
        what,
    }
}

/// On the wire, for one operation of a service; empty texts stand for all.
fn wire(service: &str, operation: &str, when: When, what: What) -> Injection {
    Injection::Rule(Rule::from(fault(service, operation, when, what)))
}

fn wire_only(service: &str, only: Only, when: When, what: What) -> Injection {
    Injection::Rule(Rule {
        only,
        ..Rule::from(fault(service, "", when, what))
    })
}

fn wire_while(service: &str, only: Only, window: (u64, u64), what: What) -> Injection {
    Injection::Rule(Rule {
        only,
        window: Some(window),
        ..Rule::from(fault(service, "", When::Always, what))
    })
}

fn refuse(status: u16, code: &str, message: &str) -> What {
    What::Refuse {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

fn constraint(reason: &str, message: &str) -> What {
    What::Constraint {
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

/// A mishap before the `nth` change that the tool makes.
fn before_change(nth: u64, mishap: Mishap) -> Injection {
    let trigger = Trigger {
        on: None,
        only: Only::Changes,
        nth,
        side: Side::Before,
    };
    Injection::Mishap(trigger, mishap)
}

fn at(service: &'static str, operation: &'static str, nth: u64, side: Side) -> Trigger {
    Trigger {
        on: Some((service, operation)),
        only: Only::All,
        nth,
        side,
    }
}

/// Before the first request of all.
fn first(mishap: Mishap) -> Injection {
    let trigger = Trigger {
        on: None,
        only: Only::All,
        nth: 1,
        side: Side::Before,
    };
    Injection::Mishap(trigger, mishap)
}

fn resource(deed: Deed, resource_type: Option<&str>, times: u64, reason: &str) -> Injection {
    Injection::Resource(cloudformation::faults::Fault {
        resource_type: resource_type.map(str::to_owned),
        deed: Some(deed),
        effect: Effect::Fail,
        reason: reason.to_owned(),
        times: u32::try_from(times).ok(),
        ..cloudformation::faults::Fault::default()
    })
}

const fn entry(id: u8, what: &'static str, draw: fn(&mut Draw) -> Vec<Injection>) -> Entry {
    Entry {
        id: FaultId(id),
        what,
        draw,
    }
}

const OPERATIONS: &[&str] = &[
    "CreateStackInstances",
    "UpdateStackInstances",
    "DeleteStackInstances",
    "UpdateStackSet",
];
const TOO_MANY: &str =
    "You have sent too many requests in too short a period of time. Try again later.";
const BUSY: &str = "AWS Organizations can't complete your request because another request is already in progress. Try again later.";
const CONFLICT: &str = "AWS Organizations can't complete your request because it conflicts with another attempt to modify the same entity. Try again later.";

/// Every fault that the sandbox can inject, in order of numbers.
pub const CATALOGUE: &[Entry] = &[
    entry(1, "CloudFormation throttles any call, in bursts", |draw| {
        let when = draw.now_and_then();
        let code = draw.one_of("Throttling", &["ThrottlingException"]);
        vec![wire(
            "cloudformation",
            "",
            when,
            refuse(400, code, "Rate exceeded"),
        )]
    }),
    entry(2, "Organizations throttles reads", |draw| {
        let text = draw.one_of(TOO_MANY, &[BUSY]);
        let what = refuse(400, "TooManyRequestsException", text);
        vec![wire_only(
            "organizations",
            Only::Reads,
            draw.now_and_then(),
            what,
        )]
    }),
    entry(3, "Organizations conflict on writes", |draw| {
        let what = refuse(400, "ConcurrentModificationException", CONFLICT);
        vec![wire_only(
            "organizations",
            Only::Changes,
            draw.now_and_then(),
            what,
        )]
    }),
    entry(4, "Bedrock's control plane throttles", |draw| {
        vec![wire("bedrock", "", draw.now_and_then(), What::Throttle)]
    }),
    entry(
        5,
        "a quota is reached, in the words of throttling",
        |draw| {
            let operation = draw.one_of("CreateStackSet", &["CreateStackInstances"]);
            let what = refuse(
                400,
                "LimitExceededException",
                "The quota for this resource has already been reached.",
            );
            vec![wire("cloudformation", operation, draw.once(2), what)]
        },
    ),
    entry(6, "STS throttles AssumeRole", |draw| {
        vec![wire(
            "sts",
            "AssumeRole",
            draw.now_and_then(),
            What::Throttle,
        )]
    }),
    entry(7, "throttled longer than a client retries", |draw| {
        let service = draw.one_of("cloudformation", &["organizations", "kms", "sts"]);
        let most = draw.between(4, 12);
        vec![wire(service, "", When::First(most), What::Throttle)]
    }),
    entry(8, "no answer at all", |draw| {
        let what = draw.one_of(0, &[1]);
        let what = if what == 0 {
            What::NeverAnswer
        } else {
            What::NeverArrive
        };
        let only = draw.one_of(Only::All, &[Only::Changes, Only::Reads]);
        let when = draw.once(60);
        vec![wire_only("", only, when, what)]
    }),
    entry(9, "no room for another policy on the target", |draw| {
        let what = constraint(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You have attached the maximum number of policies to the specified target.",
        );
        vec![wire("organizations", "AttachPolicy", draw.once(3), what)]
    }),
    entry(10, "a policy that is too large", |draw| {
        let operation = draw.one_of("CreatePolicy", &["UpdatePolicy"]);
        let what = constraint(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            "You have exceeded the maximum size of a policy document.",
        );
        vec![wire("organizations", operation, draw.once(2), what)]
    }),
    entry(11, "the last policy of a target", |draw| {
        let what = constraint(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You must have at least one service control policy attached to each root, OU, and account.",
        );
        vec![wire("organizations", "DetachPolicy", draw.once(2), what)]
    }),
    entry(
        12,
        "somebody else's operation runs on our StackSet",
        |draw| {
            let seconds = i64::from(draw.seconds(30, 3_600));
            let operation = draw.one_of("UpdateStackSet", OPERATIONS);
            let trigger = at(
                "cloudformation",
                operation,
                draw.between(1, 3),
                Side::Before,
            );
            vec![Injection::Mishap(
                trigger,
                Mishap::ForeignOperation { seconds },
            )]
        },
    ),
    entry(
        13,
        "the answer to the start of an operation is lost",
        |draw| {
            let operation = draw.one_of("CreateStackInstances", OPERATIONS);
            let what = draw.one_of(0, &[1, 2]);
            let what = match what {
                0 => What::LoseAnswer,
                1 => What::BreakAfter,
                _ => What::NeverAnswer,
            };
            vec![wire("cloudformation", operation, draw.once(3), what)]
        },
    ),
    entry(14, "the same OperationId sent twice is refused", |draw| {
        let operation = draw.one_of("CreateStackInstances", OPERATIONS);
        let existing = draw.one_of(OnExisting::Apply, &[OnExisting::Skip]);
        vec![
            Injection::Condition(Condition::ResentOperation(Resent::Refuse)),
            Injection::Condition(Condition::CreateOnExisting(existing)),
            wire("cloudformation", operation, draw.once(2), What::BreakAfter),
        ]
    }),
    entry(15, "the StackSet has changed since it was read", |draw| {
        let operation = draw.one_of("UpdateStackSet", OPERATIONS);
        let what = refuse(
            409,
            "StaleRequestException",
            "Another operation has been performed on this StackSet since the specified operation was performed.",
        );
        vec![wire("cloudformation", operation, draw.once(2), what)]
    }),
    entry(16, "an operation runs for ever", |draw| {
        let trigger = at(
            "cloudformation",
            "DescribeStackSetOperation",
            draw.between(1, 20),
            Side::Before,
        );
        vec![Injection::Mishap(trigger, Mishap::HoldOperation)]
    }),
    entry(17, "a stopped operation never stops", |_| {
        let trigger = at("cloudformation", "StopStackSetOperation", 1, Side::Before);
        vec![Injection::Mishap(trigger, Mishap::HoldOperation)]
    }),
    entry(18, "too late to stop an operation", |_| {
        let what = refuse(
            400,
            "InvalidOperationException",
            "The operation is in SUCCEEDED state and cannot be stopped.",
        );
        vec![wire(
            "cloudformation",
            "StopStackSetOperation",
            When::First(1),
            what,
        )]
    }),
    entry(19, "an instance fails within the tolerance", |draw| {
        let deed = draw.one_of(Deed::Create, &[Deed::Update]);
        vec![resource(
            deed,
            None,
            1,
            "Resource handler returned message: \"Rate exceeded\" (HandlerErrorCode: Throttling)",
        )]
    }),
    entry(20, "more instances fail than may", |draw| {
        let times = draw.between(2, 12);
        let deed = draw.one_of(Deed::Create, &[Deed::Update]);
        vec![resource(
            deed,
            None,
            times,
            "Resource handler returned message: \"Internal error\" (HandlerErrorCode: ServiceInternalError)",
        )]
    }),
    entry(21, "results lag behind their operation", |draw| {
        let seconds = draw.seconds(1, 120);
        vec![Injection::Condition(Condition::ResultsLag(seconds))]
    }),
    entry(
        22,
        "lists of instances lag, and repeat across pages",
        |draw| {
            let seconds = draw.seconds(0, 120);
            let most = usize::try_from(draw.between(2, 10)).unwrap_or(2);
            vec![
                Injection::Condition(Condition::InstancesLag(seconds)),
                Injection::Condition(Condition::RepeatAcrossPages),
                Injection::Condition(Condition::PageSize(most)),
            ]
        },
    ),
    entry(23, "operations wait in QUEUED", |draw| {
        let seconds = draw.seconds(5, 600);
        vec![Injection::Condition(Condition::Queued(seconds))]
    }),
    entry(24, "an instance of an update is not there", |_| {
        let trigger = at("cloudformation", "UpdateStackInstances", 1, Side::Before);
        vec![Injection::Mishap(trigger, Mishap::LoseInstance)]
    }),
    entry(25, "an instance is INOPERABLE", |draw| {
        vec![before_change(draw.between(2, 30), Mishap::Inoperable)]
    }),
    entry(26, "the StackSet has vanished", |draw| {
        vec![before_change(draw.between(3, 30), Mishap::VanishStackSet)]
    }),
    entry(27, "the name of the StackSet is taken", |draw| {
        let trigger = at(
            "cloudformation",
            "CreateStackSet",
            draw.between(1, 2),
            Side::Before,
        );
        vec![Injection::Mishap(trigger, Mishap::TakeStackSetName)]
    }),
    entry(28, "the StackSet is not empty yet", |draw| {
        let what = refuse(409, "StackSetNotEmptyException", "StackSet is not empty");
        let when = When::First(draw.between(1, 3));
        vec![wire("cloudformation", "DeleteStackSet", when, what)]
    }),
    entry(
        30,
        "the definition has moved and the roll-out has failed",
        |draw| {
            vec![resource(
                Deed::Update,
                None,
                draw.between(3, 30),
                "Resource handler returned message: \"Invalid request\" (HandlerErrorCode: InvalidRequest)",
            )]
        },
    ),
    entry(
        31,
        "a row's reason reads like an error of the API",
        |draw| {
            let reason = draw.one_of(
            "User: arn:aws:sts::000000000000:assumed-role/stacksets-exec/x is not authorized to perform: logs:CreateLogGroup",
            &["The security token included in the request is invalid"],
        );
            vec![resource(Deed::Enter, None, draw.between(1, 3), reason)]
        },
    ),
    entry(33, "records of operations are gone", |draw| {
        vec![before_change(draw.between(2, 20), Mishap::ForgetOperations)]
    }),
    entry(34, "an account is suspended", |draw| {
        vec![before_change(draw.between(1, 30), Mishap::SuspendAccount)]
    }),
    entry(35, "an account closes", |draw| {
        vec![before_change(draw.between(1, 30), Mishap::CloseAccount)]
    }),
    entry(36, "the state of accounts is told otherwise", |draw| {
        let states = draw.one_of(
            AccountStates::StateOnly,
            &[
                AccountStates::StatusOnly,
                AccountStates::Unknown,
                AccountStates::Neither,
            ],
        );
        vec![Injection::Condition(Condition::AccountStates(states))]
    }),
    entry(37, "an account moves", |draw| {
        vec![before_change(draw.between(1, 30), Mishap::MoveAccount)]
    }),
    entry(38, "an account leaves the organization", |draw| {
        vec![before_change(draw.between(1, 30), Mishap::RemoveAccount)]
    }),
    entry(39, "a new account is not ready", |draw| {
        let what = match draw.one_of(0, &[1]) {
            0 => refuse(
                403,
                "OptInRequired",
                "The AWS Access Key Id needs a subscription for the service",
            ),
            _ => refuse(
                403,
                "SubscriptionRequiredException",
                "The AWS Access Key Id needs a subscription for the service",
            ),
        };
        let service = draw.one_of("bedrock", &["cloudformation", "logs", "kms"]);
        let when = When::First(draw.between(1, 4));
        vec![Injection::Rule(Rule {
            members_only: true,
            ..Rule::from(fault(service, "", when, what))
        })]
    }),
    entry(40, "a role has just been made", |draw| {
        let what = refuse(
            403,
            "AccessDenied",
            "User is not authorized to perform: sts:AssumeRole on resource",
        );
        let when = When::First(draw.between(1, 5));
        let times = draw.between(1, 2);
        vec![
            Injection::Condition(Condition::RolePropagation(60)),
            wire("sts", "AssumeRole", when, what),
            resource(Deed::Enter, None, times, "AccountGate check failed"),
        ]
    }),
    entry(41, "aws:PrincipalOrgID does not act yet", |draw| {
        let until = draw.between(600, 1_200);
        let service = draw.one_of("s3", &["kms"]);
        let rate = draw.between(200, 800);
        vec![Injection::Rule(Rule {
            members_only: true,
            window: Some((0, until)),
            ..Rule::from(fault(service, "", When::PerMille(rate), What::AccessDenied))
        })]
    }),
    entry(42, "the execution role is missing in an account", |draw| {
        vec![resource(
            Deed::Enter,
            None,
            draw.between(1, 3),
            "Account should have 'AWSCloudFormationStackSetExecutionRole' role with trust relationship to Role 'AWSCloudFormationStackSetAdministrationRole'.",
        )]
    }),
    entry(43, "a Region is switched off in an account", |draw| {
        vec![before_change(draw.between(1, 20), Mishap::DisableRegion)]
    }),
    entry(44, "not the administrator that StackSets want", |draw| {
        let text = draw.one_of(
            "You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set",
            &["Account used is not a delegated administrator"],
        );
        let operation = draw.one_of("CreateStackInstances", OPERATIONS);
        let what = refuse(400, "ValidationError", text);
        vec![wire("cloudformation", operation, draw.once(2), what)]
    }),
    entry(45, "empty and short pages", |draw| {
        let most = usize::try_from(draw.between(1, 20)).unwrap_or(1);
        let mut conditions = vec![Injection::Condition(Condition::PageSize(most))];
        if draw.between(0, 1) == 1 {
            conditions.push(Injection::Condition(Condition::EmptyFirstPages));
        }
        conditions
    }),
    entry(46, "sessions end in the middle", |draw| {
        let nth = draw.between(2, 40);
        match draw.one_of(0, &[1]) {
            0 => vec![before_change(nth, Mishap::ExpireSessions)],
            _ => vec![wire_only("", Only::All, When::Nth(nth), What::ExpiredToken)],
        }
    }),
    entry(47, "a chained role for more than an hour", |_| {
        let what = refuse(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        );
        vec![wire("sts", "AssumeRole", When::First(1), what)]
    }),
    entry(48, "the clock is wrong", |draw| {
        let minutes = i64::from(draw.seconds(16, 600));
        let when = draw.once(40);
        vec![wire_only(
            "",
            Only::All,
            when,
            What::ClockBehind { minutes },
        )]
    }),
    entry(50, "an effect without an answer", |draw| {
        let what = match draw.one_of(0, &[1, 2]) {
            0 => What::LoseAnswer,
            1 => What::BreakAfter,
            _ => What::LoseRequest,
        };
        let when = match draw.one_of(0, &[1]) {
            0 => draw.once(30),
            _ => When::PerMille(draw.between(5, 60)),
        };
        vec![wire_only("", Only::Changes, when, what)]
    }),
    entry(51, "the control plane of us-east-1 is down", |draw| {
        let from = draw.beginning(7_200);
        let window = (from, from + 6 * 3_600);
        vec![
            wire_while("organizations", Only::Changes, window, What::BreakBefore),
            wire_while("iam", Only::Changes, window, What::BreakBefore),
        ]
    }),
    entry(52, "a Region is down", |draw| {
        let region = draw.one_of("eu-central-1", &["eu-west-1", "us-east-1"]);
        let from = draw.beginning(3_600);
        let lasts = draw.between(300, 14_400);
        let what = match draw.one_of(0, &[1]) {
            0 => What::BreakBefore,
            _ => What::LoseRequest,
        };
        let service = draw.one_of("bedrock", &["cloudformation", "kms", "logs"]);
        vec![Injection::Rule(Rule {
            window: Some((from, from + lasts)),
            ..Rule::from(Fault {
                region: Some(region.to_owned()),
                ..fault(service, "", When::Always, what)
            })
        })]
    }),
    entry(53, "a service has no endpoint in a Region", |draw| {
        let region = draw.one_of("eu-central-1", &["eu-west-1", "ap-east-1"]);
        vec![Injection::Rule(Rule::from(Fault {
            region: Some(region.to_owned()),
            ..fault("bedrock", "", When::Always, What::NoSuchHost)
        }))]
    }),
    entry(54, "the credentials are of another account", |_| {
        vec![first(Mishap::OtherIdentity)]
    }),
    entry(55, "a policy denies the deployer", |draw| {
        let actions = draw.one_of(
            "bedrock:*",
            &[
                "logs:*",
                "kms:*",
                "cloudformation:*",
                "sts:AssumeRole",
                "iam:*",
            ],
        );
        vec![before_change(draw.between(1, 30), Mishap::Deny { actions })]
    }),
    entry(56, "no policy allows the deployer", |draw| {
        vec![before_change(draw.between(1, 30), Mishap::AllowOnlyLogs)]
    }),
    entry(57, "policies act late", |draw| {
        let seconds = draw.seconds(30, 300);
        vec![Injection::Condition(Condition::PolicyLag(seconds))]
    }),
    entry(58, "attachments race", |draw| {
        let what = match draw.one_of(0, &[1, 2]) {
            0 => refuse(
                400,
                "DuplicatePolicyAttachmentException",
                "The selected policy is already attached to the specified target.",
            ),
            1 => refuse(
                400,
                "PolicyChangesInProgressException",
                "Changes to the effective policy are in progress, and its contents can't be returned. Try the operation again later.",
            ),
            _ => What::LoseAnswer,
        };
        vec![wire("organizations", "AttachPolicy", draw.once(3), what)]
    }),
    entry(59, "the policy type is not enabled", |draw| {
        let what = refuse(
            400,
            "PolicyTypeNotEnabledException",
            "The specified policy type isn't currently enabled in this root.",
        );
        let when = When::First(draw.between(1, 3));
        vec![wire("organizations", "AttachPolicy", when, what)]
    }),
    entry(60, "a policy is edited in the console", |draw| {
        vec![before_change(draw.between(2, 30), Mishap::RewritePolicy)]
    }),
    entry(61, "a policy is found invalid", |draw| {
        let operation = draw.one_of("CreatePolicy", &["UpdatePolicy"]);
        let what = refuse(
            400,
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        );
        vec![wire("organizations", operation, draw.once(2), what)]
    }),
    entry(62, "the tool lacks one permission", |draw| {
        let (service, operation) = draw.one_of(
            ("cloudformation", "CreateStackInstances"),
            &[
                ("cloudformation", "CreateStackSet"),
                ("bedrock", "PutModelInvocationLoggingConfiguration"),
                ("organizations", "AttachPolicy"),
                ("kms", "CreateGrant"),
                ("sts", "AssumeRole"),
            ],
        );
        let text = format!(
            "User is not authorized to perform: {service}:{operation} because no identity-based policy allows the {service}:{operation} action"
        );
        let code = match service {
            "cloudformation" | "sts" => "AccessDenied",
            _ => "AccessDeniedException",
        };
        let status = match service {
            "organizations" | "kms" => 400,
            _ => 403,
        };
        vec![wire(
            service,
            operation,
            When::Always,
            refuse(status, code, &text),
        )]
    }),
    entry(66, "a creation is rolled back", |draw| {
        vec![resource(
            Deed::Create,
            None,
            draw.between(1, 2),
            "Resource handler returned message: \"The resource did not stabilize\" (HandlerErrorCode: NotStabilized)",
        )]
    }),
    entry(67, "an update fails, and its rollback too", |draw| {
        vec![resource(
            Deed::Update,
            None,
            2 * draw.between(1, 2),
            "Resource handler returned message: \"The resource is in use\" (HandlerErrorCode: ResourceConflict)",
        )]
    }),
    entry(68, "an update is rolled back silently", |draw| {
        vec![resource(
            Deed::Update,
            None,
            draw.between(1, 2),
            "Resource handler returned message: \"Throttled\" (HandlerErrorCode: Throttling)",
        )]
    }),
    entry(70, "an export is still imported", |_| {
        vec![resource(
            Deed::Delete,
            None,
            1,
            "Export hub-key cannot be deleted as it is in use by another-stack",
        )]
    }),
    entry(
        71,
        "a resource of the last attempt is still there",
        |draw| {
            vec![resource(
                Deed::Create,
                Some("AWS::Logs::LogGroup"),
                draw.between(1, 3),
                "Resource handler returned message: \"Resource of type 'AWS::Logs::LogGroup' with identifier '{\"/properties/LogGroupName\":\"/left/over\"}' already exists.\" (HandlerErrorCode: AlreadyExists)",
            )]
        },
    ),
    entry(72, "a bucket is not empty", |draw| {
        vec![resource(
            Deed::Delete,
            Some("AWS::S3::Bucket"),
            draw.between(1, 3),
            "The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; Error Code: BucketNotEmpty; Request ID: 0)",
        )]
    }),
    entry(73, "a key is disabled or pending deletion", |draw| {
        let mishap = match draw.one_of(0, &[1]) {
            0 => Mishap::DisableKey,
            _ => Mishap::DeleteKey,
        };
        vec![before_change(draw.between(2, 30), mishap)]
    }),
    entry(74, "a custom resource never stabilises", |_| {
        vec![resource(
            Deed::Create,
            None,
            1,
            "Custom Resource failed to stabilize in expected time",
        )]
    }),
    entry(75, "stacks that do not go", |draw| {
        vec![
            resource(
                Deed::Delete,
                None,
                draw.between(1, 4),
                "Resource handler returned message: \"The resource is in use\" (HandlerErrorCode: ResourceConflict)",
            ),
            before_change(draw.between(2, 30), Mishap::ProtectStack),
        ]
    }),
    entry(76, "a resource is half made in one account", |draw| {
        vec![resource(
            Deed::Create,
            Some("AWS::IAM::*"),
            draw.between(1, 2),
            "Unable to execute HTTP request: Connect to iam.amazonaws.com:443 [iam.amazonaws.com/0.0.0.0] failed: connect timed out",
        )]
    }),
    entry(77, "somebody deletes a log group by hand", |draw| {
        vec![before_change(draw.between(2, 30), Mishap::DropLogGroup)]
    }),
    entry(79, "Bedrock cannot use the role yet", |draw| {
        let when = match draw.one_of(0, &[1]) {
            0 => When::First(draw.between(1, 4)),
            _ => When::Always,
        };
        let what = refuse(
            400,
            "ValidationException",
            "Failed to validate permissions for log group: /aws/bedrock, with role: arn:aws:iam::000000000000:role/logging. Verify the IAM role permissions are correct.",
        );
        vec![wire(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            when,
            what,
        )]
    }),
    entry(80, "somebody has configured logging already", |draw| {
        vec![
            first(Mishap::ForeignLogging),
            before_change(draw.between(1, 20), Mishap::ForeignLogging),
        ]
    }),
    entry(81, "somebody writes right after us", |draw| {
        let trigger = at(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            draw.between(1, 3),
            Side::After,
        );
        vec![Injection::Mishap(trigger, Mishap::OverwriteLogging)]
    }),
    entry(82, "the destination of logs is deleted", |draw| {
        let trigger = at(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            draw.between(1, 3),
            Side::After,
        );
        vec![Injection::Mishap(trigger, Mishap::DropLogDestination)]
    }),
    entry(83, "a policy denies a Region", |draw| {
        vec![before_change(draw.between(1, 20), Mishap::DenyRegion)]
    }),
    entry(90, "a conditional write to S3 loses", |draw| {
        let what = match draw.one_of(0, &[1]) {
            0 => refuse(
                412,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            ),
            _ => refuse(
                409,
                "ConditionalRequestConflict",
                "The conditional request cannot succeed due to a conflicting operation against this resource.",
            ),
        };
        vec![wire("s3", "PutObject", draw.once(5), what)]
    }),
    entry(93, "hostile strings", |draw| {
        let text = draw.one_of("<b>", HOSTILE);
        vec![
            first(Mishap::HostileNames),
            resource(Deed::Create, None, draw.between(1, 2), text),
        ]
    }),
    entry(94, "secrets in the texts of errors", |draw| {
        let text = format!("The value {CANARY} of parameter Password is not valid");
        vec![
            resource(Deed::Create, None, 1, &text),
            wire_only(
                "",
                Only::Changes,
                draw.once(20),
                refuse(400, "ValidationError", &text),
            ),
        ]
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::Swarm;

    #[test]
    fn the_catalogue_is_in_order_and_long_enough() {
        let ids: Vec<FaultId> = CATALOGUE.iter().map(|entry| entry.id).collect();
        assert!(ids.is_sorted());
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ids.len() >= 60, "{}", ids.len());
    }

    #[test]
    fn a_seed_always_draws_the_same_and_seeds_differ() {
        let printed: Vec<String> = (0..64).map(|seed| Swarm::draw(seed).to_string()).collect();
        for (seed, text) in printed.iter().enumerate() {
            assert_eq!(*text, Swarm::draw(seed as u64).to_string());
        }
        let different: std::collections::BTreeSet<&String> = printed.iter().collect();
        assert!(different.len() > 50);
    }

    #[test]
    fn leaving_a_fault_out_changes_none_of_the_others() {
        let all: Vec<FaultId> = CATALOGUE.iter().map(|entry| entry.id).collect();
        let whole = Swarm::of(7, &all);
        for id in &all {
            let others: Vec<FaultId> = all.iter().copied().filter(|one| one != id).collect();
            let mut expected = whole.injections.clone();
            expected.retain(|(one, _)| one != id);
            assert_eq!(Swarm::of(7, &others).injections, expected, "{id}");
        }
    }

    #[test]
    fn every_fault_is_drawn_by_some_seed() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..400 {
            seen.extend(Swarm::draw(seed).ids());
        }
        assert_eq!(seen.len(), CATALOGUE.len());
    }
}
