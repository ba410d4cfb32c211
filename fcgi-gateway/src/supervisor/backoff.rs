//! How long to wait before starting again what has failed.

use std::time::Duration;

/// The shortest wait.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait. A worker that has lived longer has not failed because of how it was started.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double from 0.1 to 30 seconds while the failures follow each other.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a failure, where what failed had worked for `lived`.
    pub(super) fn fail(&mut self, lived: Duration) -> Duration {
        if lived > LONGEST {
            self.failures = 0;
        }
        let wait = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        wait.min(LONGEST)
    }

    /// Whatever has failed has been mended.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_half_a_minute_and_begin_anew_after_a_life() {
        let mut backoff = Backoff::default();
        let mut waits = |lived: u64, times: usize| -> Vec<u128> {
            let fail = |_| backoff.fail(Duration::from_secs(lived)).as_millis();
            (0..times).map(fail).collect()
        };
        assert_eq!(
            waits(0, 11),
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(waits(0, 40)[39], 30_000);
        assert_eq!(waits(31, 1), [100]);
        assert_eq!(waits(30, 2), [200, 400]);
        backoff.reset();
        assert_eq!(backoff.fail(Duration::ZERO), FIRST);
    }
}
