//! What the kernel says of a process: processor time and memory.

use std::fs;
use std::time::Duration;

/// The processor time that the main thread of `process` has used: a process id, or `self`. A server's process has no other.
pub fn cpu(process: &str) -> Duration {
    let schedstat = read(&format!("/proc/{process}/schedstat"));
    let running = schedstat.split_whitespace().next();
    let nanos = running.and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_else(|| panic!("schedstat says {schedstat:?}")))
}

/// How much the resident memory of this process grew at most while `run` ran, in MiB.
pub fn memory_growth(run: impl FnOnce()) -> f64 {
    fs::write("/proc/self/clear_refs", "5").expect("the peak of the resident memory can be reset");
    let before = status("VmRSS:");
    run();
    status("VmHWM:").saturating_sub(before) as f64 / 1024.0
}

/// The resident memory of this process in KiB.
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// How many files and sockets this process may have open.
pub fn open_files() -> u64 {
    let limits = read("/proc/self/limits");
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    match soft {
        Some("unlimited") => u64::MAX,
        soft => soft
            .and_then(|soft| soft.parse().ok())
            .unwrap_or_else(|| panic!("/proc/self/limits says {limits:?}")),
    }
}

/// A figure of this process's memory in KiB.
fn status(name: &str) -> u64 {
    let status = read("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("/proc/self/status has no {name}"))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
