//! The outcome of the last action: a code in the address that the 303 leads to, with a proof that this
//! server made that address. A link from elsewhere says nothing, and offers no undo.

use warp::http::{HeaderValue, Method, header};
use warp::reply::Response;

use crate::context::head::RequestHead;
use crate::domain::local_time::Choice;
use crate::http::pages::views::FlashView;
use crate::http::pages::visit::Visit;
use crate::http::session;
use crate::problem::{Code, Problem};

/// How addresses with an outcome begin their query.
const KINDS: [&str; 2] = ["done", "error"];
/// The last parameter of such an address.
const PROOF: &str = "sig";

/// Adds the proof to the redirect that an action of the console ends with.
pub(in crate::http::pages) fn sign(head: &RequestHead, mut response: Response) -> Response {
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let signed = location.filter(|location| head.method == Method::POST && has_outcome(location));
    let signed = signed.and_then(|location| {
        let proof = session::proof(&head.headers, location)?;
        HeaderValue::try_from(format!("{location}&{PROOF}={proof}")).ok()
    });
    if let Some(signed) = signed {
        response.headers_mut().insert(header::LOCATION, signed);
    }
    response
}

fn has_outcome(location: &str) -> bool {
    let query = location.split_once('?').map_or("", |(_, query)| query);
    let name = query.split('=').next();
    location.starts_with("/admin") && name.is_some_and(|name| KINDS.contains(&name))
}

/// Whether this server led here, or answers a form at the form's own address.
fn is_own(visit: &Visit) -> bool {
    if !matches!(visit.head.method, Method::GET | Method::HEAD) {
        return true;
    }
    let Some((query, proof)) = visit.query.rsplit_once(&format!("&{PROOF}=")) else {
        return false;
    };
    let address = format!("{}?{query}", visit.path);
    session::is_proof(&visit.head.headers, &address, proof)
}

/// A value in the address, beside the outcome; `None` in an address that somebody else made.
pub(super) fn parameter(visit: &Visit, name: &str) -> Option<String> {
    visit.parameter(name).filter(|_| is_own(visit))
}

/// The message for the code in the address; `None` for an unknown code.
pub(super) fn read(visit: &Visit) -> Option<FlashView> {
    KINDS.into_iter().find_map(|kind| {
        let code = parameter(visit, kind)?;
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
        let flash =
            |query: &str| read(&samples::answered(query)).map(|flash| (flash.kind, flash.text));
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
    fn an_address_says_something_only_to_the_session_that_was_led_there() {
        let session = |digit: &str| format!("headcount_session={}", digit.repeat(64));
        let (own, other) = (session("a"), session("b"));
        let head = RequestHead {
            method: Method::POST,
            ..samples::visit(&[("cookie", &own)]).head
        };
        let led = |location: &str| {
            let response = sign(&head, crate::http::pages::answer::see_other(location));
            response.headers()[header::LOCATION]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let shown = |address: &str, cookie: &str| {
            let (path, query) = address.split_once('?').unwrap();
            let visit = Visit {
                path: path.to_owned(),
                query: query.to_owned(),
                ..samples::visit(&[("cookie", cookie)])
            };
            read(&visit).is_some()
        };
        let plain = "/admin/events/gala?done=capacity&was=9";
        let signed = led(plain);
        assert!(shown(&signed, &own), "{signed}");
        for (made_up, cookie) in [
            (plain.to_owned(), &own),
            (format!("{plain}&sig="), &own),
            (signed.replace("was=9", "was=8"), &own),
            (signed.replace("gala", "ball"), &own),
            (signed.clone(), &other),
            (signed.clone(), &String::new()),
            (signed.clone(), &"headcount_session=".to_owned()),
        ] {
            assert!(!shown(&made_up, cookie), "{made_up} {cookie}");
        }
        for other in ["/admin", "/r/x?done=erased", "/admin/login?next=%2Fadmin"] {
            assert_eq!(led(other), other);
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
