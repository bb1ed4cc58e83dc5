//! The handle that connector and server share.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response};

use super::{
    clock::Clock,
    connector::InProcess,
    wire::{Observed, Parsed, dispatch},
    world::World,
};

/// The connection broke after the request was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection reset by peer")]
pub struct Lost;

type Observer = Box<dyn FnMut(&Observed) + Send>;

/// A running sandbox: a world, a clock, and those who watch. Clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    world: World,
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
        Self {
            clock,
            inner: Arc::new(Mutex::new(Inner {
                world,
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
    /// [`Lost`] if the answer never reaches the caller.
    pub fn call(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Lost> {
        let now = self.clock.now();
        let inner = &mut *self.lock();
        let parsed = match Parsed::of(request) {
            Ok(parsed) => parsed,
            Err(why) => return Ok(dispatch::unreadable(&why)),
        };
        let (response, observed) = inner.world.answer(&parsed, now);
        inner.note(&observed);
        Ok(response)
    }

    /// Has every request reported after it was answered.
    pub fn observe(&self, observer: impl FnMut(&Observed) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// How often each operation of each service was called through this handle.
    pub fn counts(&self) -> BTreeMap<(&'static str, String), u64> {
        self.lock().counts.clone()
    }

    /// Looks at the world as it is now.
    pub fn look<T>(&self, with: impl FnOnce(&World) -> T) -> T {
        let now = self.clock.now();
        let inner = &mut *self.lock();
        inner.world.advance_to(now);
        with(&inner.world)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
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
