//! Deliberate faults of the product, one at a time, for this thread only: that a named invariant finds each of them
//! shows that the checkers check. In the shipped program `mutant!` is the word `false`.

use std::cell::Cell;

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident: $id:literal,)*) => {
        /// A fault that somebody could make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// All of them, each with the invariant that finds it.
            pub const ALL: &[(Mutant, &str)] = &[$((Mutant::$name, $id),)*];
        }
    };
}

mutants! {
    /// A request whose answer was lost is sent again under a new OperationId (E09).
    NewOperationIdOnRetry: "S6",
    /// A run that goes on after a crash starts its operations under new ids.
    NewOperationIdOnResume: "S6",
    /// A request that may have happened is sent again without a look.
    ResentAfterTimeOut: "S23",
    /// What was refused for good is sent again.
    RefusalRetried: "S23",
    /// Calls are made without a word to the journal.
    NoIntent: "S5",
    /// The intent is noted, and not made durable before the call.
    JournalNotSynced: "S5",
    /// The lease of another living process is taken no notice of.
    LeaseIgnored: "S21",
    /// Of every list only the first page is read (E43).
    FirstPageOnly: "L7",
    /// A list that broke off is taken for complete.
    PartOfAListTakenForAll: "S18",
    /// SUCCEEDED of an operation is taken for success of all its instances (E26).
    StatusTakenForResult: "R2",
    /// Instances are taken for done whatever their status.
    OutdatedTakenForCurrent: "R2",
    /// A target that failed is not listed.
    TargetForgotten: "R3",
    /// The first failed resource is passed over.
    CauseLost: "R5",
    /// A setting is reported as done and never put.
    SettingNeverPut: "R1",
    /// A lost answer to an attachment is taken for success.
    LostAnswerTakenForSuccess: "R1",
    /// A new template alone is no reason to do anything (E145).
    TemplateNotCompared: "R1",
    /// The old policy is detached before the new one is attached.
    DetachBeforeAttach: "S13",
    /// AccountFilterType is not sent, and AWS takes the whole unit (F29).
    AccountFilterOmitted: "S1",
    /// A Region that nobody declared is targeted.
    RegionTooMany: "S1",
    /// StackSets deploy by themselves to whoever arrives.
    AutoDeploymentOn: "S1",
    /// Protected accounts are governed like all others: the plan's own check refuses that, for ever.
    ProtectedIgnored: "L7",
    /// Suspended accounts are targeted (E36).
    SuspendedIncluded: "S2",
    /// Excluded accounts are targeted.
    ExclusionIgnored: "S2",
    /// Nobody asks whose session it is before it changes something.
    SessionNotAsked: "X3",
    /// Every account is worked in with the session of the first (E133).
    SessionOfAnotherAccount: "S1",
    /// What somebody changed after the plan is written over.
    PreimageNotCompared: "S4",
    /// A setting is put whatever is there now.
    PutWithoutComparing: "S16",
    /// A configuration of somebody else is replaced without being told to (E116).
    ForeignReplaced: "S16",
    /// An operation of somebody else that is in the way is stopped.
    ForeignOperationStopped: "S7",
    /// Not all overrides are sent, and AWS resets the others (E140).
    PartialOverrides: "S11",
    /// A StackSet is updated without its parameters, which fall back to defaults.
    ParametersForgotten: "S11",
    /// Phases do not wait for each other.
    PhaseOrderIgnored: "S15",
    /// Environments do not wait for each other.
    EnvironmentOrderIgnored: "S8",
    /// Many more accounts may fail than declared (E134).
    ToleranceIgnored: "S9",
    /// Ctrl-C stops nothing.
    InterruptIgnored: "L5",
    /// What was there before is not remembered, and a rollback brings what is there already.
    PreimageForgotten: "S6",
    /// What is made carries no mark of its owner, and the next run refuses to touch it.
    OwnershipMarkForgotten: "L7",
    /// A plan changes something.
    PlanWrites: "S22",
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
