//! What people see. What is shown of plans and runs is made from `plan::Plan` and `apply::event::Event` and
//! nothing else, so that a saved plan or a recorded run can be shown again and looks the same.

pub mod cause;
pub mod diagnostics;
pub mod drift_json;
pub mod drift_markdown;
pub mod drift_text;
pub mod findings;
pub mod grouped;
pub mod history_text;
pub mod json;
pub mod json_lines;
pub mod output;
pub mod pace;
pub mod page;
pub mod plain;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
pub mod progress;
pub mod run_lines;
pub mod run_state;
pub mod scope;
pub mod status_json;
pub mod status_markdown;
pub mod status_text;
pub mod streams;
pub mod style;
pub mod summary;
pub mod values;
pub mod view;
pub mod waves;

pub use crate::text::{markdown, sanitize, words};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod status_tests;
