//! `GetNamedSecurityInfo`, and the descriptor written as text.

#![expect(unsafe_code, reason = "std does not read permissions of Windows")]

use camino::Utf8Path;
use windows_sys::Win32::Foundation::{ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR};

/// What Windows has allocated with `LocalAlloc`.
struct Allocated(*mut core::ffi::c_void);

impl Drop for Allocated {
    fn drop(&mut self) {
        // SAFETY: it came from a function that says to free it so, and nobody else has it; null is allowed.
        unsafe { LocalFree(self.0) };
    }
}

/// The file's security descriptor in text form, its discretionary list only; none where we may not read it.
pub(in super::super) fn security_descriptor(path: &Utf8Path) -> Option<String> {
    let path: Vec<u16> = path.as_str().encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = core::ptr::null_mut();
    // SAFETY: the path ends with a zero; what is not asked for may be null; the descriptor outlives the call.
    let status = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            &raw mut descriptor,
        )
    };
    let descriptor = Allocated(descriptor);
    if status != ERROR_SUCCESS {
        return None;
    }
    let mut text: *mut u16 = core::ptr::null_mut();
    let mut len = 0;
    // SAFETY: the descriptor is the one that was just read, and alive.
    let written = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.0,
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &raw mut text,
            &raw mut len,
        )
    };
    let allocated = Allocated(text.cast());
    if written == 0 {
        return None;
    }
    // SAFETY: Windows has written `len` units there, its closing zero among them.
    let units = unsafe { core::slice::from_raw_parts(text, usize::try_from(len).ok()?) };
    let descriptor = String::from_utf16_lossy(units);
    drop(allocated);
    Some(descriptor.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use iis_config::access::{Identity, may_execute};
    use windows_sys::Win32::Security::Authorization::ConvertStringSecurityDescriptorToSecurityDescriptorW;
    use windows_sys::Win32::Security::SetFileSecurityW;

    use super::*;

    /// Gives a file the list of a descriptor.
    fn set(path: &Utf8Path, descriptor: &str) {
        let wide = |text: &str| -> Vec<u16> { text.encode_utf16().chain([0]).collect() };
        let mut parsed: PSECURITY_DESCRIPTOR = core::ptr::null_mut();
        // SAFETY: texts end with a zero; the descriptor is Windows' own, and freed at the end.
        unsafe {
            assert_ne!(
                ConvertStringSecurityDescriptorToSecurityDescriptorW(
                    wide(descriptor).as_ptr(),
                    SDDL_REVISION_1,
                    &raw mut parsed,
                    core::ptr::null_mut(),
                ),
                0
            );
            let parsed = Allocated(parsed);
            let path = wide(path.as_str());
            assert_ne!(
                SetFileSecurityW(path.as_ptr(), DACL_SECURITY_INFORMATION, parsed.0),
                0
            );
        }
    }

    #[test]
    fn who_may_read_a_file_is_read_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("file");
        fs::write(&path, "").unwrap();
        let pool = Identity::of_application_pool("DefaultAppPool");
        for (descriptor, expected) in [
            ("D:P(A;;FA;;;SY)", false),
            ("D:P(A;;FA;;;SY)(A;;0x1200a9;;;WD)", true),
        ] {
            set(&path, descriptor);
            let read = security_descriptor(&path).unwrap();
            assert_eq!(may_execute(&read, &pool), Some(expected), "{read}");
        }
        assert_eq!(security_descriptor(&path.with_extension("none")), None);
    }
}
