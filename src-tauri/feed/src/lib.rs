//! watchfloor-feed
