//! End-to-end tests: the built binary against the sandbox and against moto, and both servers against each
//! other.

#[cfg(test)]
mod conformance;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
