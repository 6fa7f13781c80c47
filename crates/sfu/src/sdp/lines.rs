//! Lines of a description, each checked to be well-formed.

use super::SdpError;

/// Longest line in bytes. Browsers stay below 400, except for a BUNDLE group of many sections.
pub(super) const MAX_LINE_BYTES: usize = 4096;

/// A line `letter=value`; numbers count from one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) letter: u8,
    pub(super) value: &'a str,
}

/// Splits a text into lines (RFC 8866 §5), which may end in LF alone. Skips empty lines.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, SdpError>> {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.enumerate().filter(|(_, line)| !line.is_empty()).map(|(index, line)| {
        let number = index + 1;
        if line.len() > MAX_LINE_BYTES {
            return Err(SdpError::LineTooLong { line: number, max: MAX_LINE_BYTES });
        }
        let (head, value) = line.split_once('=').ok_or(SdpError::MalformedLine(number))?;
        match head.as_bytes() {
            [letter @ b'a'..=b'z'] if !value.bytes().any(|it| it.is_ascii_control()) => {
                Ok(Line { number, letter: *letter, value })
            }
            _ => Err(SdpError::MalformedLine(number)),
        }
    })
}
