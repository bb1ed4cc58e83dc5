//! What people see of plans and runs. Everything here is made from `plan::Plan` and `apply::event::Event`
//! and nothing else, so that a saved plan or a recorded run can be shown again and looks the same.

pub mod page;
pub mod sanitize;
pub mod style;
pub mod words;
