//! watchfloor-tests
