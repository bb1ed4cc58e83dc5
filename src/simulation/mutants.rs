//! Deliberate faults of the product, one at a time, for this thread only: that a named invariant finds each of them
//! shows that the checkers check. In the shipped program `mutant!` is the word `false`.

use std::cell::Cell;

/// A fault that somebody could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A request whose answer was lost is sent again under a new OperationId (E09).
    NewOperationIdOnRetry,
}

thread_local! {
    static ON: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Whether this fault is switched on here.
pub fn is_on(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// Switches a fault on for this thread until the value is dropped.
#[derive(Debug)]
pub struct Switched(());

impl Switched {
    pub fn on(mutant: Option<Mutant>) -> Self {
        ON.set(mutant);
        Self(())
    }
}

impl Drop for Switched {
    fn drop(&mut self) {
        ON.set(None);
    }
}

/// While it lives, nothing is switched on here.
#[derive(Debug)]
pub struct Pause(Option<Mutant>);

impl Pause {
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it does something when it is made"
    )]
    pub fn new() -> Self {
        Self(ON.replace(None))
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        ON.set(self.0);
    }
}
