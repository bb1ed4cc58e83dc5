//! Whole rollouts in process, on paused time: good days, bad days, lost answers. What is asserted is what
//! AWS holds afterwards, which calls were made, and the row that a tired person gets.

mod bad_days;
mod changes;
mod first_rollout;
mod large_templates;
mod leaving;
mod lost_answers;
mod named;
mod policies;
mod runs;
mod stack_sets;
pub mod stage;
mod tenants;
mod waves;
