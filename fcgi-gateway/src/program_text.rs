//! The code of this library in memory.
#![expect(
    unsafe_code,
    reason = "the addresses of loaded code, and what the kernel keeps of it, are the C library's"
)]

use std::ffi::{c_int, c_void};

/// Lets go of the code that is in memory. Most of it only starting needs: command line, configuration, log. What is needed
/// again is mapped again, from the file's pages that the kernel keeps: several MiB less for each process.
pub(crate) fn let_go() {
    let mut here = let_go as *const () as usize;
    // SAFETY: the callback reads what it is given during the call, and `here` outlives it.
    unsafe {
        libc::dl_iterate_phdr(Some(visit), (&raw mut here).cast());
    }
}

/// Finds the segment that holds the address `data` points to, and lets go of it.
extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
    // SAFETY: `dl_iterate_phdr` gives a valid object with `dlpi_phnum` program headers, and `data` is `let_go`'s own.
    let (object, headers, here) = unsafe {
        let object = &*info;
        let headers = std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum));
        (object, headers, *data.cast::<usize>())
    };
    // Code that nothing can have written to: what is let go of comes back as it is in the file.
    let code = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD)
        .filter(|header| header.p_flags & (libc::PF_X | libc::PF_W) == libc::PF_X);
    for header in code {
        let (Ok(address), Ok(len)) = (
            usize::try_from(object.dlpi_addr + header.p_vaddr),
            usize::try_from(header.p_memsz),
        ) else {
            continue;
        };
        if !(address..address + len).contains(&here) {
            continue;
        }
        // SAFETY: asks for the size of a page.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let Some(page) = usize::try_from(page).ok().filter(|page| *page > 0) else {
            return 1;
        };
        let (begin, end) = (address.div_ceil(page) * page, (address + len) / page * page);
        if begin < end {
            // SAFETY: whole pages of a private mapping of a file, which has not been written to: they are the file's again when
            // they are touched. A failure changes nothing.
            unsafe {
                libc::madvise(
                    std::ptr::with_exposed_provenance_mut(begin),
                    end - begin,
                    libc::MADV_DONTNEED,
                );
            }
        }
        return 1;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KiB of this program's code that are in memory.
    fn resident() -> u64 {
        let maps = fs_err::read_to_string("/proc/self/smaps").unwrap();
        let here = let_go as *const () as usize;
        let mut lines = maps.lines().skip_while(|line| {
            let range = line
                .split(' ')
                .next()
                .and_then(|range| range.split_once('-'));
            let range = range.map(|(from, to)| [from, to].map(|at| usize::from_str_radix(at, 16)));
            !matches!(range, Some([Ok(from), Ok(to)]) if (from..to).contains(&here))
        });
        let rss = lines.find_map(|line| line.strip_prefix("Rss:")).unwrap();
        rss.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn code_leaves_the_memory_and_comes_back() {
        // Other tests run at the same time: once in several times is enough.
        let less = (0..50).any(|_| {
            let before = resident();
            let_go();
            resident() < before
        });
        assert!(less);
    }
}
