//! From a request to an answer: who calls, is he let in, which service has it.

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    answer,
    parsed::{Body, Parsed, Unreadable},
    service::{Protocol, Service},
};
use crate::sandbox::{
    observed::{Fate, Observed},
    world::{
        ApiError, Call, Caller, Region, World, account, authorization, bedrock, cloudformation,
        iam, ids, kms, logs, monitoring, organizations, s3, sqs, sts,
    },
};

impl World {
    /// Answers one HTTP request at the time `now`.
    pub fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        match Parsed::of(request) {
            Ok(parsed) => self.answer(&parsed, now).0,
            Err(why) => unreadable(&why),
        }
    }

    /// Answers a request that was taken apart already, and says what happened.
    pub fn answer(&mut self, parsed: &Parsed, now: Timestamp) -> (Response<Bytes>, Observed) {
        self.advance_to(now);
        let read = parsed.is_read();
        let request_id = request_id(parsed, now);
        let chance = self.ids.clone();
        let caller = sts::caller::resolve(self, parsed);
        let mut observed = Observed::of(parsed, caller.as_ref().ok(), self.now);
        let outcome = caller.and_then(|caller| self.serve(parsed, caller, &request_id));
        if read {
            // A read leaves no trace, not even in the source of chance: only then does a world that
            // remembers nothing but the changes come out the same.
            self.ids = chance;
        }
        let (response, code) = match outcome {
            Ok(response) => (response, None),
            Err(error) => (
                answer::failure(parsed.protocol, parsed.service, &error, &request_id),
                Some(error.code),
            ),
        };
        observed.status = response.status().as_u16();
        observed.code = code;
        (response, observed)
    }

    fn serve(
        &mut self,
        parsed: &Parsed,
        caller: Caller,
        request_id: &str,
    ) -> Result<Response<Bytes>, ApiError> {
        authorization::check(self, parsed, &caller)?;
        let region = Region(parsed.region().to_owned());
        let input = match &parsed.body {
            Body::S3(request) => {
                return s3::api::handle(self, &caller, &region, request, request_id);
            }
            Body::Shape(input) => input.clone(),
        };
        let call = Call {
            caller,
            region,
            operation: parsed.operation.clone(),
            input,
        };
        let output = match parsed.service {
            Service::Account => account::handle(self, &call),
            Service::Bedrock => bedrock::handle(self, &call),
            Service::CloudFormation => cloudformation::handle(self, &call),
            Service::Iam => iam::api::handle(self, &call),
            Service::Kms => kms::api::handle(self, &call),
            Service::Monitoring => monitoring::api::handle(self, &call),
            Service::Logs => logs::api::handle(self, &call),
            Service::Organizations => organizations::api::handle(self, &call),
            Service::Sqs => sqs::api::handle(self, &call),
            Service::Sts => sts::api::handle(self, &call),
            Service::S3 => Ok(Value::Null),
        }?;
        Ok(answer::success(
            parsed.protocol,
            parsed.service,
            &parsed.operation,
            &output,
            request_id,
        ))
    }
}

/// The error for an operation that a service does not have, per protocol.
pub fn no_such_operation(service: Service, operation: &str) -> ApiError {
    match service.protocol() {
        // "InvalidAction" is in the list of common errors of every Query API.
        Protocol::Query { .. } => ApiError::new(
            400,
            "InvalidAction",
            format!("Could not find operation {operation}"),
        ),
        Protocol::Json | Protocol::Cbor | Protocol::RestJson => {
            ApiError::new(400, "UnknownOperationException", "")
        }
        Protocol::RestXml => ApiError::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        ),
    }
}

/// An error that no service has given: from a fault, or from a rate that was exceeded.
pub fn refusal(
    parsed: &Parsed,
    caller: Option<&Caller>,
    error: &ApiError,
    now: Timestamp,
) -> (Response<Bytes>, Observed) {
    let id = request_id(parsed, now);
    let response = answer::failure(parsed.protocol, parsed.service, error, &id);
    let mut observed = Observed::of(parsed, caller, now);
    observed.status = response.status().as_u16();
    observed.code = Some(error.code.clone());
    observed.fate = Fate::Refused;
    (response, observed)
}

/// The answer to a request that cannot be taken apart.
pub fn unreadable(why: &Unreadable) -> Response<Bytes> {
    let (service, error) = match why {
        Unreadable::NoService => (
            Service::Sts,
            ApiError::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
        ),
        Unreadable::UnknownService(name) => (
            Service::Bedrock,
            ApiError::new(
                501,
                "UnknownOperationException",
                format!("The sandbox has no service {name}."),
            ),
        ),
        Unreadable::UnknownOperation(service, what) => {
            let mut error = no_such_operation(*service, what);
            error.message = format!("The sandbox has no operation {what}.");
            (*service, error)
        }
    };
    answer::failure(
        service.protocol(),
        service,
        &error,
        "00000000-0000-4000-8000-000000000000",
    )
}

/// An id drawn from what was asked and when, so that answering draws nothing from the world.
fn request_id(parsed: &Parsed, now: Timestamp) -> String {
    let text = format!("{}{:?}", parsed.operation, parsed.scope);
    let mixed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let nanos = u64::try_from(now.as_nanosecond() & i128::from(u64::MAX)).unwrap_or(0);
    ids::Ids::seeded(mixed ^ nanos).uuid()
}
