pub mod change;
pub mod spec;
