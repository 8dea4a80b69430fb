//! The board without any I/O: board file, reducers, freshness, frames. Driven by `engine`; reused by `hub`.
//!
//! Time comes in as an argument. The same events and instants always give the same state.

pub mod config;
pub mod frame;
pub mod freshness;
pub mod path;
