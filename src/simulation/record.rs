//! What was called: the only account of a run that the checkers trust, besides the world.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::world::{AccountId, Region};

/// What the program was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Planning,
    Applying,
    RollingBack,
}

/// One request that reached AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub at: Timestamp,
    /// Who sent it, counted from 1; a process that goes on after a crash is another one.
    pub process: usize,
    pub stage: Stage,
    /// Signing name, for example `cloudformation`.
    pub service: &'static str,
    pub operation: String,
    /// The account that the credentials belong to; none if they were refused.
    pub account: Option<AccountId>,
    pub region: Region,
    pub access_key: String,
    pub input: Arc<Value>,
    /// 0: no answer was received.
    pub status: u16,
    pub code: Option<String>,
    pub read: bool,
}

impl Call {
    /// Changes something. AssumeRole only hands out a session.
    pub fn is_mutating(&self) -> bool {
        !self.read && self.operation != "AssumeRole"
    }

    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Not known to the caller whether it happened.
    pub fn is_ambiguous(&self) -> bool {
        self.status == 0 || self.status >= 500
    }

    pub fn text<'a>(&'a self, member: &str) -> Option<&'a str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// The texts of a list, wherever it stands in the input.
    pub fn texts(&self, pointer: &str) -> Vec<&str> {
        self.input
            .pointer(pointer)
            .and_then(Value::as_array)
            .map(|items| items.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    pub fn line(&self) -> String {
        let account = self
            .account
            .as_ref()
            .map_or("nobody", |account| account.0.as_str());
        let outcome = match (&self.code, self.status) {
            (Some(code), status) => format!("{status} {code}"),
            (None, status) => status.to_string(),
        };
        format!(
            "{} process {} {:?} {} {} in {account} {} → {outcome}",
            self.at, self.process, self.stage, self.service, self.operation, self.region
        )
    }
}
