//! What happened with one request, for those who count, log or check calls.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    freeze::Line,
    wire::{Parsed, parsed::Body},
    world::{AccountId, Caller, Region},
};

/// What became of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// The service did what it does, and its answer arrived.
    #[default]
    Served,
    /// Refused by a fault or a rate before the service saw it.
    Refused,
    /// The service did what was asked and the caller was told of a breakdown.
    ServedButBroken,
    /// The service did what was asked and the answer got lost or never came.
    ServedUnheard,
    /// The service never saw it, and no answer came.
    Vanished,
}

impl Fate {
    /// Whether the service saw the request, be it to refuse it.
    pub fn reached_service(self) -> bool {
        match self {
            Self::Served | Self::ServedButBroken | Self::ServedUnheard => true,
            Self::Refused | Self::Vanished => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Counts the requests of the sandbox from 1.
    pub number: u64,
    pub line: Line,
    pub at: Timestamp,
    /// Signing name, for example `cloudformation`.
    pub service: &'static str,
    pub operation: String,
    /// The account that called; none if the credentials were refused.
    pub account: Option<AccountId>,
    /// Who called, as GetCallerIdentity shows it.
    pub caller: Option<String>,
    pub region: Region,
    /// 0 if no answer came.
    pub status: u16,
    /// The error's code; none for a success.
    pub code: Option<String>,
    /// Whether the operation is one that changes nothing.
    pub read: bool,
    pub fate: Fate,
    /// Idempotency tokens and preconditions of the request, by member or header.
    pub tokens: BTreeMap<&'static str, String>,
    /// The input shape; null for S3.
    pub input: Value,
    /// SHA-256 of the body, in hexadecimal digits.
    pub body: String,
}

/// Members by which a service recognises a request that it has had before.
const TOKENS: &[&str] = &[
    "OperationId",
    "ClientRequestToken",
    "ClientToken",
    "clientRequestToken",
    "clientToken",
];
/// Headers that make a write depend on what is there.
const PRECONDITIONS: &[&str] = &["if-match", "if-none-match"];

impl Observed {
    /// What a request says of itself.
    pub(super) fn of(parsed: &Parsed, caller: Option<&Caller>, at: Timestamp) -> Self {
        let mut tokens = BTreeMap::new();
        if let Body::Shape(input) = &parsed.body {
            for name in TOKENS {
                if let Some(token) = input.get(name).and_then(Value::as_str) {
                    tokens.insert(*name, token.to_owned());
                }
            }
        }
        if let Body::S3(request) = &parsed.body {
            for name in PRECONDITIONS {
                if let Some(value) = request.header(name) {
                    tokens.insert(*name, value.to_owned());
                }
            }
        }
        Self {
            number: 0,
            line: 0,
            at,
            service: parsed.service.name(),
            operation: parsed.operation.clone(),
            account: caller.map(|caller| caller.account.clone()),
            caller: caller.map(|caller| caller.arn.clone()),
            region: Region(parsed.region().to_owned()),
            status: 0,
            code: None,
            read: parsed.is_read(),
            fate: Fate::Served,
            tokens,
            input: Value::Null,
            body: String::new(),
        }
    }

    /// Adds what takes a while to work out, for those who want it.
    pub(super) fn in_full(&mut self, parsed: &Parsed, body: &[u8]) {
        if let Body::Shape(input) = &parsed.body {
            self.input = input.clone();
        }
        self.body = Sha256::digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
}
