//! Waiting for many descriptors at once, at a cost that does not grow with those on which nothing happens.
//!
//! Ten thousand idle connections must not slow the one that works: `poll` looks at all of them for each request, epoll at
//! none. Where there is no epoll, `poll` it is: those systems are for development.

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(any(test, not(target_os = "linux")))]
mod poll;

#[cfg(target_os = "linux")]
pub(super) use epoll::Selector;
#[cfg(not(target_os = "linux"))]
pub(super) use poll::Selector;

/// How a descriptor is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It is reported as long as there is something to read.
    Always,
    /// It is reported once, and then only after [`Selector::again`].
    Once,
    /// As always, but of several processes that wait not all are woken.
    Shared,
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::time::Duration;

    use super::*;
    use crate::local_stream;

    macro_rules! check {
        ($name:ident, $selector:ty) => {
            #[test]
            fn $name() {
                let selector = <$selector>::new().unwrap();
                let mut ready = Vec::new();
                let mut look = |timeout: Duration| {
                    selector.wait(Some(timeout), &mut ready).unwrap();
                    ready.sort_unstable();
                    std::mem::take(&mut ready)
                };
                let (mut one, mut other_one) = local_stream::pair().unwrap();
                let (two, mut other_two) = local_stream::pair().unwrap();
                selector.add(&one, 1, Watch::Always).unwrap();
                selector.add(&two, u64::MAX, Watch::Once).unwrap();
                assert_eq!(look(Duration::ZERO), [0_u64; 0]);
                assert_eq!(look(Duration::from_micros(1)), [0_u64; 0]);

                other_one.write_all(b"x").unwrap();
                other_two.write_all(b"x").unwrap();
                let long = Duration::from_secs(600);
                assert_eq!(look(long), [1, u64::MAX]);
                // One goes on being reported, the other does not.
                assert_eq!(look(long), [1]);
                selector.again(&two, 7).unwrap();
                assert_eq!(look(long), [1, 7]);

                one.read_exact(&mut [0]).unwrap();
                assert_eq!(look(Duration::ZERO), [0_u64; 0]);
                // The end is reported as well.
                drop(other_one);
                assert_eq!(look(long), [1]);
                selector.remove(&one).unwrap();
                assert_eq!(look(Duration::ZERO), [0_u64; 0]);
                selector.add(&one, 9, Watch::Shared).unwrap();
                assert_eq!(look(long), [9]);
            }
        };
    }

    #[cfg(target_os = "linux")]
    check!(epoll_reports_what_can_be_read, Selector);
    #[cfg(target_os = "linux")]
    check!(poll_reports_what_can_be_read, poll::Selector);
    #[cfg(not(target_os = "linux"))]
    check!(poll_reports_what_can_be_read, Selector);
}
