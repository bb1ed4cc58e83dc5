//! The protocols of AWS: how a request becomes a [`crate::sandbox::world::Call`] and how an outcome
//! becomes an answer. Generic over operations: shapes are JSON on both sides.

pub mod answer;
pub mod cbor;
pub mod chunked;
pub mod dispatch;
pub mod input;
pub mod parsed;
pub mod percent;
pub mod query;
pub mod reads;
pub mod rest_json;
pub mod rest_xml;
pub mod scope;
pub mod service;
pub mod xml;

pub use parsed::Parsed;
pub use service::Service;

pub use super::observed::Observed;
