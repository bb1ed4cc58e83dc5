//! The way to AWS: an HTTP client for the SDK that ends in the sandbox, records every call, has the checkers look on,
//! and is where a process dies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use fastrand::Rng;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::sandbox::Sandbox;
use crate::sandbox::handle::NoAnswer;
use crate::sandbox::wire::parsed::Body;
use crate::sandbox::wire::{Observed, Parsed};

use super::disk::Intended;
use super::draw::{Crash, Point, Sleep};
use super::invariants::{Facts, Judge};
use super::record::{Call, Stage};

/// What all processes of a run share.
#[derive(Debug)]
pub struct Traffic {
    pub judge: Judge,
    pub calls: Vec<Call>,
    last: Arc<Mutex<Option<Observed>>>,
    rng: Rng,
    delay_millis: u64,
    hang_per_mille: u64,
}

/// The recorder of a run.
#[derive(Debug, Clone)]
pub struct Recorder {
    sandbox: Sandbox,
    traffic: Arc<Mutex<Traffic>>,
}

impl Recorder {
    pub fn new(sandbox: &Sandbox, facts: Facts, seed: u64, wire: super::draw::Wire) -> Self {
        let last: Arc<Mutex<Option<Observed>>> = Arc::default();
        let into = Arc::clone(&last);
        sandbox.observe(move |observed| {
            *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(observed.clone());
        });
        Self {
            sandbox: sandbox.clone(),
            traffic: Arc::new(Mutex::new(Traffic {
                judge: Judge::new(facts),
                calls: Vec::new(),
                last,
                rng: Rng::with_seed(seed ^ 0x0057_1C2E),
                delay_millis: wire.delay_millis,
                hang_per_mille: wire.hang_per_mille,
            })),
        }
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut Traffic) -> T) -> T {
        f(&mut self.lock())
    }

    /// From now on requests arrive at once and are answered.
    pub fn heal(&self) {
        let mut traffic = self.lock();
        traffic.delay_millis = 0;
        traffic.hang_per_mille = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process: what it is doing, and when it dies.
#[derive(Debug, Clone)]
pub struct Process {
    pub number: usize,
    recorder: Recorder,
    state: Arc<Mutex<State>>,
    died: Arc<Notify>,
    interrupted: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    crash: Option<Crash>,
    interrupt_at: Option<usize>,
    sleep: Option<Sleep>,
    asleep_until: Option<Instant>,
    mutating: usize,
    dead: bool,
}

impl Process {
    pub fn new(
        recorder: &Recorder,
        number: usize,
        crash: Option<Crash>,
        interrupt_at: Option<usize>,
    ) -> Self {
        Self {
            number,
            recorder: recorder.clone(),
            state: Arc::new(Mutex::new(State {
                stage: Stage::Planning,
                crash,
                interrupt_at,
                sleep: None,
                asleep_until: None,
                mutating: 0,
                dead: false,
            })),
            died: Arc::default(),
            interrupted: Arc::default(),
        }
    }

    pub fn turns_to(&self, stage: Stage) {
        self.lock().stage = stage;
    }

    /// Ends when it is time for Ctrl-C.
    pub async fn interruption(&self) {
        self.interrupted.notified().await;
    }

    /// Ends when the process dies; never, if it does not.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Runs until the work is done or the process dies in the middle of it: whatever it held is gone then.
    pub async fn lives<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.death() => None,
            done = self.with_sleep(work) => Some(done),
        }
    }

    /// While it sleeps nothing in it is looked at: its timers have run out when it wakes.
    async fn with_sleep<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let awake = std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Ok(done)),
                Poll::Pending => match self.lock().asleep_until.take() {
                    Some(until) => Poll::Ready(Err(until)),
                    None => Poll::Pending,
                },
            });
            match awake.await {
                Ok(done) => return done,
                Err(until) => tokio::time::sleep_until(until).await,
            }
        }
    }

    /// It is going to be frozen for a while.
    pub fn will_sleep(&self, sleep: Option<Sleep>) {
        self.lock().sleep = sleep;
    }

    /// Falls asleep, if it is time: what it was sent is there when it wakes.
    async fn nods(&self, mutating: bool) {
        let asleep = {
            let mut state = self.lock();
            let due = state
                .sleep
                .filter(|sleep| mutating && sleep.nth == state.mutating);
            if let Some(sleep) = due {
                let until = Instant::now() + Duration::from_secs(u64::from(sleep.seconds));
                state.asleep_until = Some(until);
                state.sleep = None;
            }
            due.is_some()
        };
        if asleep {
            self.recorder
                .with(|traffic| traffic.judge.findings.fires(89));
            tokio::task::yield_now().await;
        }
    }

    /// From here on nothing that it does has any effect.
    pub fn dies_now(&self) {
        self.lock().dead = true;
        self.died.notify_one();
    }

    async fn dies<T>(&self) -> T {
        self.dies_now();
        std::future::pending().await
    }

    /// These intents are durable in the journal that it writes.
    pub fn intends(&self, intents: Vec<Intended>) {
        self.recorder
            .with(|traffic| traffic.judge.journals.intends(self.number, intents));
    }

    /// Has the checkers note something about what it writes.
    pub fn records(&self, note: impl FnOnce(&mut Judge)) {
        self.recorder.with(|traffic| note(&mut traffic.judge));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body: Bytes = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
        let request = http::Request::from_parts(parts, body);
        if self.lock().dead {
            return std::future::pending().await;
        }
        self.travel().await;
        let Ok(parsed) = Parsed::of(&request) else {
            let text = "the sandbox cannot read this request";
            return Err(ConnectorError::other(text.into(), None));
        };
        let input = Arc::new(match &parsed.body {
            Body::Shape(input) => input.clone(),
            Body::S3(_) => Value::Null,
        });
        let point = self.counts(&parsed);
        if point == Some(Point::Before) {
            return self.dies().await;
        }
        let hangs = self.recorder.with(|traffic| {
            traffic.hang_per_mille > 0 && traffic.rng.u64(0..1_000) < traffic.hang_per_mille
        });
        let before = self.call(&parsed, &input, None);
        let read = before.read;
        let _ = self.recorder.sandbox.look(|world| {
            self.recorder
                .with(|traffic| traffic.judge.before(world, &before));
        });
        let answer = self.recorder.sandbox.call_parsed(0, &request, &parsed);
        let observed = self.recorder.with(|traffic| {
            traffic
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        });
        let mut call = self.call(&parsed, &input, observed);
        if hangs {
            call.status = 0;
            call.code = Some("Hangs".to_owned());
        }
        debug_assert_eq!(call.read, read);
        let _ = self.recorder.sandbox.look(|world| {
            self.recorder.with(|traffic| {
                traffic.judge.after(world, &call);
                traffic.calls.push(call);
            });
        });
        if point == Some(Point::After) {
            return self.dies().await;
        }
        if hangs {
            return std::future::pending().await;
        }
        self.nods(!read).await;
        self.travel().await;
        match answer {
            Ok(answer) => HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None)),
            Err(NoAnswer::Never) => std::future::pending().await,
            Err(lost @ (NoAnswer::Lost | NoAnswer::NoHost)) => Err(ConnectorError::io(lost.into())),
            Err(broken) => Err(ConnectorError::other(broken.into(), None)),
        }
    }

    async fn travel(&self) {
        let millis = self.recorder.with(|traffic| {
            let most = traffic.delay_millis;
            if most == 0 {
                0
            } else {
                traffic.rng.u64(0..=most)
            }
        });
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    /// Counts a mutating call; says whether the process dies at it.
    fn counts(&self, parsed: &Parsed) -> Option<Point> {
        let mut state = self.lock();
        let read = crate::sandbox::wire::reads::is_read(parsed.service, &parsed.operation);
        if read || parsed.operation == "AssumeRole" {
            return None;
        }
        state.mutating += 1;
        if state.interrupt_at == Some(state.mutating) {
            self.interrupted.notify_one();
        }
        state
            .crash
            .filter(|crash| crash.nth == state.mutating)
            .map(|crash| crash.point)
    }

    fn call(&self, parsed: &Parsed, input: &Arc<Value>, observed: Option<Observed>) -> Call {
        let state = self.lock();
        let account = match &observed {
            Some(observed) => observed.account.clone(),
            None => self
                .recorder
                .sandbox
                .look(|world| {
                    crate::sandbox::world::sts::caller::resolve(world, parsed)
                        .ok()
                        .map(|caller| caller.account)
                })
                .ok()
                .flatten(),
        };
        Call {
            at: self.recorder.sandbox.clock().now(),
            process: self.number,
            stage: state.stage,
            service: parsed.service.name(),
            operation: parsed.operation.clone(),
            account,
            region: crate::sandbox::world::Region(parsed.region().to_owned()),
            access_key: parsed
                .scope
                .as_ref()
                .map(|scope| scope.access_key.clone())
                .unwrap_or_default(),
            input: Arc::clone(input),
            status: observed.as_ref().map_or(0, |observed| observed.status),
            code: observed.as_ref().and_then(|observed| observed.code.clone()),
            read: crate::sandbox::wire::reads::is_read(parsed.service, &parsed.operation),
        }
    }
}

impl HttpClient for Process {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Process {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let process = self.clone();
        HttpConnectorFuture::new(async move { process.answer(request).await })
    }
}
