//! The big screen's QR code, as SVG inside the page.

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

/// The code of `url`; empty when it is too long for any code.
pub(super) fn svg(url: &str) -> String {
    // A quarter of the code may be hidden by a head in front of the screen.
    let Ok(code) =
        QrCode::with_error_correction_level(url, EcLevel::Q).or_else(|_| QrCode::new(url))
    else {
        return String::new();
    };
    // Black on white whatever the page's colours: many readers give up on an inverted code.
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
        let svg = svg("https://events.example.org/e/spring-gala");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("style") && !svg.contains("<?xml") && !svg.contains("<script"));
        assert!(
            svg.contains("viewBox=\"0 0 41 41\""),
            "33 modules and the quiet zone of four on each side: {svg}"
        );
    }

    #[test]
    fn no_code_rather_than_a_wrong_one() {
        assert_eq!(svg(&"x".repeat(5_000)), "");
    }
}
