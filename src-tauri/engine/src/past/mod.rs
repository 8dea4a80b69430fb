//! Looking back: what the glass showed, from the journal alone.

pub(crate) mod body;
