//! `bedrail onboard --watch`: stays up, looks at the organization on a schedule and whenever it is woken.
//!
//! It looks once when it starts, and what a message says is read from the organization. So a message may be deleted as
//! soon as it is noted that there is something to look at: what was noted and not done by a process that died is found
//! by the next one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::health::{self, Health};
use super::onboard::{Arguments, Ask, Done, once};
use super::options::{Common, Format};
use super::render::{sanitize, streams};
use super::session::{Session, Stop};
use super::signals;
use crate::aws::{Aws, AwsError};
use crate::clock::Clock;
use crate::ids::AccountId;
use crate::onboard::message::{self, Malformed};

/// The longest that SQS lets a request wait.
const LONG_POLL: Duration = Duration::from_secs(20);
/// A burst of messages is over when nothing came for this long; it is waited for no longer than a minute.
const QUIET: Duration = Duration::from_secs(5);
const BURST_MAX: Duration = Duration::from_secs(60);
const BACKOFF_FIRST: Duration = Duration::from_secs(5);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// Name of the metric, in the namespace Bedrail, with the dimension Rollout.
const METRIC: &str = "AccountsNotOnboarded";

struct Watcher<'a> {
    common: &'a Common,
    arguments: &'a Arguments,
    aws: Aws,
    rollout: String,
    clock: Clock,
    health: Arc<Mutex<Health>>,
    stop: CancellationToken,
    /// Since when accounts are not onboarded, as far as this process knows.
    open: BTreeMap<AccountId, Timestamp>,
    /// Messages that were said to be malformed.
    malformed: std::collections::BTreeSet<String>,
    /// How much of each wait is waited.
    scale: f64,
}

pub async fn watch(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        signals::asked_to_stop().await;
        asked.cancel();
    });
    let clock = session.aws.clock();
    let health = Arc::new(Mutex::new(Health::starting(
        clock,
        arguments.every.saturating_mul(3) + arguments.wait,
    )));
    let mut watcher = Watcher {
        common,
        arguments,
        aws: session.aws.clone(),
        rollout: session.loaded.rollout.name.clone(),
        clock,
        health: health.clone(),
        stop: stop.clone(),
        open: BTreeMap::new(),
        malformed: std::collections::BTreeSet::new(),
        scale: session.time_scale(),
    };
    // Receiving hides messages and a metric is published: both are writes.
    session.aws.allow_writes();
    if let Some(address) = arguments.health {
        let at = health::serve(address, health, stop)
            .await
            .map_err(|error| Stop::Usage {
                message: format!("cannot listen on {address}: {error}"),
                help: "choose another address for --health".to_owned(),
            })?;
        watcher.log(
            "listening",
            json!({ "health": format!("http://{at}/health") }),
        );
    }
    watcher.check_queue().await?;
    watcher.stay().await;
    session.close()?;
    Ok(Exit::Done)
}

impl Watcher<'_> {
    async fn check_queue(&self) -> Result<(), Stop> {
        let Some(queue) = &self.arguments.queue else {
            self.log(
                "watching",
                json!({ "every": self.arguments.every.as_secs() }),
            );
            return Ok(());
        };
        if !self.aws.has_dead_letter_queue(queue).await? {
            return Err(Stop::Usage {
                message: format!("{queue} has no dead-letter queue: what cannot be read there would come again for ever"),
                help: "give it a redrive policy, or deploy templates/management/onboarding-events.yaml".to_owned(),
            });
        }
        self.log(
            "watching",
            json!({ "queue": queue, "every": self.arguments.every.as_secs() }),
        );
        Ok(())
    }

    async fn stay(&mut self) {
        let mut backoff = BACKOFF_FIRST;
        let mut next = Instant::now();
        while !self.stop.is_cancelled() {
            let woken = self.wait_until(next).await;
            if self.stop.is_cancelled() {
                break;
            }
            if woken {
                self.let_the_burst_pass().await;
            }
            let every = self.arguments.every;
            next = match self.look(woken).await {
                true => {
                    backoff = BACKOFF_FIRST;
                    Instant::now() + every
                }
                false => {
                    let wait = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                    let least = Duration::from_secs(1);
                    Instant::now() + wait.mul_f64(self.scale).max(least).min(every)
                }
            };
        }
        self.log("stopped", json!({}));
    }

    /// Waits for a message that wakes (`true`), or until it is time.
    async fn wait_until(&mut self, next: Instant) -> bool {
        let mut trouble = BACKOFF_FIRST;
        loop {
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.is_cancelled() {
                return false;
            }
            let stop = self.stop.clone();
            let Some(queue) = self.arguments.queue.clone() else {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(left) => {}
                }
                return false;
            };
            let wait = LONG_POLL.min(left.max(Duration::from_secs(1)));
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                received = self.receive(&queue, wait) => received,
            };
            match received {
                Ok(true) => return true,
                Ok(false) => trouble = BACKOFF_FIRST,
                Err(error) => {
                    self.log(
                        "queueFailed",
                        json!({ "code": error.code, "message": sanitize::clean(&error.message) }),
                    );
                    let pause = trouble.min(left);
                    trouble = (trouble * 2).min(BACKOFF_MAX);
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return false,
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            }
        }
    }

    /// One long poll. Whether any of the messages wakes.
    async fn receive(&mut self, queue: &str, wait: Duration) -> Result<bool, AwsError> {
        let asked = Instant::now();
        let messages = self.aws.receive_messages(queue, wait).await?;
        if messages.is_empty() {
            // Something that stands in for SQS may not wait: it is not asked in a circle.
            let early = Duration::from_secs(1).saturating_sub(asked.elapsed());
            tokio::time::sleep(early.min(wait)).await;
        }
        let mut woken = false;
        for received in messages {
            match message::parse(&received.body) {
                Ok(wake) => {
                    self.log(
                        "message",
                        json!({
                            "id": received.id, "name": sanitize::clean(&wake.event), "account": wake.account,
                            "wakes": wake.wakes, "received": received.received,
                        }),
                    );
                    woken |= wake.wakes;
                    self.delete(queue, &received.receipt).await;
                }
                Err(why) => self.leave(&received.id, &why),
            }
        }
        Ok(woken)
    }

    /// A message that comes again is no harm.
    async fn delete(&self, queue: &str, receipt: &str) {
        if let Err(error) = self.aws.delete_message(queue, receipt).await {
            self.log("messageStays", json!({ "code": error.code }));
        }
    }

    /// What cannot be read is left to the queue, which moves it to the dead-letter queue.
    fn leave(&mut self, id: &str, why: &Malformed) {
        if self.malformed.len() > 10_000 {
            self.malformed.clear();
        }
        if self.malformed.insert(id.to_owned()) {
            self.log("malformed", json!({ "id": id, "message": why.to_string() }));
        }
    }

    /// Accounts often come in numbers, and an account is created in one event and moved in another.
    async fn let_the_burst_pass(&mut self) {
        let Some(queue) = self.arguments.queue.clone() else {
            return;
        };
        let end = Instant::now() + BURST_MAX.mul_f64(self.scale);
        let quiet = QUIET.mul_f64(self.scale);
        while Instant::now() < end && !self.stop.is_cancelled() {
            match self.receive(&queue, quiet).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            }
        }
    }

    /// One look at the organization. `false`: it is to be looked at again soon.
    async fn look(&mut self, woken: bool) -> bool {
        let began = Instant::now();
        let outcome = once(self.common, self.arguments, Ask::Nobody).await;
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (good, fields) = match outcome {
            Ok(done) => {
                let good = matches!(done.exit, Exit::Done | Exit::Partial);
                let open = self.note_open(&done);
                if good {
                    self.publish(open).await;
                }
                let fields = json!({
                    "woken": woken, "exit": done.exit as u8, "onboarded": done.onboarded, "open": done.open,
                    "milliseconds": took,
                });
                (good, fields)
            }
            Err(stop) => {
                let exit = stop.report(self.common.format);
                (
                    false,
                    json!({ "woken": woken, "exit": exit as u8, "message": sanitize::clean(&stop.to_string()), "milliseconds": took }),
                )
            }
        };
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.looked(self.clock.now(), good, self.open.len());
        drop(health);
        self.log("looked", fields);
        good
    }

    /// How many accounts are open for longer than they may.
    fn note_open(&mut self, done: &Done) -> usize {
        let now = self.clock.now();
        self.open
            .retain(|account, _| done.open.contains_key(account));
        for account in done.open.keys() {
            let since = done.history.since.get(account).copied().unwrap_or(now);
            let first = self.open.entry(account.clone()).or_insert(since);
            *first = (*first).min(since);
        }
        let limit = SignedDuration::try_from(self.arguments.alarm_after).unwrap_or_default();
        self.open
            .values()
            .filter(|since| now.duration_since(**since) >= limit)
            .count()
    }

    async fn publish(&self, open: usize) {
        if let Err(error) = self.aws.put_count(METRIC, &self.rollout, open).await {
            self.log(
                "metricFailed",
                json!({ "code": error.code, "message": sanitize::clean(&error.message) }),
            );
        }
    }

    /// One line of JSON on stdout, or of text on stderr.
    fn log(&self, event: &str, fields: Value) {
        let at = self.clock.now();
        match self.common.format {
            Format::Json => {
                let mut line = json!({ "at": at, "event": event });
                if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
                    line.extend(fields);
                }
                streams::result_line(&line.to_string());
            }
            Format::Text | Format::Markdown => {
                let words: Vec<String> = fields
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                streams::notice(&format!("{at} {event} {}", words.join(" ")));
            }
        }
    }
}
