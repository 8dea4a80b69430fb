//! Properties of every kind.
