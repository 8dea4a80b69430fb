//! One file a table: what it holds, how it came to be, reading and writing.

pub(crate) mod alarm;
pub(crate) mod batch;
pub(crate) mod checkpoint;
pub(crate) mod glass;
pub(crate) mod meta;
pub(crate) mod outage;
pub(crate) mod position;
pub(crate) mod step;
pub(crate) mod sum;
