//! The demo: four real days of three airports, or one of four made-up stories, replayed through a hub of its own.
//!
//! `dataset` reads the files, `timeline` says what happened when, `story` what any story has and which there are, `publisher` tells a hub,
//! `fault` stands between that hub and the wall.
//! [`Demo`] holds them together.

pub mod dataset;
mod demo;
mod fault;
pub mod great_circle;
pub mod publisher;
pub mod story;
pub mod timeline;

pub use demo::{Demo, DemoError, DemoOptions, DemoStatus, Mends};
pub use fault::Fault;
pub use story::{Story, StoryName};
