//! What the end-to-end tests stand on: real processes, a Python of their own, folders that go away.

pub mod aws;
pub mod bedrail;
pub mod process;
pub mod project;
pub mod python;
pub mod servers;
pub mod small;
