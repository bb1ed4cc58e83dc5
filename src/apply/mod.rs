//! Drives a plan: journal first, then call. Emits events and never prints.

pub mod event;
