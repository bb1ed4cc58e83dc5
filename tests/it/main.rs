//! End-to-end tests: the built binary against the sandbox and against moto, and both servers against each
//! other.

#[cfg(test)]
mod governance;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod templates;
