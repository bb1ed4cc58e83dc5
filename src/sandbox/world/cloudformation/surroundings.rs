//! What CloudFormation asks of the other services: the only place that names them.

use super::super::World;

/// The bytes of an S3 object, if there is one.
pub fn s3_object(world: &World, bucket: &str, key: &str) -> Option<Vec<u8>> {
    let _ = (world, bucket, key);
    None
}
