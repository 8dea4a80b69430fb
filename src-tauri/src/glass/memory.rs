//! What the page's own process holds, as the kernel counts it.

use std::time::Duration;

/// How often is looked: the kernel walks the whole of it.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The first look; a page that has only begun is small.
pub(super) const LOOK_FIRST: Duration = Duration::from_secs(10);
/// From one new page for its memory to the next: a budget that is too small must not keep the wall busy with itself.
pub(super) const RECYCLE_PAUSE: Duration = Duration::from_secs(600);

/// MiB of the page's process, shared parts in proportion. None where the system doesn't tell.
#[cfg(target_os = "linux")]
pub(super) fn page_mib() -> Option<u64> {
    use std::fs;
    /// As the kernel cuts the name off.
    const NAME: &str = "(WebKitWebProces)";

    let own = std::process::id().to_string();
    let mut kib = None;
    for entry in fs::read_dir("/proc").ok()?.filter_map(Result::ok) {
        let path = entry.path();
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        let Some((head, tail)) = stat.split_once(") ") else { continue };
        let is_page = format!("{head})").ends_with(NAME) && tail.split(' ').nth(1) == Some(own.as_str());
        if !is_page {
            continue;
        }
        // One that ends meanwhile holds nothing.
        let Ok(text) = fs::read_to_string(path.join("smaps_rollup")) else { continue };
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let pss = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())?;
        kib = Some(kib.unwrap_or(0) + pss);
    }
    kib.map(|kib| kib / 1024)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn page_mib() -> Option<u64> {
    None
}
