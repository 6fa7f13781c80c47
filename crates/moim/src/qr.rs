//! QR codes for terminals.

use qrcode::{Color, EcLevel, QrCode};

/// A QR code of half blocks, always black on white, with the quiet zone that scanners need.
pub(crate) fn qr(url: &str) -> Option<String> {
    const QUIET: usize = 2;
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let is_dark = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET), y.checked_sub(QUIET)) else { return false };
        x < width && y < width && colors.get(y * width + x) == Some(&Color::Dark)
    };
    let mut text = String::new();
    for y in (0..width + 2 * QUIET).step_by(2) {
        text.push_str("  \x1b[38;5;16;48;5;231m");
        for x in 0..width + 2 * QUIET {
            text.push(match (is_dark(x, y), is_dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        text.push_str("\x1b[0m\n");
    }
    Some(text)
}
