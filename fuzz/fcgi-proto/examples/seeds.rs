//! Writes the seeds anew: `cargo run --example seeds` in `fuzz/fcgi-proto/`. The same ones each time, from the crate's strategies.

use std::fs;
use std::path::Path;

use fcgi_proto::application::{Config, Connection, Event};
use fcgi_proto::strategies::{mutated_trace, pairs, record, trace, write_records};
use fcgi_proto::{Limits, Roles, write_name_value};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

/// How many seeds a target gets, each at most this long.
const SEEDS: usize = 10;
const MAX_LEN: usize = 400;

fn main() -> std::io::Result<()> {
    let mut runner = TestRunner::deterministic();
    let valid = || trace().prop_map(|trace| write_records(&trace.records));
    let faulty = || mutated_trace().prop_map(|mutated| mutated.octets);
    let noise = || vec(record(), 1..6).prop_map(|records| write_records(&records));
    let pairs = pairs().prop_map(|pairs| {
        let mut octets = Vec::new();
        for (name, value) in &pairs {
            let _ = write_name_value(name, value, &mut octets);
        }
        octets
    });
    let answers = valid().prop_map(|octets| answers(&octets));
    let any = proptest::prop_oneof![valid(), faulty(), noise()];
    write("name_values", &pairs, &mut runner)?;
    write("web_server", &answers, &mut runner)?;
    write("decoder", &any, &mut runner)?;
    write("application", &any, &mut runner)
}

/// What an application answers to a trace.
fn answers(mut octets: &[u8]) -> Vec<u8> {
    let mut config = Config::default();
    config.roles = Roles::ALL;
    config.mpxs_conns = true;
    let mut conn = Connection::new(config, Limits::default());
    let mut output = Vec::new();
    let question = b"\x01\x09\0\0\0\x11\0\0\x0f\0FCGI_MPXS_CONNS";
    let _ = conn.handle_input(&mut &question[..]);
    conn.take_output(&mut output);
    while let Ok(Some(event)) = conn.handle_input(&mut octets) {
        if let Event::StdinEnd { id } = event {
            let _ = conn.stdout(id, b"Content-Type: text/plain\r\n\r\nHello", &mut output);
            let _ = conn.stderr(id, b"oh", &mut output);
            let _ = conn.end_request(id, 0, &mut output);
        }
    }
    output
}

fn write<S>(target: &str, octets: &S, runner: &mut TestRunner) -> std::io::Result<()>
where
    S: Strategy<Value = Vec<u8>>,
{
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    let inputs = (
        proptest::num::u8::ANY,
        vec(proptest::num::u8::ANY, 0..6),
        octets,
    );
    let mut number = 0;
    while number < SEEDS {
        let Ok(input) = inputs.new_tree(runner) else {
            continue;
        };
        let (settings, cuts, octets) = input.current();
        let Ok(count) = u8::try_from(cuts.len()) else {
            continue;
        };
        let seed = [&[settings, count][..], &cuts, &octets].concat();
        if octets.len() >= 8 && seed.len() <= MAX_LEN {
            fs::write(folder.join(format!("{number:02}")), seed)?;
            number += 1;
        }
    }
    Ok(())
}
