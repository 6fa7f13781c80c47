//! Lines of a description, each checked for its form.

use super::SdpError;

/// The longest line; those of browsers stay below 400 bytes, but for the names of many sections.
pub(super) const LONGEST_LINE: usize = 4096;

/// A line: its number, its letter and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) letter: u8,
    pub(super) value: &'a str,
}

/// The lines of a text (RFC 8866 §5), which may end in LF alone. Empty ones are left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, SdpError>> {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.enumerate().filter(|(_, line)| !line.is_empty()).map(|(index, line)| {
        let number = index + 1;
        if line.len() > LONGEST_LINE {
            return Err(SdpError::LineTooLong { line: number, most: LONGEST_LINE });
        }
        let (head, value) = line.split_once('=').ok_or(SdpError::NoLine(number))?;
        match head.as_bytes() {
            [letter @ b'a'..=b'z'] if !value.bytes().any(|it| it.is_ascii_control()) => {
                Ok(Line { number, letter: *letter, value })
            }
            _ => Err(SdpError::NoLine(number)),
        }
    })
}
