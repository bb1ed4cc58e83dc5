//! A run, or what is live, as a document to keep and to hand on: HTML, Markdown, JUnit, JSON. Pure: a report is made
//! from records or from a look, and rendered from nothing but itself.

mod build;
mod chart;
mod html;
mod junit;
mod markdown;
mod model;
#[cfg(test)]
mod tests;

pub use build::{of_look, of_run};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use model::{
    Bar, Count, Environment, Fact, Lane, Mark, Moment, Problem, Report, Row, Timeline, Unit,
};
