//! All checks, and how they are run one after the other.

use std::cell::RefCell;
use std::rc::Rc;

use super::answer::{Answer, Echo};
use super::dial::{Dialer, Options, Target};
use super::link::Log;
use super::report::{Report, Row, Verdict};
use super::trial::{KEEP, Not, Outcome, Trial};
use super::{appendix_b, hardening, records, requests};
use crate::conformance::{ITEMS, Item};

/// A check of a live application.
#[derive(Clone, Copy, Debug)]
pub struct CheckInfo {
    /// Its name, for `--only`.
    pub id: &'static str,
    /// The item of the checklist; `None` for a known bug of other implementations.
    pub item: Option<u8>,
    /// The section of the specification.
    pub section: &'static str,
    /// What is demanded.
    pub title: &'static str,
    /// Whether the specification is silent, and this is a recommendation.
    pub recommended: bool,
    run: fn(&mut Trial<'_>) -> Outcome,
}

/// A check of an item of the checklist, with the item's section.
pub(super) const fn check(
    number: u8,
    id: &'static str,
    title: &'static str,
    run: fn(&mut Trial<'_>) -> Outcome,
) -> CheckInfo {
    let item: Item = ITEMS[number as usize - 1];
    CheckInfo {
        id,
        item: Some(number),
        section: item.section,
        title,
        recommended: item.recommended,
        run,
    }
}

/// As [`check`], where the specification only recommends it or is silent.
pub(super) const fn recommendation(
    number: u8,
    id: &'static str,
    title: &'static str,
    run: fn(&mut Trial<'_>) -> Outcome,
) -> CheckInfo {
    let mut info = check(number, id, title, run);
    info.recommended = true;
    info
}

/// A check for a known bug of other implementations.
pub(super) const fn bug(
    section: &'static str,
    id: &'static str,
    title: &'static str,
    run: fn(&mut Trial<'_>) -> Outcome,
) -> CheckInfo {
    CheckInfo {
        id,
        item: None,
        section,
        title,
        recommended: false,
        run,
    }
}

const WEB_SERVER: &str = "this is the Web server's side, which an application does not show";

fn web_server_side(_: &mut Trial<'_>) -> Outcome {
    Err(Not::applicable(WEB_SERVER))
}

const WEB_SERVER_SIDE: [&str; 8] = [
    "web-server-ids",
    "web-server-streams",
    "web-server-abort",
    "web-server-interleave",
    "web-server-end",
    "web-server-refusals",
    "web-server-authorizer",
    "web-server-management",
];

/// All checks, by item, those of known bugs last.
#[must_use]
pub fn checks() -> Vec<CheckInfo> {
    let mut checks = Vec::new();
    checks.extend(records::CHECKS);
    checks.extend(requests::CHECKS);
    checks.extend(appendix_b::CHECKS);
    checks.extend((32..).zip(WEB_SERVER_SIDE).map(|(number, id)| {
        let item = ITEMS[usize::from(number) - 1_usize];
        check(number, id, item.title, web_server_side)
    }));
    checks.sort_by_key(|check| check.item);
    checks.extend(hardening::CHECKS);
    checks
}

/// Runs the checks against a live application.
///
/// # Errors
/// `only` names a check that does not exist, or the application does not answer an ordinary request at all; the message
/// says what happened.
pub fn run(options: &Options) -> Result<Report, String> {
    let all = checks();
    if let Some(unknown) = options
        .only
        .iter()
        .find(|id| all.iter().all(|check| check.id != id.as_str()))
    {
        return Err(format!("there is no check `{unknown}`; `--list` shows all"));
    }
    let mut dialer = Dialer::new(options.target.clone());
    let echo = match probe(&mut dialer, options, None) {
        Ok(answer) => answer.echo(),
        Err(fault) => {
            let ended = dialer.ended().map(|ended| format!("; {ended}"));
            let ended = ended.unwrap_or_default();
            return Err(format!(
                "an ordinary request is not answered: {fault}{ended}"
            ));
        }
    };
    let mut rows = Vec::new();
    // The check after which the application answers nothing any more.
    let mut silenced: Option<&str> = None;
    for info in all {
        if !options.only.is_empty() && options.only.iter().all(|id| id != info.id) {
            continue;
        }
        let log = Rc::new(RefCell::new(Log::default()));
        let outcome = match silenced {
            Some(culprit) => Err(Not::applicable(format!(
                "the application has not answered since `{culprit}`"
            ))),
            None => {
                let mut trial = Trial {
                    dialer: &mut dialer,
                    options,
                    echo: echo.as_ref(),
                    log: Rc::clone(&log),
                };
                (info.run)(&mut trial)
            }
        };
        let outcome = if silenced.is_none() && !matches!(outcome, Err(Not::Applicable(_))) {
            aftermath(
                &mut dialer,
                options,
                echo.as_ref(),
                outcome,
                info.id,
                &mut silenced,
            )
        } else {
            outcome
        };
        let (verdict, reason) = match outcome {
            Ok(()) => (Verdict::Holds, None),
            Err(Not::Holding(reason)) => (Verdict::DoesNotHold, Some(reason)),
            Err(Not::Applicable(reason)) => (Verdict::NotApplicable, Some(reason)),
        };
        let log = log.borrow();
        rows.push(Row {
            id: info.id,
            item: info.item,
            section: info.section,
            title: info.title,
            recommended: info.recommended,
            verdict,
            reason,
            sent: log.sent(),
            received: log.received(),
        });
    }
    let target = match &options.target {
        Target::Unix(path) => path.to_string(),
        Target::Tcp(address) => address.clone(),
        Target::StdinOf(command) => command.clone(),
    };
    Ok(Report { target, rows })
}

/// What has become of the application.
fn aftermath(
    dialer: &mut Dialer,
    options: &Options,
    echo: Option<&Echo>,
    outcome: Outcome,
    id: &'static str,
    silenced: &mut Option<&'static str>,
) -> Outcome {
    let ended = dialer.ended().filter(|_| id != requests::SIGTERM);
    let with_end = |outcome: Outcome| match (outcome, ended) {
        (outcome, None) => outcome,
        (Ok(()), Some(ended)) => Err(Not::Holding(ended)),
        (Err(Not::Holding(reason)), Some(ended)) => Err(Not::Holding(format!("{reason}; {ended}"))),
        (outcome, Some(_)) => outcome,
    };
    match probe(dialer, options, echo) {
        Ok(_) => with_end(outcome),
        Err(fault) => {
            let outcome = with_end(outcome);
            // One that we have started can be started again.
            dialer.restart();
            if dialer.command().is_none() || probe(dialer, options, echo).is_err() {
                *silenced = Some(id);
            }
            match outcome {
                Ok(()) => Err(Not::Holding(format!(
                    "afterwards an ordinary request on a new connection was not answered: {fault}"
                ))),
                Err(Not::Holding(reason)) => Err(Not::Holding(format!(
                    "{reason}; afterwards an ordinary request on a new connection was not answered"
                ))),
                other => other,
            }
        }
    }
}

/// One ordinary request on a connection of its own.
fn probe(dialer: &mut Dialer, options: &Options, echo: Option<&Echo>) -> Result<Answer, String> {
    let mut trial = Trial {
        dialer,
        options,
        echo,
        log: Rc::default(),
    };
    let octets = trial.request(1, KEEP, &[], b"");
    trial.ask(&octets, 1).map_err(|not| match not {
        Not::Holding(reason) | Not::Applicable(reason) => reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_check_and_every_name_is_unique() {
        let checks = checks();
        for item in ITEMS {
            assert!(
                checks.iter().any(|check| check.item == Some(item.number)),
                "item {}",
                item.number
            );
        }
        let mut ids: Vec<_> = checks.iter().map(|check| check.id).collect();
        ids.sort_unstable();
        let len = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), len);
    }
}
