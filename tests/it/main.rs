//! End-to-end tests: the built binary against the sandbox and against moto, both servers against each other, and
//! whole rollouts in process, in virtual time.

#[cfg(test)]
mod bad_days;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod governance;
#[cfg(test)]
mod lockout;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod onboard;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod tenants;
