//! QR codes of addresses: SVG inside pages, and SVG and PNG as files.
//!
//! Drawing a code takes milliseconds, far more than the rest of a page, and the address in it comes
//! from the request. So codes are kept, drawn one at a time, and never on the threads that serve
//! requests.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
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
/// Pixels of a module in the image: 656 for a usual address, enough for a flyer.
const PIXELS: usize = 16;
/// Modules without ink on each side (ISO/IEC 18004, section 9.1).
const QUIET: usize = 4;

/// What a code is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// An `<svg>` element, for HTML and, with its namespace, as a file.
    Svg,
    /// A black and white image.
    Png,
}

#[derive(Debug)]
struct Kept {
    url: String,
    format: Format,
    code: Bytes,
}

/// The codes drawn last; the newest is the last.
// Held for a look-up only, over no await.
static CODES: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());
/// One code is drawn at a time: a crowd of different addresses takes one thread, not all.
static TURN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// The code of `url` for a page; empty when it is too long for a code, or too many others wait for
/// theirs.
pub(super) async fn svg(url: &str) -> String {
    let code = code(url, Format::Svg).await.unwrap_or_default();
    // An SVG is drawn as text.
    String::from_utf8(code.into()).unwrap_or_default()
}

/// The code of `url`; `None` when it is too long for a code, or too many others wait for theirs.
pub(super) async fn code(url: &str, format: Format) -> Option<Bytes> {
    if url.len() > LONGEST_URL {
        return None;
    }
    if let Some(code) = kept(url, format) {
        return Some(code);
    }
    timeout(DRAW_TIMEOUT, drawn(url.to_owned(), format))
        .await
        .ok()
        .flatten()
}

async fn drawn(url: String, format: Format) -> Option<Bytes> {
    // The semaphore is never closed.
    let turn = Arc::clone(&TURN).acquire_owned().await.ok()?;
    // Another request may have drawn the same code meanwhile.
    if let Some(code) = kept(&url, format) {
        return Some(code);
    }
    let drawing = blocking::run(turn, move || {
        let code = draw(&url, format)?;
        let mut codes = codes();
        if codes.len() >= KEPT {
            codes.pop_front();
        }
        codes.push_back(Kept {
            url,
            format,
            code: code.clone(),
        });
        Some(code)
    });
    // It fails only when the process ends.
    drawing.await.flatten()
}

fn kept(url: &str, format: Format) -> Option<Bytes> {
    let mut codes = codes();
    let at = codes
        .iter()
        .position(|kept| kept.url == url && kept.format == format)?;
    let found = codes.remove(at)?;
    let code = found.code.clone();
    codes.push_back(found);
    Some(code)
}

fn codes() -> MutexGuard<'static, VecDeque<Kept>> {
    CODES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draw(url: &str, format: Format) -> Option<Bytes> {
    // A quarter of the code may be hidden by a head in front of the screen.
    let code = QrCode::with_error_correction_level(url, EcLevel::Q)
        .or_else(|_| QrCode::new(url))
        .ok()?;
    match format {
        Format::Svg => draw_svg(&code),
        Format::Png => draw_png(&code),
    }
}

fn draw_svg(code: &QrCode) -> Option<Bytes> {
    // Always black on white: many readers cannot read an inverted code.
    let document = code
        .render()
        .dark_color(Color("#000"))
        .light_color(Color("#fff"))
        .module_dimensions(1, 1)
        .build();
    // Inside HTML there is no XML declaration.
    let start = document.find("<svg")?;
    Some(document[start..].to_owned().into())
}

/// One bit a pixel; white is 1 (PNG, third edition, section 11.1).
fn draw_png(code: &QrCode) -> Option<Bytes> {
    let modules = code.width();
    let side = (modules + 2 * QUIET) * PIXELS;
    let row_bytes = side.div_ceil(8);
    let mut image = vec![0xff_u8; row_bytes * side];
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color != qrcode::Color::Dark {
            continue;
        }
        let (left, top) = (
            (index % modules + QUIET) * PIXELS,
            (index / modules + QUIET) * PIXELS,
        );
        for y in top..top + PIXELS {
            for x in left..left + PIXELS {
                image[y * row_bytes + x / 8] &= !(0x80 >> (x % 8));
            }
        }
    }
    let mut file = Vec::new();
    let side = u32::try_from(side).ok()?;
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&image).ok()?;
    writer.finish().ok()?;
    Some(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://events.example.org/e/spring-gala";

    #[test]
    fn a_code_is_bare_svg() {
        let svg = draw(URL, Format::Svg).unwrap();
        let svg = std::str::from_utf8(&svg).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("style") && !svg.contains("<?xml") && !svg.contains("<script"));
        assert!(
            svg.contains("viewBox=\"0 0 41 41\""),
            "33 modules and the quiet zone of four on each side: {svg}"
        );
    }

    // The image is the matrix of the same code, module by module, in a quiet zone.
    #[test]
    fn an_image_shows_every_module_and_a_quiet_zone() {
        let file = draw(URL, Format::Png).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(&file[..]));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        let row_bytes = frame.line_size;
        assert_eq!((frame.width, frame.height), (41 * 16, 41 * 16));
        let is_dark = |x: usize, y: usize| pixels[y * row_bytes + x / 8] & (0x80 >> (x % 8)) == 0;
        let code = QrCode::with_error_correction_level(URL, EcLevel::Q).unwrap();
        for y in 0..41 {
            for x in 0..41 {
                let inside = (4..37).contains(&x) && (4..37).contains(&y);
                let dark = inside && code[(x - 4, y - 4)] == qrcode::Color::Dark;
                for (dx, dy) in [(0, 0), (15, 15)] {
                    assert_eq!(is_dark(x * 16 + dx, y * 16 + dy), dark, "module {x}, {y}");
                }
            }
        }
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
        assert_eq!(kept(&url(0), Format::Svg), Some(first.clone().into()));
        assert_eq!(kept(&url(0), Format::Png), None);
        assert_eq!(svg(&url(0)).await, first);
        for n in 1..=2 * KEPT {
            svg(&url(n)).await;
        }
        assert!(codes().len() <= KEPT);
        assert_eq!(kept(&url(0), Format::Svg), None);
    }
}
