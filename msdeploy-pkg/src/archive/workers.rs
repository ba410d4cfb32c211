//! Compression on all cores: batches of parts go to threads and come back in the order they were given.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::compressor::{Compressor, PART_LEN, Packed, Part};

/// Small files are compressed so many octets at a time.
const BATCH_LEN: usize = 256 << 10;

/// More threads would take more memory than the rest of the program is worth.
const MAX_THREADS: usize = 12;

/// Parts of files, one after another.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The data of all parts.
    pub(crate) data: Vec<u8>,
    pub(crate) parts: Vec<BatchPart>,
    /// The packed data of all parts, when it is done.
    pub(crate) packed: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct BatchPart {
    /// The number of the entry that it belongs to.
    pub(crate) entry: usize,
    pub(crate) part: Part,
    /// Octets of it in the batch's data.
    pub(crate) len: usize,
    /// What became of it, when it is done.
    pub(crate) packed: Option<Packed>,
}

impl Batch {
    /// Whether it is worth a thread's while.
    pub(crate) fn is_full(&self) -> bool {
        // A file that does not fit is a batch of its own, so that the memory of all batches is known.
        self.data.len() >= BATCH_LEN
    }

    fn pack(&mut self, compressor: &mut Compressor) {
        let mut rest = &self.data[..];
        for part in &mut self.parts {
            let (data, behind) = rest.split_at(part.len);
            rest = behind;
            part.packed = Some(compressor.pack(data, part.part, &mut self.packed));
        }
    }

    fn empty(&mut self) {
        self.data.clear();
        self.parts.clear();
        self.packed.clear();
    }
}

/// A batch and where it goes when it is done.
struct Job {
    batch: Batch,
    done: SyncSender<Batch>,
}

/// The threads. They begin with the first batch and end when this is dropped.
pub(crate) struct Workers {
    threads: usize,
    jobs: Option<Sender<Job>>,
    /// Compresses here, where there is one thread only.
    own: Option<Compressor>,
    pending: VecDeque<Receiver<Batch>>,
    spare: Vec<Batch>,
}

impl Workers {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads: threads.clamp(1, MAX_THREADS),
            jobs: None,
            own: None,
            pending: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// An empty batch, with the memory of one that was written.
    pub(crate) fn batch(&mut self) -> Batch {
        self.spare.pop().unwrap_or_else(|| Batch {
            data: Vec::with_capacity(PART_LEN + BATCH_LEN),
            ..Batch::default()
        })
    }

    /// Takes back the memory of a batch.
    pub(crate) fn recycle(&mut self, mut batch: Batch) {
        batch.empty();
        self.spare.push(batch);
    }

    /// Whether the oldest batch has to be taken before another one may be given.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= self.threads + 2
    }

    /// Gives a batch to the threads.
    pub(crate) fn submit(&mut self, batch: Batch) {
        let (done, receiver) = sync_channel(1);
        self.pending.push_back(receiver);
        if self.threads > 1 && self.jobs.is_none() {
            self.jobs = start(self.threads);
        }
        let job = Job { batch, done };
        match &self.jobs {
            // The threads live as long as the sender does.
            Some(jobs) => {
                let _ = jobs.send(job);
            }
            None => self.run(job),
        }
    }

    /// Compresses a batch here and now: what a small package needs.
    pub(crate) fn submit_here(&mut self, batch: Batch) {
        if self.jobs.is_some() {
            return self.submit(batch);
        }
        let (done, receiver) = sync_channel(1);
        self.pending.push_back(receiver);
        self.run(Job { batch, done });
    }

    fn run(&mut self, job: Job) {
        run(job, self.own.get_or_insert_with(Compressor::new));
    }

    /// The oldest batch, when it is done; `None` where none is pending.
    pub(crate) fn next(&mut self) -> io::Result<Option<Batch>> {
        let Some(receiver) = self.pending.pop_front() else {
            return Ok(None);
        };
        // A thread ends in the middle of a batch by a bug only; the package must not lack the batch then.
        let ended = |_| io::Error::other("a thread that compresses has ended");
        receiver.recv().map(Some).map_err(ended)
    }
}

fn run(mut job: Job, compressor: &mut Compressor) {
    job.batch.pack(compressor);
    // Nobody waits any more where the package was given up.
    let _ = job.done.send(job.batch);
}

/// `None` where the system gives no threads.
fn start(threads: usize) -> Option<Sender<Job>> {
    let (sender, receiver) = channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    let started = (0..threads).filter(|_| {
        let receiver = Arc::clone(&receiver);
        let work = move || {
            let mut compressor = Compressor::new();
            loop {
                let job = receiver
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                match job {
                    Ok(job) => run(job, &mut compressor),
                    Err(_) => return,
                }
            }
        };
        thread::Builder::new()
            .name("package".to_owned())
            .spawn(work)
            .is_ok()
    });
    (started.count() > 0).then_some(sender)
}
