//! Journal first: what a run notes before it changes anything, and who may change anything at all.

use std::fmt::Debug;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::aws::AwsError;
use crate::aws::witness::{Refusal, Sending, Witness};
use crate::ids::{AccountId, Region};
use crate::plan::StepId;

use super::event::Event;

/// A call that is about to be sent, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    pub step: StepId,
    /// Counts from 1; a step is tried again only when it is known how the attempt before ended.
    pub attempt: u32,
    pub service: String,
    pub operation: String,
    pub account: AccountId,
    pub region: Region,
    /// The step's OperationId or ClientRequestToken.
    pub token: String,
    /// SHA-256 of what the step sends, from the plan.
    pub payload: String,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Answer {
    Ok,
    /// AWS's code and our class of it. Texts of AWS are not kept: they may hold what nobody should read.
    Error {
        code: String,
        class: String,
    },
}

/// Where a run keeps its memory. One order for everything; what [`Record::intend`] returned for is durable, and so
/// is everything that was noted before it.
pub trait Record: Debug {
    fn event(&self, event: &Event);

    /// What a target was like just before it is changed.
    fn preimage(&self, step: &StepId, key: &str, value: Json);

    /// Returns the call's number when the intent is durable and this process still may change things.
    ///
    /// # Errors
    /// The journal is closed, or the lease is lost: nothing may be sent.
    fn intend<'a>(&'a self, intent: Intent) -> LocalBoxFuture<'a, Result<u64, Refusal>>;

    fn answered(&self, call: u64, answer: Answer);

    /// Makes everything noted so far durable.
    ///
    /// # Errors
    /// As for [`Record::intend`].
    fn commit(&self) -> LocalBoxFuture<'_, Result<(), Refusal>>;
}

/// The witness of one attempt of one step.
#[derive(Debug)]
pub(super) struct StepWitness {
    pub record: Rc<dyn Record>,
    pub step: StepId,
    pub attempt: u32,
    pub token: String,
    pub payload: String,
}

impl Witness for StepWitness {
    fn before<'a>(&'a self, sending: Sending<'a>) -> LocalBoxFuture<'a, Result<u64, Refusal>> {
        let intent = Intent {
            step: self.step.clone(),
            attempt: self.attempt,
            service: sending.service.to_owned(),
            operation: sending.operation.to_owned(),
            account: sending.place.account.clone(),
            region: sending.place.region.clone(),
            token: self.token.clone(),
            payload: self.payload.clone(),
        };
        async move { self.record.intend(intent).await }.boxed_local()
    }

    fn after(&self, call: u64, outcome: Result<(), &AwsError>) {
        let answer = match outcome {
            Ok(()) => Answer::Ok,
            Err(error) => Answer::Error {
                code: error.code.clone(),
                class: format!("{:?}", error.class).to_lowercase(),
            },
        };
        self.record.answered(call, answer);
    }
}
