//! How long requests take: counts by duration, in steps that grow with it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::micros;

/// Steps in each doubling of the duration: a step is at most a quarter of it wide.
const STEPS: u64 = 4;

/// Steps in all: single microseconds up to 4, then up to 2 to the 32nd, which is over an hour. The last one has all above.
const BUCKETS: usize = 124;

/// Counts that are being made.
#[derive(Debug)]
#[repr(C)]
pub struct Durations {
    /// Microseconds of all together.
    sum: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            sum: AtomicU64::new(0),
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }
}

impl Durations {
    /// Counts one.
    pub(super) fn count(&self, duration: Duration) {
        let micros = micros(duration);
        self.sum.fetch_add(micros, Ordering::Relaxed);
        self.buckets[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Histogram {
        Histogram {
            sum: self.sum.load(Ordering::Relaxed),
            buckets: self
                .buckets
                .iter()
                .map(|bucket| bucket.load(Ordering::Relaxed))
                .collect(),
        }
    }
}

/// The step of a duration.
fn bucket(micros: u64) -> usize {
    if micros < STEPS {
        return usize::try_from(micros).unwrap_or(0);
    }
    // The exponent is at least 2 here; the two digits behind the first choose the step within the doubling.
    let exponent = u64::from(micros.ilog2());
    let step = (micros >> (exponent - 2)) - STEPS;
    let index = (exponent - 1) * STEPS + step;
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

/// The first microsecond behind a step.
const fn end(bucket: usize) -> u64 {
    let bucket = bucket as u64 + 1;
    if bucket < STEPS {
        return bucket;
    }
    let exponent = bucket / STEPS + 1;
    (bucket % STEPS + STEPS) << (exponent - 2)
}

/// How long requests took, counted in steps of at most a quarter of the duration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    sum: u64,
    buckets: Vec<u64>,
}

impl Histogram {
    /// Adds the counts of another worker.
    pub fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        let len = self.buckets.len().max(other.buckets.len());
        self.buckets.resize(len, 0);
        for (count, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *count += more;
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How long all of them took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// The duration that this part of all, from 0 to 1, did not exceed; rounded up to the end of its step, so that it is at
    /// most a quarter too long. `None` where nothing was counted.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of 2 to the 53rd is not reached"
        )]
        let wanted = part.clamp(0.0, 1.0) * self.count() as f64;
        let mut seen = 0;
        let mut last = None;
        for (index, count) in self
            .buckets
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            seen += count;
            last = Some(Duration::from_micros(end(index)));
            #[expect(
                clippy::cast_precision_loss,
                reason = "a count of 2 to the 53rd is not reached"
            )]
            if seen as f64 >= wanted {
                break;
            }
        }
        last
    }

    /// For every doubling from 128 microseconds to some 2 minutes: the duration, and how many took less.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        (7..=27).map(|exponent| {
            let below = 1_u64 << exponent;
            let first_behind = bucket(below);
            let count = self.buckets.iter().take(first_behind).sum();
            (Duration::from_micros(below), count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_a_step_that_holds_it() {
        let mut before = 0;
        for micros in (0..10_000).chain((14..32).map(|exponent| 3 << (exponent - 2))) {
            let index = bucket(micros);
            assert!(index >= before, "{micros}");
            assert!(micros < end(index), "{micros} in {index}");
            assert!(
                index == 0 || micros >= end(index - 1),
                "{micros} in {index}"
            );
            assert!(end(index) <= micros + micros / 4 + 1, "{micros} in {index}");
            before = index;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(end(BUCKETS - 1), 1 << 32);
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let durations = Durations::default();
        assert_eq!(durations.read().quantile(0.5), None);
        for millis in 1..=1000 {
            durations.count(Duration::from_millis(millis));
        }
        let found = durations.read();
        assert_eq!(found.count(), 1000);
        assert_eq!(found.sum(), Duration::from_millis(500_500));
        for (part, millis) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (0.0, 1.0)] {
            let quantile = found.quantile(part).unwrap().as_secs_f64() * 1000.0;
            assert!(
                (millis..=millis * 1.25).contains(&quantile),
                "{part}: {quantile} ms"
            );
        }
    }

    #[test]
    fn cumulative_counts_end_at_all() {
        let durations = Durations::default();
        for micros in [1, 127, 128, 255, 256, 100_000_000] {
            durations.count(Duration::from_micros(micros));
        }
        let mut sum = Histogram::default();
        sum.add(&durations.read());
        sum.add(&durations.read());
        let found: Vec<_> = sum.cumulative().collect();
        assert_eq!(found[0], (Duration::from_micros(128), 4));
        assert_eq!(found[1], (Duration::from_micros(256), 8));
        assert_eq!(found.last().unwrap().1, 12);
    }
}
