//! The outcome of the last action: a code in the address that the 303 leads to.

use crate::domain::local_time::Choice;
use crate::http::pages::views::FlashView;
use crate::http::pages::visit::Visit;
use crate::problem::{Code, Problem};

/// The message for the code in the address; `None` for an unknown code.
pub(super) fn read(visit: &Visit) -> Option<FlashView> {
    ["done", "error"].into_iter().find_map(|kind| {
        let code = visit.parameter(kind)?;
        visit
            .texts
            .find(&format!("flash-{kind}-{code}"))
            .map(|text| FlashView { kind, text })
    })
}

/// The code `done`, with a suffix if a local time did not exist or existed twice.
pub(super) fn with_choices(done: &'static str, choices: &[Choice]) -> String {
    let moved = choices.contains(&Choice::MovedForward);
    let first = choices.contains(&Choice::First);
    match (moved, first) {
        (false, false) => done.to_owned(),
        (true, false) => format!("{done}-moved"),
        (false, true) => format!("{done}-first"),
        (true, true) => format!("{done}-both"),
    }
}

/// The code for a refused action. `None` if the event is gone, because its page cannot be shown.
pub(super) fn code(problem: &Problem) -> Option<&'static str> {
    let code = problem.code();
    if code == Code::EventNotFound {
        None
    } else if code == Code::RegistrationNotFound {
        Some("not-found")
    } else if code == Code::EventFull {
        Some("full")
    } else if code == Code::AlreadyRegistered {
        Some("taken")
    } else if code == Code::ChangedMeanwhile {
        Some("changed")
    } else if code == Code::NotEmpty {
        Some("not-empty")
    } else if code.status().is_server_error() {
        Some("unavailable")
    } else {
        Some("invalid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    #[test]
    fn only_known_codes_are_shown() {
        let flash = |query: &str| {
            read(&Visit {
                query: query.to_owned(),
                ..samples::visit(&[])
            })
            .map(|flash| (flash.kind, flash.text))
        };
        assert_eq!(flash("done=reset").unwrap().0, "done");
        assert_eq!(flash("q=x&error=confirm").unwrap().0, "error");
        for query in [
            "",
            "done=",
            "done=nothing",
            "done=x.y",
            "error=<script>",
            "other=reset",
        ] {
            assert_eq!(flash(query), None, "{query}");
        }
    }

    #[test]
    fn every_code_that_an_action_gives_has_its_words() {
        let texts = samples::visit(&[]).texts;
        for problem in Code::ALL {
            if let Some(code) = code(&Problem::new(problem, "")) {
                assert!(
                    texts.find(&format!("flash-error-{code}")).is_some(),
                    "{code}"
                );
            }
        }
    }
}
