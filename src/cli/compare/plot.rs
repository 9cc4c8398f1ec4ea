//! The distribution of delays as an SVG image.

use plotters::prelude::*;

use super::outcome::Row;

/// Readable on white and on black, and distinct for people who cannot tell red from green.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x1f, 0x8a, 0xe0),
    RGBColor(0xe0, 0x7b, 0x1f),
    RGBColor(0x2f, 0xa3, 0x6b),
    RGBColor(0xb8, 0x5c, 0xc8),
    RGBColor(0xc9, 0xa2, 0x27),
    RGBColor(0x8a, 0x8f, 0x98),
    RGBColor(0xd6, 0x4f, 0x5f),
];

/// A row's colour, as CSS writes it.
pub(super) fn colour(index: usize) -> String {
    let RGBColor(red, green, blue) = COLOURS[index % COLOURS.len()];
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// For each row the percentage of changes shown within a delay; the delay's axis is logarithmic, as
/// transports differ a thousandfold.
pub(super) fn delays(rows: &[Row]) -> Result<String, String> {
    let mut svg = String::new();
    draw(rows, &mut svg).map_err(|error| format!("cannot draw the plot: {error}"))?;
    // Axes and texts take the page's colour, light or dark, and the image its width.
    Ok(svg.replace("\"#000000\"", "\"currentColor\"").replacen(
        "<svg width=\"960\" height=\"420\"",
        "<svg role=\"img\" aria-label=\"Distribution of delays\"",
        1,
    ))
}

fn draw(rows: &[Row], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    const SHORTEST_MS: f64 = 0.1;
    let longest = rows.iter().map(|row| row.delay.max_ms).fold(10.0, f64::max);
    let root = SVGBackend::with_string(svg, (960, 420)).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d((SHORTEST_MS..longest * 1.2).log_scale(), 0.0..100.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .x_desc("delay")
        .y_desc("changes shown, %")
        .x_label_formatter(&|ms| {
            super::table::milliseconds(*ms)
                .replace(".0 ", " ")
                .replace(".00 ", " ")
        })
        .y_label_formatter(&|percent| format!("{percent:.0}"))
        .label_style(("sans-serif", 14))
        .draw()?;
    for (index, row) in rows.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points = row
            .delay
            .distribution
            .iter()
            .map(|&(ms, percent)| (ms.max(SHORTEST_MS), percent));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::compare::verdict::example;

    #[test]
    fn every_row_is_a_line_and_the_texts_are_the_pages() {
        let rows = example().rows;
        let svg = delays(&rows).unwrap();
        for index in 0..rows.len() {
            assert!(svg.to_lowercase().contains(&colour(index)), "{svg}");
        }
        assert!(svg.contains("currentColor") && !svg.contains("#000000"));
        assert!(svg.starts_with("<svg role") && svg.contains("viewBox"));
    }
}
