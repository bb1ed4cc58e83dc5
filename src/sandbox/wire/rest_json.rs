//! REST-JSON: method and path name the operation; path labels, query and body are its input.

use serde_json::{Map, Value};

use super::{percent, service::Service};

struct Route {
    service: Service,
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    /// HTTP status of a success.
    status: u16,
}

const fn route(
    service: Service,
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    status: u16,
) -> Route {
    Route {
        service,
        method,
        path,
        operation,
        status,
    }
}

/// botocore 1.44.5, `bedrock` and `account`, member `http` of each operation.
const ROUTES: &[Route] = &[
    route(
        Service::Bedrock,
        "PUT",
        "/logging/modelinvocations",
        "PutModelInvocationLoggingConfiguration",
        200,
    ),
    route(
        Service::Bedrock,
        "GET",
        "/logging/modelinvocations",
        "GetModelInvocationLoggingConfiguration",
        200,
    ),
    route(
        Service::Bedrock,
        "DELETE",
        "/logging/modelinvocations",
        "DeleteModelInvocationLoggingConfiguration",
        200,
    ),
    route(
        Service::Bedrock,
        "POST",
        "/guardrails",
        "CreateGuardrail",
        202,
    ),
    route(
        Service::Bedrock,
        "GET",
        "/guardrails",
        "ListGuardrails",
        200,
    ),
    route(
        Service::Bedrock,
        "GET",
        "/guardrails/{guardrailIdentifier}",
        "GetGuardrail",
        200,
    ),
    route(Service::Account, "POST", "/listRegions", "ListRegions", 200),
    route(
        Service::Account,
        "POST",
        "/getRegionOptStatus",
        "GetRegionOptStatus",
        200,
    ),
    route(
        Service::Account,
        "POST",
        "/enableRegion",
        "EnableRegion",
        200,
    ),
    route(
        Service::Account,
        "POST",
        "/disableRegion",
        "DisableRegion",
        200,
    ),
];

/// The operation that a request names, with its input.
pub fn parse(
    service: Service,
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
) -> Option<(&'static str, Value)> {
    ROUTES
        .iter()
        .filter(|route| route.service == service && route.method == method)
        .find_map(|route| {
            let mut input = labels(route.path, path)?;
            for (name, value) in percent::pairs(query) {
                input.insert(name, Value::String(value));
            }
            if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
                input.extend(members);
            }
            Some((route.operation, Value::Object(input)))
        })
}

/// HTTP status of a success of the operation.
pub fn status(service: Service, operation: &str) -> u16 {
    ROUTES
        .iter()
        .find(|route| route.service == service && route.operation == operation)
        .map_or(200, |route| route.status)
}

fn labels(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let path = path.trim_end_matches('/');
    let (mut wanted, mut got) = (pattern.split('/'), path.split('/'));
    let mut found = Map::new();
    loop {
        match (wanted.next(), got.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(got)) => {
                let label = wanted
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                match label {
                    Some(name) => {
                        found.insert(name.to_owned(), Value::String(percent::decode(got, false)));
                    }
                    None if wanted == got => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}
