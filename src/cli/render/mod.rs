//! What people see. What is shown of plans and runs is made from `plan::Plan` and `apply::event::Event` and
//! nothing else, so that a saved plan or a recorded run can be shown again and looks the same.

pub mod diagnostics;
pub mod grouped;
pub mod json;
pub mod markdown;
pub mod output;
pub mod page;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
pub mod sanitize;
pub mod scope;
pub mod style;
pub mod values;
pub mod words;

#[cfg(test)]
mod fixtures;
