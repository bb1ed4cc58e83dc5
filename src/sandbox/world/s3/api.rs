use crate::sandbox::{
    wire::{dispatch::no_such_operation, rest_xml::S3Request, service::Service},
    world::{ApiError, Caller, Region, World},
};
use bytes::Bytes;
use http::Response;
pub fn handle(
    _world: &mut World,
    _caller: &Caller,
    _region: &Region,
    request: &S3Request,
    _id: &str,
) -> Result<Response<Bytes>, ApiError> {
    Err(no_such_operation(Service::S3, request.operation))
}
