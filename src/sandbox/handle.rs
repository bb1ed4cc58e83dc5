//! The handle that connector and server share.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use super::{
    clock::Clock,
    connector::InProcess,
    faults::{
        FaultId, Faults, Swarm, Verdict, date_header, mishap::Side, swarm::Running, throttled,
    },
    freeze::{Freeze, Freezes, Frozen, Line, Point},
    latency::Latency,
    limits::Buckets,
    observed::{Fate, Observed},
    store::{Store, StoreError},
    wire::{Parsed, dispatch, service::Service},
    world::{Caller, Region, World, cloudformation::stack_sets::mishaps, sts},
};

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The connection broke after the request was carried out.
    #[error("connection reset by peer")]
    Lost,
    /// The connection stays open and nothing comes.
    #[error("no answer")]
    Never,
    /// The address is not known.
    #[error("failed to look up address: name or service not known")]
    NoHost,
    #[error("the saved organization cannot be used: {0}")]
    Store(#[from] StoreError),
}

type Observer = Box<dyn FnMut(&Observed) + Send>;

/// A running sandbox: a world, a clock, and those who watch. Clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    world: World,
    store: Option<Store>,
    faults: Faults,
    buckets: Buckets,
    observer: Option<Observer>,
    counts: BTreeMap<(&'static str, String), u64>,
    freezes: Freezes,
    requests: u64,
    running: Running,
    latency: Latency,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A world that lives as long as this process.
    pub fn in_memory(world: World, clock: Clock) -> Self {
        Self::new(world, None, clock)
    }

    /// A new world, kept in a folder.
    ///
    /// # Errors
    /// See [`Store::create`].
    pub fn create(folder: &Path, world: World, clock: Clock) -> Result<Self, StoreError> {
        let store = Store::create(folder, &world)?;
        Ok(Self::new(world, Some(store), clock))
    }

    /// The world that a folder keeps. Other processes may use it at the same time.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, StoreError> {
        let (store, world) = Store::open(folder)?;
        Ok(Self::new(world, Some(store), clock))
    }

    fn new(world: World, store: Option<Store>, clock: Clock) -> Self {
        Self {
            clock,
            inner: Arc::new(Mutex::new(Inner {
                world,
                store,
                faults: Faults::default(),
                buckets: Buckets::default(),
                observer: None,
                counts: BTreeMap::new(),
                freezes: Freezes::default(),
                requests: 0,
                running: Running::default(),
                latency: Latency::default(),
            })),
        }
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// An HTTP client for the SDK that ends here.
    pub fn http_client(&self) -> InProcess {
        self.http_client_of(0)
    }

    /// An HTTP client for one of several processes that use the sandbox at the same time.
    pub fn http_client_of(&self, line: Line) -> InProcess {
        InProcess::new(self.clone(), line)
    }

    /// Lets a process crash at one of its requests. Its request never ends and nothing that it sends from
    /// then on is seen, until [`Sandbox::thaw`].
    pub fn freeze(&self, freeze: Freeze) -> Frozen {
        self.lock().freezes.arm(freeze)
    }

    /// Takes every freeze back: what is sent from now on is answered.
    pub fn thaw(&self) {
        self.lock().freezes.thaw();
    }

    /// Answers one request at the clock's time.
    ///
    /// # Errors
    /// [`NoAnswer`] if the caller is to see a broken connection.
    pub fn call(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        self.call_on(0, request)
    }

    /// [`Sandbox::call`] of one of several processes.
    ///
    /// # Errors
    /// [`NoAnswer`] if the caller is to see a broken or a silent connection.
    pub fn call_on(
        &self,
        line: Line,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, NoAnswer> {
        match Parsed::of(request) {
            Ok(parsed) => self.call_parsed(line, request, &parsed),
            Err(why) => Ok(dispatch::unreadable(&why)),
        }
    }

    /// [`Sandbox::call_on`] for a request that was read already.
    ///
    /// # Errors
    /// [`NoAnswer`] if the caller is to see a broken or a silent connection.
    pub fn call_parsed(
        &self,
        line: Line,
        request: &Request<Bytes>,
        parsed: &Parsed,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let now = self.clock.now();
        let inner = &mut *self.lock();
        let asked = Asked {
            line,
            parsed,
            body: request.body(),
        };
        let Some(mut store) = inner.store.take() else {
            return inner.answer(asked, now).0;
        };
        let outcome = store.locked(|store| {
            store.catch_up(&mut inner.world)?;
            let (answer, changed) = inner.answer(asked, now);
            match changed {
                Changed::No => {}
                Changed::ByRequest => store.append(request, now)?,
                Changed::Otherwise => store.save(&inner.world)?,
            }
            Ok(answer)
        });
        inner.store = Some(store);
        outcome?
    }

    /// Has every request reported after it was answered.
    pub fn observe(&self, observer: impl FnMut(&Observed) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// How often each operation of each service was called through this handle.
    pub fn counts(&self) -> BTreeMap<(&'static str, String), u64> {
        self.lock().counts.clone()
    }

    /// From now on requests through this handle meet these faults.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Lets loose what a seed has drawn, in the place of any faults there are.
    ///
    /// # Errors
    /// See [`Sandbox::change`].
    pub fn inject(&self, swarm: &Swarm) -> Result<(), StoreError> {
        self.change(|world| swarm.prepare(world))?;
        let inner = &mut *self.lock();
        inner.faults = swarm.rules();
        inner.running = Running::of(swarm);
        inner.latency = Latency::of(swarm);
        Ok(())
    }

    /// Ends every fault: nothing more goes wrong, and what was stuck goes on. What has happened stays,
    /// and so do page sizes and lags.
    ///
    /// # Errors
    /// See [`Sandbox::change`].
    pub fn heal(&self) -> Result<(), StoreError> {
        self.change(|world| {
            world.cloudformation.faults.clear();
            mishaps::release(world);
        })?;
        let inner = &mut *self.lock();
        inner.faults.stop();
        inner.running.stop();
        Ok(())
    }

    /// How often each fault has struck since it was injected.
    pub fn fired(&self) -> BTreeMap<FaultId, u64> {
        let inner = &mut *self.lock();
        let mut fired = inner.running.fired().clone();
        let resources = inner.world.cloudformation.faults.struck();
        let counts = inner
            .faults
            .fired()
            .iter()
            .map(|(id, count)| (*id, *count))
            .chain(
                resources
                    .iter()
                    .map(|(number, count)| (FaultId(*number), *count)),
            );
        for (id, count) in counts {
            *fired.entry(id).or_default() += count;
        }
        fired
    }

    /// How long the next request, and its answer, are on their way.
    pub(super) fn latency(&self) -> (Duration, Duration) {
        self.lock().latency.next()
    }

    /// Looks at the world as it is now.
    ///
    /// # Errors
    /// See [`Store::open`]; a world in memory has none.
    pub fn look<T>(&self, with: impl FnOnce(&World) -> T) -> Result<T, StoreError> {
        let now = self.clock.now();
        let inner = &mut *self.lock();
        let Some(mut store) = inner.store.take() else {
            inner.world.advance_to(now);
            return Ok(with(&inner.world));
        };
        let outcome = store.exclusively(&mut inner.world, |world, _| {
            world.advance_to(now);
            Ok(with(world))
        });
        inner.store = Some(store);
        outcome
    }

    /// Changes the world behind the services' backs: settings, seeds, mishaps. A kept world is saved
    /// whole, since such a change is no request that could be logged.
    ///
    /// # Errors
    /// See [`Store::open`]; a world in memory has none.
    pub fn change<T>(&self, with: impl FnOnce(&mut World) -> T) -> Result<T, StoreError> {
        let now = self.clock.now();
        let inner = &mut *self.lock();
        let Some(mut store) = inner.store.take() else {
            inner.world.advance_to(now);
            return Ok(with(&mut inner.world));
        };
        let outcome = store.exclusively(&mut inner.world, |world, store| {
            world.advance_to(now);
            let outcome = with(world);
            store.save(world)?;
            Ok(outcome)
        });
        inner.store = Some(store);
        outcome
    }

    /// At a clean exit: shortens what the next start has to read. Not calling it loses nothing.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn close(&self) -> Result<(), StoreError> {
        let inner = &mut *self.lock();
        match &mut inner.store {
            None => Ok(()),
            Some(store) => store.compact(&mut inner.world),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the world may have changed with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    No,
    ByRequest,
    /// A mishap came with it, which no log of requests would repeat.
    Otherwise,
}

/// A request and who sent it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    line: Line,
    parsed: &'a Parsed,
    body: &'a [u8],
}

impl Inner {
    /// The answer, and whether the world may have changed.
    fn answer(
        &mut self,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> (Result<Response<Bytes>, NoAnswer>, Changed) {
        let Asked { line, parsed, .. } = asked;
        if self.freezes.is_frozen(line) {
            return (Err(NoAnswer::Never), Changed::No);
        }
        self.requests += 1;
        self.world.advance_to(now);
        let read = parsed.is_read();
        let caller = sts::caller::resolve(&self.world, parsed).ok();
        let freeze = self
            .freezes
            .count(line, !read && parsed.service != Service::Sts);
        if freeze == Some(Point::Before) {
            let observed = Observed {
                fate: Fate::Vanished,
                ..Observed::of(parsed, caller.as_ref(), now)
            };
            self.note(asked, observed);
            self.freezes.freeze(line);
            return (Err(NoAnswer::Never), Changed::No);
        }
        let account = caller.as_ref().map(|caller| &caller.account);
        let mut whole = self
            .running
            .pass(&mut self.world, parsed, account, Side::Before);
        let verdict = self.verdict(parsed, caller.as_ref(), now);
        let (answer, observed) = match verdict {
            Some(Verdict::Instead(error)) => {
                let (response, observed) = dispatch::refusal(parsed, caller.as_ref(), &error, now);
                (Ok(response), observed)
            }
            Some(Verdict::InsteadAt(error, there)) => {
                let (mut response, observed) =
                    dispatch::refusal(parsed, caller.as_ref(), &error, now);
                if let Some(date) = date_header(there) {
                    response.headers_mut().insert(http::header::DATE, date);
                }
                (Ok(response), observed)
            }
            Some(Verdict::Nothing(how)) => {
                let observed = Observed {
                    fate: Fate::Vanished,
                    ..Observed::of(parsed, caller.as_ref(), now)
                };
                (Err(how.no_answer()), observed)
            }
            None => {
                let (response, observed) = self.world.answer(parsed, now);
                (Ok(response), observed)
            }
            Some(Verdict::Unheard(how)) => {
                let (_, observed) = self.world.answer(parsed, now);
                let observed = Observed {
                    status: 0,
                    fate: Fate::ServedUnheard,
                    ..observed
                };
                (Err(how.no_answer()), observed)
            }
            Some(Verdict::After(error)) => {
                let (_, served) = self.world.answer(parsed, now);
                let (response, told) = dispatch::refusal(parsed, caller.as_ref(), &error, now);
                let observed = Observed {
                    status: told.status,
                    code: told.code,
                    fate: Fate::ServedButBroken,
                    ..served
                };
                (Ok(response), observed)
            }
        };
        whole |= self
            .running
            .pass(&mut self.world, parsed, account, Side::After);
        let changed = if whole {
            Changed::Otherwise
        } else if !read && observed.fate.reached_service() {
            Changed::ByRequest
        } else {
            Changed::No
        };
        if freeze == Some(Point::After) {
            let observed = Observed {
                status: 0,
                fate: if observed.fate.reached_service() {
                    Fate::ServedUnheard
                } else {
                    Fate::Vanished
                },
                ..observed
            };
            self.note(asked, observed);
            self.freezes.freeze(line);
            return (Err(NoAnswer::Never), changed);
        }
        self.note(asked, observed);
        (answer, changed)
    }

    /// What faults and rates make of a request.
    fn verdict(
        &mut self,
        parsed: &Parsed,
        caller: Option<&Caller>,
        now: Timestamp,
    ) -> Option<Verdict> {
        let account = caller.map(|caller| &caller.account);
        let is_member =
            account.is_some_and(|account| *account != self.world.organizations.management_account);
        let verdict = self.faults.judge(parsed, account, is_member, now);
        verdict.or_else(|| {
            let account = account?;
            let region = Region(parsed.region().to_owned());
            let admitted = !self.world.settings.published_rates
                || self
                    .buckets
                    .admit(parsed.service, &parsed.operation, account, &region, now);
            (!admitted).then(|| Verdict::Instead(throttled(parsed.service)))
        })
    }

    fn note(&mut self, asked: Asked<'_>, mut observed: Observed) {
        *self
            .counts
            .entry((observed.service, observed.operation.clone()))
            .or_default() += 1;
        self.running.note(&observed);
        if let Some(observer) = &mut self.observer {
            observed.number = self.requests;
            observed.line = asked.line;
            observed.in_full(asked.parsed, asked.body);
            observer(&observed);
        }
    }
}
