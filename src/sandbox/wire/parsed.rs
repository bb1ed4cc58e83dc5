//! A request taken apart: who asks which service in which Region for what.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::{
    cbor, query, reads, rest_json,
    rest_xml::{self, S3Request},
    scope::{self, Scope},
    service::{Protocol, Service},
};

#[derive(Debug, Clone)]
pub struct Parsed {
    pub service: Service,
    pub operation: String,
    /// The one that it was asked in and is answered in.
    pub protocol: Protocol,
    pub scope: Option<Scope>,
    pub session_token: Option<String>,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    Shape(Value),
    S3(Box<S3Request>),
}

/// Why a request cannot even be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Neither signed nor recognisable by its address.
    NoService,
    /// A service that the sandbox does not have.
    UnknownService(String),
    /// A known service, but no such operation.
    UnknownOperation(Service, String),
}

impl Parsed {
    pub fn of(request: &Request<Bytes>) -> Result<Self, Unreadable> {
        let scope = scope::of(request.headers(), request.uri());
        let service = match &scope {
            Some(scope) => Service::signed_as(&scope.service)
                .ok_or_else(|| Unreadable::UnknownService(scope.service.clone()))?,
            None => by_address(request).ok_or(Unreadable::NoService)?,
        };
        let protocol = spoken(service, request);
        let (operation, body) = match protocol {
            Protocol::Query { .. } => {
                let form = if request.body().is_empty() {
                    request.uri().query().unwrap_or_default().to_owned()
                } else {
                    String::from_utf8_lossy(request.body()).into_owned()
                };
                let (operation, input) = query::parse(&form);
                (operation, Body::Shape(input))
            }
            Protocol::Json => {
                let target = header(request, "x-amz-target").unwrap_or_default();
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                let input = serde_json::from_slice(request.body())
                    .unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
                (operation, Body::Shape(input))
            }
            Protocol::Cbor => {
                let operation = cbor::operation(request.uri().path()).unwrap_or_default();
                (
                    operation.to_owned(),
                    Body::Shape(cbor::parse(request.body())),
                )
            }
            Protocol::RestJson => {
                let (method, path) = (request.method().as_str(), request.uri().path());
                let query = request.uri().query().unwrap_or_default();
                let (operation, input) =
                    rest_json::parse(service, method, path, query, request.body()).ok_or_else(
                        || Unreadable::UnknownOperation(service, format!("{method} {path}")),
                    )?;
                (operation.to_owned(), Body::Shape(input))
            }
            Protocol::RestXml => {
                let s3 = rest_xml::parse(request);
                (s3.operation.to_owned(), Body::S3(Box::new(s3)))
            }
        };
        Ok(Self {
            service,
            operation,
            protocol,
            session_token: scope::session_token(request.headers(), request.uri()),
            scope,
            body,
        })
    }

    /// Whether the operation is one that changes nothing.
    pub fn is_read(&self) -> bool {
        reads::is_read(self.service, &self.operation)
    }

    /// The Region that the request was signed for.
    pub fn region(&self) -> &str {
        self.scope
            .as_ref()
            .map_or("us-east-1", |scope| scope.region.as_str())
    }
}

/// CloudWatch speaks CBOR, JSON and Query (botocore 1.44.5, `protocols` of `cloudwatch`); every other
/// service one protocol.
fn spoken(service: Service, request: &Request<Bytes>) -> Protocol {
    let (name, value) = cbor::HEADER;
    match service {
        Service::Monitoring if header(request, name) == Some(value) => Protocol::Cbor,
        Service::Monitoring if header(request, "x-amz-target").is_some() => Protocol::Json,
        _ => service.protocol(),
    }
}

/// An unsigned request says by its target or its host which service it wants; anything else can only
/// be a request for a public object.
fn by_address(request: &Request<Bytes>) -> Option<Service> {
    if let Some(target) = header(request, "x-amz-target") {
        return match target.split('.').next()? {
            "AWSOrganizationsV20161128" => Some(Service::Organizations),
            "TrentService" => Some(Service::Kms),
            "Logs_20140328" => Some(Service::Logs),
            "GraniteServiceVersion20100801" => Some(Service::Monitoring),
            "AmazonSQS" => Some(Service::Sqs),
            _ => None,
        };
    }
    let host = request
        .uri()
        .host()
        .or_else(|| header(request, "host"))
        .unwrap_or_default();
    let first = host.split('.').next()?;
    Service::signed_as(first).or_else(|| host.contains(".s3.").then_some(Service::S3))
}

/// A header as text.
pub fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
