//! What would change, and why: pure, serialisable, the same bytes for the same inputs in any order.

pub mod model;

pub use model::{
    Action, FieldChange, Lock, Note, NoteKind, Plan, Shown, Step, StepId, Summary, Target,
};
