//! watchfloor-hub
