//! `watchfloor-load`: loads a push server with connections and events, and measures what becomes of them. Linux only: it reads `/proc`, and
//! connects from many addresses of the loopback.

#[cfg(target_os = "linux")]
mod course;
#[cfg(target_os = "linux")]
mod dialect;
#[cfg(target_os = "linux")]
mod marker;
#[cfg(target_os = "linux")]
mod publisher;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod storm;
#[cfg(target_os = "linux")]
mod swarm;
#[cfg(target_os = "linux")]
mod tasks;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    tasks::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("this runs on Linux only")
}
