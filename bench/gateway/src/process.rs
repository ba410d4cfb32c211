//! What the system accounts to processes.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Clock ticks in a second in `/proc/PID/stat`; Linux shows 100 to programs on every machine (`proc_pid_stat(5)`).
const TICKS: u32 = 100;

/// What processes and their children have used.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// User and system time, children that have ended included.
    pub(crate) cpu: Duration,
    /// Proportional set size.
    pub(crate) memory_kib: u64,
}

impl Usage {
    /// Of `pids` and all that they have started; what is gone counts as nothing.
    pub(crate) fn of(pids: &[u32]) -> Self {
        let mut usage = Self::default();
        let mut seen = BTreeSet::new();
        let mut left = pids.to_vec();
        while let Some(pid) = left.pop() {
            if seen.insert(pid) {
                usage.cpu += cpu(pid).unwrap_or_default();
                usage.memory_kib += memory_kib(pid).unwrap_or_default();
                left.extend(children(pid));
            }
        }
        usage
    }
}

/// Fields 14 to 17 of `/proc/PID/stat`: user and system time of the process, and of its children that have ended.
fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which can hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(4);
    let ticks: u64 = ticks.map(|field| field.parse().unwrap_or(0)).sum();
    Some(Duration::from_secs(ticks) / TICKS)
}

fn memory_kib(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(of_task)
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}
