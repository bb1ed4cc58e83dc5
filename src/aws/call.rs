//! One call: its turn, its deadline, its session, its retries. The SDK's own retries are off, so this is the
//! only layer that sends anything twice.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;

use super::error::{AwsError, ErrorClass, classify};
use super::guard::{Guard, reads};
use super::witness::Sending;
use super::{Aws, Place};

/// Whether a call may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Changes nothing.
    Read,
    /// Has the same effect however often it is sent: the request carries a token, or the whole value.
    Idempotent,
    /// A second one could do harm or be refused: the caller reads first.
    Once,
}

/// An operation of the SDK, as the census and the pacing budgets name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub name: &'static str,
    pub effect: Effect,
}

pub(super) const fn read(name: &'static str) -> Operation {
    Operation {
        name,
        effect: Effect::Read,
    }
}

pub(super) const fn idempotent(name: &'static str) -> Operation {
    Operation {
        name,
        effect: Effect::Idempotent,
    }
}

pub(super) const fn once(name: &'static str) -> Operation {
    Operation {
        name,
        effect: Effect::Once,
    }
}

/// A client of one service.
pub(super) trait Client: Clone + Send + 'static {
    const SERVICE: &'static str;
    fn connect(config: &SdkConfig, guard: Guard) -> Self;
}

macro_rules! client {
    ($krate:ident, $service:literal) => {
        impl Client for $krate::Client {
            const SERVICE: &'static str = $service;
            fn connect(config: &SdkConfig, guard: Guard) -> Self {
                Self::from_conf(
                    $krate::config::Builder::from(config)
                        .interceptor(guard)
                        .build(),
                )
            }
        }
    };
}

client!(aws_sdk_bedrock, "Bedrock");
client!(aws_sdk_cloudformation, "CloudFormation");
client!(aws_sdk_cloudwatch, "CloudWatch");
client!(aws_sdk_iam, "IAM");
client!(aws_sdk_kms, "KMS");
client!(aws_sdk_organizations, "Organizations");
client!(aws_sdk_sqs, "SQS");
client!(aws_sdk_sts, "STS");

impl Client for aws_sdk_s3::Client {
    const SERVICE: &'static str = "S3";
    fn connect(config: &SdkConfig, guard: Guard) -> Self {
        // Buckets in the path: a custom endpoint on an address has no host names for them.
        let path_style = config.endpoint_url().is_some();
        Self::from_conf(
            aws_sdk_s3::config::Builder::from(config)
                .interceptor(guard)
                .force_path_style(path_style)
                .build(),
        )
    }
}

impl Aws {
    /// Reads a list to its end. `send` asks for the page of a token, `take` has its rows and the token of the next
    /// one. A page may be empty and still have a next one, so that only the missing token counts (Organizations API
    /// reference, every list).
    pub(super) async fn list<C, T, E, R>(
        &self,
        place: &Place,
        operation: Operation,
        send: impl AsyncFn(C, Option<String>) -> Result<T, SdkError<E, HttpResponse>>,
        take: impl Fn(T) -> Result<(R, Option<String>), AwsError>,
    ) -> Result<R, AwsError>
    where
        C: Client,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: Default + IntoIterator + Extend<R::Item>,
    {
        let mut all = R::default();
        let mut token = None;
        loop {
            let page = self
                .call(place, operation, async |client: C| {
                    send(client, token.clone()).await
                })
                .await
                .and_then(&take);
            let (part, next) = match page {
                Err(_) if mutant!(PartOfAListTakenForAll) => return Ok(all),
                other => other?,
            };
            all.extend(part);
            if next.is_none() || mutant!(FirstPageOnly) {
                return Ok(all);
            }
            token = next;
        }
    }
}

/// The longest that a throttled or failing call is tried again.
const PATIENCE: Duration = Duration::from_secs(300);
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(20);
const DEADLINE_READ: Duration = Duration::from_secs(30);
const DEADLINE_WRITE: Duration = Duration::from_secs(60);
/// Tries of a call whose answer was lost or that met a server fault; throttling is not counted.
const FAULTS_MAX: u32 = 5;

impl Aws {
    /// Sends one operation of client `C` in `place`, as often as its effect and the answers allow.
    pub(super) async fn call<C, T, E>(
        &self,
        place: &Place,
        operation: Operation,
        send: impl AsyncFn(C) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, AwsError>
    where
        C: Client,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let key = (
            C::SERVICE,
            operation.name,
            place.account.to_string(),
            place.region.to_string(),
        );
        let started = tokio::time::Instant::now();
        let deadline = if operation.effect == Effect::Read {
            DEADLINE_READ
        } else {
            DEADLINE_WRITE
        };
        let mut attempts = 0;
        let mut faults = 0;
        let mut renewed = false;
        let mut backoff = BACKOFF_FIRST;
        loop {
            self.inner.pacer.turn(&key).await;
            let credentials = if operation.effect == Effect::Read {
                self.credentials(place).await?
            } else {
                self.known_credentials(place).await?
            };
            let client = self.client(place, credentials);
            // Writes to Organizations that meet are refused (ConcurrentModificationException).
            let turn = if C::SERVICE == "Organizations" && !reads(operation.name) {
                Some(self.inner.organizations_writes.lock().await)
            } else {
                None
            };
            let noted = self.note(C::SERVICE, operation, place).await?;
            attempts += 1;
            let outcome = match tokio::time::timeout(deadline, send(client)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(describe(C::SERVICE, operation.name, place, &error)),
                Err(_) => {
                    let message = format!("no answer within {} s", deadline.as_secs());
                    Err(unanswered(
                        C::SERVICE,
                        operation,
                        place,
                        "TimedOut",
                        message,
                    ))
                }
            };
            if let (Some(witness), Some(call)) = (&self.witness, noted) {
                witness.after(call, outcome.as_ref().map(|_| ()));
            }
            drop(turn);
            let mut error = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            error.attempts = attempts;
            let again = match error.class {
                ErrorClass::Throttled => {
                    self.inner.pacer.throttled(&key);
                    true
                }
                // Organizations refuses writes that meet: it did nothing, so the same call can be sent again.
                ErrorClass::Conflict => error.code.starts_with("ConcurrentModification"),
                ErrorClass::Ambiguous => {
                    faults += 1;
                    (operation.effect != Effect::Once || mutant!(ResentAfterTimeOut))
                        && faults < FAULTS_MAX
                }
                ErrorClass::Stop if error.code.starts_with("ExpiredToken") && !renewed => {
                    // Refused before anything happened; a fresh session is worth one more try.
                    renewed = true;
                    self.forget_session(&place.account).await;
                    continue;
                }
                ErrorClass::Stop | ErrorClass::Propagation | ErrorClass::Definitive => {
                    mutant!(RefusalRetried)
                }
            };
            if !again || started.elapsed() > PATIENCE {
                return Err(error);
            }
            let wait = backoff.mul_f64(fastrand::f64());
            backoff = (backoff * 2).min(BACKOFF_MAX);
            tokio::time::sleep(wait).await;
        }
    }

    /// Has a call that changes something noted before it is sent.
    async fn note(
        &self,
        service: &'static str,
        operation: Operation,
        place: &Place,
    ) -> Result<Option<u64>, AwsError> {
        let Some(witness) = &self.witness else {
            return Ok(None);
        };
        if reads(operation.name) || mutant!(NoIntent) {
            return Ok(None);
        }
        let sending = Sending {
            service,
            operation: operation.name,
            place,
        };
        match witness.before(sending).await {
            Ok(call) => Ok(Some(call)),
            Err(refusal) => Err(AwsError {
                class: ErrorClass::Stop,
                ..unanswered(service, operation, place, refusal.code, refusal.message)
            }),
        }
    }
}

/// What is known of a call that got no answer.
fn unanswered(
    service: &'static str,
    operation: Operation,
    place: &Place,
    code: &str,
    message: String,
) -> AwsError {
    AwsError {
        service,
        operation: operation.name,
        account: Some(place.account.clone()),
        region: place.region.clone(),
        code: code.to_owned(),
        message,
        status: None,
        reason: None,
        class: ErrorClass::Ambiguous,
        attempts: 0,
    }
}

fn describe<E: ProvideErrorMetadata + std::error::Error + 'static>(
    service: &'static str,
    operation: &'static str,
    place: &Place,
    error: &SdkError<E, HttpResponse>,
) -> AwsError {
    let mut described = AwsError {
        service,
        operation,
        account: Some(place.account.clone()),
        region: place.region.clone(),
        code: String::new(),
        message: String::new(),
        status: error.raw_response().map(|raw| raw.status().as_u16()),
        reason: None,
        class: ErrorClass::Definitive,
        attempts: 0,
    };
    match error {
        SdkError::ServiceError(answer) => {
            let meta = answer.err().meta();
            described.code = meta
                .code()
                .map_or_else(|| status_code(described.status), str::to_owned);
            described.message = meta.message().unwrap_or("AWS gave no reason").to_owned();
            described.reason = answer.raw().body().bytes().and_then(reason_of);
            described.class = classify(&described.code, described.status);
        }
        other => {
            let (code, class) = match other {
                SdkError::TimeoutError(_) => ("TimedOut", ErrorClass::Ambiguous),
                SdkError::DispatchFailure(_) => ("NoAnswer", ErrorClass::Ambiguous),
                SdkError::ResponseError(_) => ("BadAnswer", ErrorClass::Ambiguous),
                _ => ("NotSent", ErrorClass::Definitive),
            };
            described.code = code.to_owned();
            described.class = class;
            described.message = causes(other);
        }
    }
    described
}

fn status_code(status: Option<u16>) -> String {
    status.map_or_else(|| "Unknown".to_owned(), |status| format!("Http{status}"))
}

/// The chain of causes below an SDK error, whose own text says only at which stage it arose.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    if texts.is_empty() {
        error.to_string()
    } else {
        texts.join(": ")
    }
}

/// `Reason` of the error shapes that have one (JSON protocols).
fn reason_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let reason = body.get("Reason").or_else(|| body.get("reason"))?;
    reason.as_str().map(str::to_owned)
}
