//! The handle that connector and server share.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use super::{
    clock::Clock,
    connector::InProcess,
    faults::{Faults, Verdict, throttled},
    limits::Buckets,
    store::{Store, StoreError},
    wire::{Observed, Parsed, dispatch},
    world::{Region, World, sts},
};

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The connection broke after the request was carried out.
    #[error("connection reset by peer")]
    Lost,
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
            })),
        }
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// An HTTP client for the SDK that ends here.
    pub fn http_client(&self) -> InProcess {
        InProcess::new(self.clone())
    }

    /// Answers one request at the clock's time.
    ///
    /// # Errors
    /// [`NoAnswer`] if the caller is to see a broken connection.
    pub fn call(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        let now = self.clock.now();
        let parsed = match Parsed::of(request) {
            Ok(parsed) => parsed,
            Err(why) => return Ok(dispatch::unreadable(&why)),
        };
        let inner = &mut *self.lock();
        let Some(mut store) = inner.store.take() else {
            return match inner.answer(&parsed, now) {
                Ok((response, _)) => Ok(response),
                Err(Gone { .. }) => Err(NoAnswer::Lost),
            };
        };
        let outcome = store.locked(|store| {
            store.catch_up(&mut inner.world)?;
            let (answer, changed) = match inner.answer(&parsed, now) {
                Ok((response, changed)) => (Some(response), changed),
                Err(Gone { changed }) => (None, changed),
            };
            if changed {
                store.append(request, now)?;
            }
            Ok(answer)
        });
        inner.store = Some(store);
        outcome?.ok_or(NoAnswer::Lost)
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

/// The answer got lost; whether the world may have changed.
struct Gone {
    changed: bool,
}

impl Inner {
    /// The answer and whether the world may have changed by it.
    fn answer(&mut self, parsed: &Parsed, now: Timestamp) -> Result<(Response<Bytes>, bool), Gone> {
        let caller = sts::caller::resolve(&self.world, parsed).ok();
        let account = caller.map(|caller| caller.account);
        let verdict = self.faults.judge(parsed, account.as_ref()).or_else(|| {
            let account = account.as_ref()?;
            let region = Region(parsed.region().to_owned());
            let admitted = !self.world.settings.published_rates
                || self
                    .buckets
                    .admit(parsed.service, &parsed.operation, account, &region, now);
            (!admitted).then(|| Verdict::Instead(throttled(parsed.service)))
        });
        if let Some(Verdict::Instead(error)) = verdict {
            let (response, observed) = dispatch::refusal(parsed, account, &error, now);
            self.note(&observed);
            return Ok((response, false));
        }
        let (response, observed) = self.world.answer(parsed, now);
        let changed = !observed.read;
        match verdict {
            None => {
                self.note(&observed);
                Ok((response, changed))
            }
            Some(Verdict::Lost) => {
                self.note(&Observed {
                    status: 0,
                    code: Some("ConnectionReset".to_owned()),
                    ..observed
                });
                Err(Gone { changed })
            }
            Some(Verdict::After(error) | Verdict::Instead(error)) => {
                let (response, observed) = dispatch::refusal(parsed, account, &error, now);
                self.note(&observed);
                Ok((response, changed))
            }
        }
    }

    fn note(&mut self, observed: &Observed) {
        *self
            .counts
            .entry((observed.service, observed.operation.clone()))
            .or_default() += 1;
        if let Some(observer) = &mut self.observer {
            observer(observed);
        }
    }
}
