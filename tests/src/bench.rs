//! What the benchmarks share. Each figure is printed with a limit measured in the same run, as machines differ and drift.

pub mod alarms;
pub mod figure;
pub mod generator;
pub mod glass;
pub mod ingest;
pub mod proc;
pub mod wall;
