//! Files that participants share: what a room knows of them. Their bytes never pass the server.

use serde::{Deserialize, Serialize};

/// Maximum size of a file, in bytes.
pub const MAX_FILE_BYTES: u64 = 2_000_000_000;
/// Maximum length of a file's name, in characters.
pub const MAX_FILE_NAME_CHARS: usize = 200;
/// Minimum length of a file's id, in characters.
const MIN_ID_LENGTH: usize = 16;
/// Maximum length of a file's id, in characters.
const MAX_ID_LENGTH: usize = 64;

/// The text is no id of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a file has {MIN_ID_LENGTH} to {MAX_ID_LENGTH} letters, digits, - or _")]
pub struct FileIdError;

/// A random id that the sender of a file makes. The sender gives the file to whoever names it, so
/// only those who were offered the file know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct FileId(String);

impl FileId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileId {
    type Error = FileIdError;
    fn try_from(text: String) -> Result<Self, FileIdError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_valid =
            (MIN_ID_LENGTH..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_valid { Ok(Self(text)) } else { Err(FileIdError) }
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> Self {
        id.0
    }
}

/// Reason for which a file's name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// No character, or dots alone.
    #[error("a file needs a name")]
    Empty,
    /// More than [`MAX_FILE_NAME_CHARS`] characters.
    #[error("a file's name can have at most {MAX_FILE_NAME_CHARS} characters")]
    TooLong,
    /// A separator of folders, a control character, or one that turns the direction of text.
    #[error("a file's name can't contain / or \\, or control and direction characters")]
    Forbidden,
}

/// A file's name, without a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

impl FileName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileName {
    type Error = FileNameError;
    fn try_from(name: String) -> Result<Self, FileNameError> {
        // Counts no further than the limit.
        if name.chars().take(MAX_FILE_NAME_CHARS + 1).count() > MAX_FILE_NAME_CHARS {
            return Err(FileNameError::TooLong);
        }
        if name.chars().any(is_forbidden) {
            return Err(FileNameError::Forbidden);
        }
        // Also `.` and `..`.
        if name.chars().all(|c| c == '.' || c.is_whitespace()) {
            return Err(FileNameError::Empty);
        }
        Ok(Self(name))
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

/// Could lead out of a folder, or show another extension than the name has.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '/' | '\\' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The size is above [`MAX_FILE_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file can have at most {MAX_FILE_BYTES} bytes")]
pub struct FileSizeError;

/// A file's size in bytes, at most 2 GB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "number"))]
#[serde(try_from = "u64", into = "u64")]
pub struct FileSize(u64);

impl TryFrom<u64> for FileSize {
    type Error = FileSizeError;
    fn try_from(bytes: u64) -> Result<Self, FileSizeError> {
        if bytes <= MAX_FILE_BYTES { Ok(Self(bytes)) } else { Err(FileSizeError) }
    }
}

impl From<FileSize> for u64 {
    fn from(size: FileSize) -> Self {
        size.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_into_no_folder_and_hide_no_extension() {
        for name in ["a", "report.pdf", ".profile", "모임 사진 👩‍🏫.jpg", "a..b"] {
            assert_eq!(FileName::try_from(name.to_owned()).unwrap().as_str(), name);
        }
        let error = |name: &str| FileName::try_from(name.to_owned()).unwrap_err();
        for name in ["a/b", "..\\a", "a\u{0}b", "a\nb", "photo\u{202e}gpj.exe", "a\u{2066}b"] {
            assert_eq!(error(name), FileNameError::Forbidden, "{name:?}");
        }
        for name in ["", " ", ".", "..", ". ."] {
            assert_eq!(error(name), FileNameError::Empty, "{name:?}");
        }
        assert_eq!(error(&"가".repeat(MAX_FILE_NAME_CHARS + 1)), FileNameError::TooLong);
        assert!(FileName::try_from("가".repeat(MAX_FILE_NAME_CHARS)).is_ok());
    }

    #[test]
    fn ids_are_long_and_of_few_characters() {
        assert!(FileId::try_from("a-_Z0".repeat(4)).is_ok());
        for id in ["a".repeat(15), "a".repeat(65), "a/".repeat(10), "가".repeat(10)] {
            assert_eq!(FileId::try_from(id), Err(FileIdError));
        }
    }

    #[test]
    fn sizes_are_limited() {
        let parse = |json: &str| serde_json::from_str::<FileSize>(json);
        assert_eq!(u64::from(parse("2000000000").unwrap()), MAX_FILE_BYTES);
        for size in ["2000000001", "18446744073709551616", "-1", "1.5", "\"1\"", "null"] {
            assert!(parse(size).is_err(), "{size}");
        }
    }
}
