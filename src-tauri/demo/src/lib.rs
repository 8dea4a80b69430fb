//! The demo: four real days of three airports, replayed through a hub of its own.
//!
//! `dataset` reads the files, `timeline` says what happened when, `publisher` tells a hub, `fault` stands between that hub and the wall.
//! [`Demo`] holds them together.

pub mod dataset;
mod demo;
mod fault;
pub mod great_circle;
pub mod publisher;
pub mod timeline;

pub use demo::{BOARD, Demo, DemoError, DemoOptions, DemoStatus, Mends};
pub use fault::Fault;
