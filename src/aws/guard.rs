//! Interceptors that every client of ours carries: one counts the calls, one keeps read-only commands from
//! writing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use tokio::time::Instant;

/// Attempts by service and operation.
pub type Census = BTreeMap<(String, String), u64>;

/// Shared by all clients of one connection to AWS.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    writes_allowed: AtomicBool,
    census: Mutex<Census>,
    /// What the last answer said of the time, and when it came.
    date: Mutex<Option<(Timestamp, Instant)>>,
}

/// Operations that change nothing. Whatever is not here is a write.
pub(super) fn reads(operation: &str) -> bool {
    operation.starts_with("Describe")
        || operation.starts_with("List")
        || operation.starts_with("Get")
        || operation.starts_with("Head")
        || operation.starts_with("Simulate")
        // Hands out a session; without it no member account can be read.
        || operation == "AssumeRole"
}

/// A read-only command tried to write. A mistake of ours, stopped before it left the machine.
#[derive(Debug, thiserror::Error)]
#[error("{0} changes something, and this command only reads")]
pub struct WriteRefused(pub String);

impl Guard {
    /// From here on calls may change something.
    pub fn allow_writes(&self) {
        self.inner.writes_allowed.store(true, Ordering::Relaxed);
    }

    /// The time on the other side now, by the last answer that told it.
    pub fn their_time(&self) -> Option<Timestamp> {
        let (date, at) = (*self
            .inner
            .date
            .lock()
            .unwrap_or_else(PoisonError::into_inner))?;
        date.checked_add(at.elapsed()).ok()
    }

    /// What was called so far, retries included.
    pub fn census(&self) -> Census {
        self.inner
            .census
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = cfg.load::<Metadata>() else {
            return Ok(());
        };
        if reads(metadata.name()) || self.inner.writes_allowed.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(WriteRefused(metadata.name().to_owned()).into())
        }
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = cfg.load::<Metadata>() {
            let key = (metadata.service().to_owned(), metadata.name().to_owned());
            *self
                .inner
                .census
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .or_default() += 1;
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .headers()
            .get("date")
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        if let Some(date) = date {
            *self
                .inner
                .date
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some((date.timestamp(), Instant::now()));
        }
        Ok(())
    }
}
