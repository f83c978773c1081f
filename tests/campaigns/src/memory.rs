//! The most memory that this process has held, where the system says so (Linux).

use std::fs;

/// Begins anew to look for the most.
pub(crate) fn forget_peak() {
    // Where it cannot be set back, the peak is that of the whole process so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most since then, in MiB.
pub(crate) fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
