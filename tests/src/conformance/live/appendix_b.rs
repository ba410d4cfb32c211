//! Appendix B: the four examples, as a Web server sends them.

use super::super::record::Octets;
use super::check::{CheckInfo, check};
use super::requests::{closed_after, interleaved};
use super::trial::*;

pub(super) const CHECKS: [CheckInfo; 4] = [
    check(
        40,
        "appendix-b-1",
        "example 1: a request without body",
        appendix_b_1,
    ),
    check(
        40,
        "appendix-b-2",
        "example 2: variables cut inside a pair, and a body",
        appendix_b_2,
    ),
    check(
        40,
        "appendix-b-3",
        "example 3: a message on STDERR and a status",
        appendix_b_3,
    ),
    check(
        40,
        "appendix-b-4",
        "example 4: two requests interleaved, if the application multiplexes",
        appendix_b_4,
    ),
];

fn appendix_b_1(trial: &mut Trial<'_>) -> Outcome {
    closed_after(trial, CLOSE)
}

fn appendix_b_2(trial: &mut Trial<'_>) -> Outcome {
    let body = b"quantity=100&item=3047936";
    let params = trial.params(
        &[("SERVER_PORT", b"80"), ("SERVER_ADDR", b"199.170.183.42")],
        body.len(),
    );
    // The first record ends in the middle of the name SERVER_ADDR.
    let cut = params.len() - b"VER_ADDR199.170.183.42".len();
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .record(PARAMS, 1, &params[..cut])
        .record(PARAMS, 1, &params[cut..])
        .record(PARAMS, 1, b"")
        .stream(STDIN, 1, body, 65_528);
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        echo.check_variable("SERVER_PORT", b"80")?;
        echo.check_variable("SERVER_ADDR", b"199.170.183.42")?;
        echo.check_stdin(body)
    })
}

fn appendix_b_3(trial: &mut Trial<'_>) -> Outcome {
    trial.needs("stderr")?;
    trial.needs("status")?;
    let message = b"config error: missing SI_UID\n";
    let octets = trial.request(
        1,
        CLOSE,
        &[("ECHO_STDERR", message), ("ECHO_STATUS", b"938")],
        b"",
    );
    let answer = trial.ask(&octets, 1)?;
    if answer.stderr != message {
        return Err(Not::holding(
            "the message on STDERR is not the one that was written",
        ));
    }
    match answer.end {
        Some((938, COMPLETE)) => Ok(()),
        end => Err(Not::holding(format!(
            "expected the status 938, found {end:?}"
        ))),
    }
}

fn appendix_b_4(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    let (first, second) = interleaved(trial, &mut link)?;
    match second.end {
        Some((_, CANT_MPX_CONN | OVERLOADED)) => Err(Not::applicable(
            "the application does not multiplex, and says so",
        )),
        _ => {
            second.complete()?;
            first.complete().map(drop)
        }
    }
}
