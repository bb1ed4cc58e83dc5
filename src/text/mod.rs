//! Words for people, wherever they are shown: what others wrote made harmless, numbers and lists as they are read.

pub mod markdown;
pub mod sanitize;
pub mod words;
