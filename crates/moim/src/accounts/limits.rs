//! Limits of the names and passwords of administrators.

/// Maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 64;
/// Length limits of a password, in characters.
const MIN_PASSWORD_CHARS: usize = 10;
const MAX_PASSWORD_CHARS: usize = 200;

/// A name or password that can't be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum InvalidAccountError {
    #[error("name: must have 1 to {MAX_NAME_CHARS} characters, and none that control")]
    Name,
    #[error("password: must have {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")]
    Password,
}

/// A name without the spaces around it.
pub(super) fn checked_name(text: &str) -> Result<String, InvalidAccountError> {
    let name = text.trim();
    let is_long = name.chars().count() > MAX_NAME_CHARS;
    if name.is_empty() || is_long || name.chars().any(char::is_control) {
        return Err(InvalidAccountError::Name);
    }
    Ok(name.to_owned())
}

/// Rejects passwords that are too short to be one, or too long to be typed.
pub(super) fn check_length(password: &str) -> Result<(), InvalidAccountError> {
    let chars = password.chars().count();
    if (MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
        Ok(())
    } else {
        Err(InvalidAccountError::Password)
    }
}
