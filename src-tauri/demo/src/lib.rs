//! watchfloor-demo
