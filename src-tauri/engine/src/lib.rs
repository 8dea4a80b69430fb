//! watchfloor-engine
