//! The board file: reading, checking, schema.

pub mod spec;
