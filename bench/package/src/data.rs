//! The files that are packaged: cut from Python's library at places that are made from a number, so that every run has
//! the same ones, and that they compress as real files do.
//!
//! They stand for a Web application with its virtual environment, its static files and its database: source text, logs,
//! compiled modules, and what is compressed already (pictures, wheels), for which noise will do.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::write::list;

/// Octets of each of the small files.
const SMALL_LEN: usize = 4096;

/// Numbers without a pattern: xorshift64*.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 32) as usize * limit) >> 32
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let octets = self.next().to_le_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
    }
}

/// What real files there are to cut from: Python's library, which is there because `zipfile` is measured too.
#[derive(Debug)]
struct Library {
    /// All source text.
    source: Vec<u8>,
    /// All compiled modules, and the interpreter.
    compiled: Vec<u8>,
}

impl Library {
    fn read(folder: &Path, interpreter: &Path) -> io::Result<Self> {
        let mut paths = Vec::new();
        list(folder, &mut paths)?;
        paths.sort();
        let mut library = Self {
            source: Vec::new(),
            compiled: fs::read(interpreter)?,
        };
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("py") => library.source.extend(fs::read(path)?),
                Some("pyc" | "so") => library.compiled.extend(fs::read(path)?),
                _ => {}
            }
        }
        Ok(library)
    }
}

/// `len` octets from somewhere in `pool`, which is gone round where it is too short.
fn cut(pool: &[u8], random: &mut Random, out: &mut Vec<u8>, len: usize) {
    let mut start = random.below(pool.len());
    while out.len() < len {
        let end = pool.len().min(start + len - out.len());
        out.extend(&pool[start..end]);
        start = 0;
    }
}

/// Lines of a log.
fn log(random: &mut Random, out: &mut Vec<u8>, len: usize) {
    let mut time = 1_700_000_000;
    while out.len() < len {
        time += random.below(5);
        // Writing to memory does not fail.
        let _ = writeln!(
            out,
            "{time} 10.0.{}.{} GET /{}/{} HTTP/1.1 {} {}",
            random.below(4),
            random.below(250),
            [
                "static/css/site.css",
                "accounts/login",
                "blog/entry",
                "search"
            ][random.below(4)],
            random.below(100_000),
            [200, 200, 200, 304, 404, 500][random.below(6)],
            random.below(60_000)
        );
    }
    out.truncate(len);
}

/// As many files of 4 KiB of source text.
pub(crate) fn small(
    folder: &Path,
    library: &Path,
    interpreter: &Path,
    files: usize,
) -> io::Result<()> {
    let library = Library::read(library, interpreter)?;
    let mut random = Random::new(1);
    let mut text = Vec::new();
    for number in 0..files {
        let inner = folder.join(format!("package{:03}", number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&inner)?;
        }
        text.clear();
        cut(&library.source, &mut random, &mut text, SMALL_LEN);
        fs::write(inner.join(format!("module{number:05}.py")), &text)?;
    }
    Ok(())
}

/// So many octets in files of all kinds and sizes.
pub(crate) fn mixed(
    folder: &Path,
    library: &Path,
    interpreter: &Path,
    octets: u64,
) -> io::Result<()> {
    let library = Library::read(library, interpreter)?;
    let mut random = Random::new(2);
    let mut total = 0;
    let mut data = Vec::new();
    for number in 0_u64.. {
        if total >= octets {
            break;
        }
        data.clear();
        // By octets: four parts in ten source text, two logs, two compiled, two compressed already.
        let extension = match number % 40 {
            0 => {
                let len = (4 << 20) + random.below(8 << 20);
                log(&mut random, &mut data, len);
                "log"
            }
            1 => {
                let len = (4 << 20) + random.below(8 << 20);
                cut(&library.source, &mut random, &mut data, len);
                "sql"
            }
            2 => {
                let len = (4 << 20) + random.below(8 << 20);
                cut(&library.compiled, &mut random, &mut data, len);
                "pyd"
            }
            3 => {
                data.resize((3 << 20) + random.below(8 << 20), 0);
                random.fill(&mut data);
                "whl"
            }
            4..9 => {
                data.resize((20 << 10) + random.below(400 << 10), 0);
                random.fill(&mut data);
                "png"
            }
            9..12 => {
                let len = (100 << 10) + random.below(1 << 20);
                cut(&library.source, &mut random, &mut data, len);
                "js"
            }
            _ => {
                let len = (2 << 10) + random.below(400 << 10);
                cut(&library.source, &mut random, &mut data, len);
                "py"
            }
        };
        data.truncate(usize::try_from(octets - total).unwrap_or(usize::MAX));
        total += data.len() as u64;
        let inner = folder.join(format!("part{:03}", number / 100));
        fs::create_dir_all(&inner)?;
        let mut file = BufWriter::new(File::create(
            inner.join(format!("f{number:05}.{extension}")),
        )?);
        file.write_all(&data)?;
        file.flush()?;
    }
    Ok(())
}
