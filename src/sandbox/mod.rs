//! An embedded AWS: an organization with accounts that answers the real AWS wire protocols.
//!
//! The sandbox sits *below* the SDK. [`connector`] is an HTTP client that hands each request to a
//! [`world::World`] in this process, [`server`] does the same for a socket on 127.0.0.1, so signing,
//! serialisation, error parsing and paging of the real SDK are exercised by every use.
//!
//! It models AWS and knows nothing of its users: nothing below this folder may name another room of
//! this crate. Each rule in it follows a documented fact that is cited beside the rule.

pub mod clock;
pub mod connector;
pub mod faults;
pub mod freeze;
pub mod handle;
mod latency;
pub mod limits;
pub mod observed;
mod patience;
pub mod seed;
pub mod server;
pub mod store;
pub mod wire;
pub mod world;

#[cfg(test)]
pub mod tests;

pub use clock::Clock;
pub use handle::Sandbox;
pub use server::Server;
