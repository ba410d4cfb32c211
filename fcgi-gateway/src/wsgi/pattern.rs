//! The variables of an environ, taken from those of an earlier request.
//!
//! A Web server sends the same variables with each request, and most of them with the same values: the site's, the
//! connection's, the browser's. So the dict of the last request is kept, in a copy that no application sees; what has changed
//! is set in it, and a copy of it, which costs next to nothing, is the next environ.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::environ::{Environ, latin1};

/// Patterns that are kept for each worker. Which variables come depends on the browser and on what it asks for.
const MOST: usize = 8;

/// Patterns with more octets of names and values are not kept.
const LONGEST: usize = 16 * 1024;

/// The patterns of an application, those of one worker together. A worker takes the ones that were used last.
#[derive(Debug, Default)]
pub(super) struct Patterns(Mutex<Vec<Kept>>);

/// What one worker keeps.
#[derive(Debug, Default)]
struct Kept {
    keys: Keys,
    patterns: [Option<Pattern>; MOST],
}

/// The variables of a request in the order in which they came.
#[derive(Debug)]
struct Pattern {
    variables: Vec<Variable>,
    /// All of them, and what is the same for every request.
    dict: Py<PyDict>,
}

#[derive(Debug)]
struct Variable {
    name: Box<[u8]>,
    key: Py<PyString>,
    value: Vec<u8>,
}

/// Why a pattern cannot be used.
enum Unlike {
    /// The request has other variables.
    Names,
    Exception(PyErr),
}

impl From<PyErr> for Unlike {
    fn from(exception: PyErr) -> Self {
        Self::Exception(exception)
    }
}

impl Patterns {
    /// A dict of the variables of a request. `fixed` sets what is the same for every request; it has to set the same keys
    /// each time.
    pub(super) fn dict<'py>(
        &self,
        py: Python<'py>,
        variables: &Environ<'_>,
        fixed: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut kept = self.lock().pop().unwrap_or_default();
        let dict = kept.dict(py, variables, fixed);
        self.lock().push(kept);
        dict
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn dict<'py>(
        &mut self,
        py: Python<'py>,
        variables: &Environ<'_>,
        fixed: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let place = usize::try_from(variables.shape() % MOST as u64).unwrap_or(0);
        if let Some(mut pattern) = self.patterns[place].take() {
            match pattern.change(py, variables) {
                Ok(()) => {
                    let dict = pattern.dict.bind(py).copy();
                    self.patterns[place] = Some(pattern);
                    return dict;
                }
                Err(Unlike::Exception(exception)) => return Err(exception),
                Err(Unlike::Names) => {}
            }
        }
        let pattern = self.begin(py, variables)?;
        let dict = pattern.dict.bind(py).clone();
        fixed(&dict)?;
        if !pattern.is_worth_it(py) {
            return Ok(dict);
        }
        self.patterns[place] = Some(pattern);
        dict.copy()
    }

    fn begin(&mut self, py: Python<'_>, variables: &Environ<'_>) -> PyResult<Pattern> {
        let dict = PyDict::new(py);
        let mut all = Vec::new();
        self.keys.next = 0;
        variables.each(|name, value| {
            let key = self.keys.get(py, name);
            dict.set_item(&key, text(py, value))?;
            all.push(Variable {
                name: name.into(),
                key: key.unbind(),
                value: value.to_vec(),
            });
            PyResult::Ok(())
        })?;
        Ok(Pattern {
            variables: all,
            dict: dict.unbind(),
        })
    }
}

impl Pattern {
    /// Sets the values that have changed.
    fn change(&mut self, py: Python<'_>, variables: &Environ<'_>) -> Result<(), Unlike> {
        let dict = self.dict.bind(py);
        let mut known = self.variables.iter_mut();
        variables.each(|name, value| {
            let variable = known.next().ok_or(Unlike::Names)?;
            if *variable.name != *name {
                return Err(Unlike::Names);
            }
            if variable.value != value {
                dict.set_item(&variable.key, text(py, value))?;
                variable.value.clear();
                variable.value.extend_from_slice(value);
            }
            Ok(())
        })?;
        match known.next() {
            Some(_) => Err(Unlike::Names),
            None => Ok(()),
        }
    }

    /// Whether it can serve for another request: each name is there once, and keeping it costs little memory.
    fn is_worth_it(&self, py: Python<'_>) -> bool {
        let octets = self.variables.iter();
        let octets: usize = octets
            .map(|variable| variable.name.len() + variable.value.len())
            .sum();
        let mut names: Vec<&[u8]> = self.variables.iter().map(|one| &*one.name).collect();
        names.sort_unstable();
        names.dedup();
        let is_unlike_fixed = |variable: &Variable| !variable.name.contains(&b'.');
        octets <= LONGEST
            && names.len() == self.variables.len()
            && self.dict.bind(py).len() > names.len()
            && self.variables.iter().all(is_unlike_fixed)
    }
}

fn text<'py>(py: Python<'py>, octets: &[u8]) -> Bound<'py, PyString> {
    PyString::new(py, &latin1(octets))
}

/// The names of the variables as Python's strings.
///
/// A Web server sends the same names in the same order with each request, but for a few: a name is looked for where the last
/// request had it, or shortly behind.
#[derive(Debug, Default)]
struct Keys {
    known: Vec<(Box<[u8]>, Py<PyString>)>,
    /// Where the next name is expected.
    next: usize,
}

impl Keys {
    /// How many are kept; clients choose the names of their headers.
    const MOST: usize = 512;
    /// The longest that is kept, in octets.
    const LONGEST: usize = 64;
    /// How far behind the expected place a name is looked for.
    const REACH: usize = 8;

    fn get<'py>(&mut self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyString> {
        let from = self.next.min(self.known.len());
        let near = self.known[from..].iter().take(Self::REACH);
        let found = near
            .enumerate()
            .find(|(_, (known, _))| **known == *name)
            .map(|(offset, _)| from + offset)
            .or_else(|| self.known.iter().position(|(known, _)| **known == *name));
        if let Some(position) = found {
            self.next = position + 1;
            return self.known[position].1.bind(py).clone();
        }
        let made = text(py, name);
        if name.len() <= Self::LONGEST && self.known.len() < Self::MOST {
            self.known
                .insert(from, (name.into(), made.clone().unbind()));
            self.next = from + 1;
        }
        made
    }
}
