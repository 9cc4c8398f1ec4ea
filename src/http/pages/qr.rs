//! The big screen's QR code, as SVG inside the page.
//!
//! Drawing a code takes milliseconds, far more than the rest of a page, and the address in it comes
//! from the request. So codes are kept, drawn one at a time, and never on the threads that serve
//! requests.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::context::blocking;

/// The longest address in a code: the longest `Host` with the longest path of an event. A longer
/// one could not be read across a room anyway.
const LONGEST_URL: usize = 400;
/// Codes that are kept. Each has up to some 50 KB.
const KEPT: usize = 64;
/// How long a page waits while others' codes are drawn. Then it is shown without one, with its
/// address as text.
const DRAW_TIMEOUT: Duration = Duration::from_secs(1);

/// The codes drawn last, by their address; the newest is the last.
// Held for a look-up only, over no await.
static CODES: Mutex<VecDeque<(String, String)>> = Mutex::new(VecDeque::new());
/// One code is drawn at a time: a crowd of different addresses takes one thread, not all.
static TURN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// The code of `url`; empty when it is too long for a code, or too many others wait for theirs.
pub(super) async fn svg(url: &str) -> String {
    if url.len() > LONGEST_URL {
        return String::new();
    }
    if let Some(code) = kept(url) {
        return code;
    }
    timeout(DRAW_TIMEOUT, drawn(url.to_owned()))
        .await
        .unwrap_or_default()
}

async fn drawn(url: String) -> String {
    // The semaphore is never closed.
    let Ok(turn) = Arc::clone(&TURN).acquire_owned().await else {
        return String::new();
    };
    // Another request may have drawn the same code meanwhile.
    if let Some(code) = kept(&url) {
        return code;
    }
    let drawing = blocking::run(turn, move || {
        let code = draw(&url);
        let mut codes = codes();
        if codes.len() >= KEPT {
            codes.pop_front();
        }
        codes.push_back((url, code.clone()));
        code
    });
    // It fails only when the process ends.
    drawing.await.unwrap_or_default()
}

fn kept(url: &str) -> Option<String> {
    let mut codes = codes();
    let at = codes.iter().position(|(kept, _)| kept == url)?;
    let found = codes.remove(at)?;
    let code = found.1.clone();
    codes.push_back(found);
    Some(code)
}

fn codes() -> MutexGuard<'static, VecDeque<(String, String)>> {
    CODES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draw(url: &str) -> String {
    // A quarter of the code may be hidden by a head in front of the screen.
    let Ok(code) =
        QrCode::with_error_correction_level(url, EcLevel::Q).or_else(|_| QrCode::new(url))
    else {
        return String::new();
    };
    // Always black on white: many readers cannot read an inverted code.
    let document = code
        .render()
        .dark_color(Color("#000"))
        .light_color(Color("#fff"))
        .module_dimensions(1, 1)
        .build();
    // Inside HTML there is no XML declaration.
    document
        .find("<svg")
        .map(|start| document[start..].to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_bare_svg() {
        let svg = draw("https://events.example.org/e/spring-gala");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("style") && !svg.contains("<?xml") && !svg.contains("<script"));
        assert!(
            svg.contains("viewBox=\"0 0 41 41\""),
            "33 modules and the quiet zone of four on each side: {svg}"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_too_long_has_no_code() {
        assert_eq!(svg(&"x".repeat(LONGEST_URL + 1)).await, "");
        assert_ne!(svg(&"x".repeat(LONGEST_URL)).await, "");
    }

    #[tokio::test]
    async fn a_code_is_drawn_once_and_few_are_kept() {
        let url = |n| format!("https://events.example.org/e/kept-{n}");
        let first = svg(&url(0)).await;
        assert_eq!(kept(&url(0)), Some(first.clone()));
        assert_eq!(svg(&url(0)).await, first);
        for n in 1..=2 * KEPT {
            svg(&url(n)).await;
        }
        assert!(codes().len() <= KEPT);
        assert_eq!(kept(&url(0)), None);
    }
}
