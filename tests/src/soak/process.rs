//! How large a process is.

use fs_err as fs;

/// What a process has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Resident memory, in KiB.
    pub memory_kib: u64,
    /// Open file descriptors.
    pub descriptors: usize,
}

impl Size {
    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            memory_kib: self.memory_kib.max(other.memory_kib),
            descriptors: self.descriptors.max(other.descriptors),
        }
    }

    /// Whether it is larger than another by no more than an allowance.
    #[must_use]
    pub const fn is_within(self, other: Self, allowance: Self) -> bool {
        self.memory_kib <= other.memory_kib + allowance.memory_kib
            && self.descriptors <= other.descriptors + allowance.descriptors
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (memory, descriptors) = (self.memory_kib, self.descriptors);
        write!(f, "{memory} KiB and {descriptors} descriptors")
    }
}

/// The sizes of a process and its children. One that ends meanwhile is left out.
#[must_use]
pub fn tree(pid: u32) -> Vec<Size> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    std::iter::once(pid)
        .chain(children)
        .filter_map(size)
        .collect()
}

fn size(pid: u32) -> Option<Size> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let memory_kib = line.split_whitespace().next()?.parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    Some(Size {
        memory_kib,
        descriptors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_size() {
        let sizes = tree(std::process::id());
        assert!(sizes[0].memory_kib > 100 && sizes[0].descriptors >= 3);
        let more = Size {
            memory_kib: sizes[0].memory_kib + 10,
            descriptors: 0,
        };
        let allowance = |memory_kib| Size {
            memory_kib,
            descriptors: 0,
        };
        assert!(more.is_within(sizes[0], allowance(10)));
        assert!(!more.is_within(sizes[0], allowance(9)));
        assert_eq!(more.max(sizes[0]).memory_kib, more.memory_kib);
        assert_eq!(more.max(sizes[0]).descriptors, sizes[0].descriptors);
    }
}
