//! How fast the hub passes events on: placed here so that the manifest is whole.

fn main() {}
