//! Parsing of event arguments. Errors name the field.

use room::{
    name::NameError,
    protocol::{ErrorBody, ErrorCode},
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Parses the single argument of an event.
pub(super) fn payload<T: DeserializeOwned>(args: &[Box<RawValue>]) -> Result<T, ErrorBody> {
    match args {
        // serde would accept an array, field by field.
        [argument] if argument.get().starts_with('{') => parse(argument),
        [_] => Err(invalid("the argument must be an object")),
        _ => Err(invalid(format!("expected one argument, an object; got {}", args.len()))),
    }
}

/// Parses the argument of an event without fields, which may be omitted.
pub(super) fn no_payload<T: DeserializeOwned + Default>(
    args: &[Box<RawValue>],
) -> Result<T, ErrorBody> {
    if args.is_empty() { Ok(T::default()) } else { payload(args) }
}

/// Error for a malformed request.
pub(super) fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new(ErrorCode::Invalid, message)
}

fn parse<T: DeserializeOwned>(argument: &RawValue) -> Result<T, ErrorBody> {
    let mut json = serde_json::Deserializer::from_str(argument.get());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let what = error.inner().to_string();
        // The position in the JSON text is of no use to the sender of an object.
        let what = what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what);
        let name = NameError::from_message(what);
        // Bounded, since the message may quote the input.
        let what: String = what.chars().take(200).collect();
        let error = invalid(if path == "." { what } else { format!("{path}: {what}") });
        ErrorBody { name, ..error }
    })
}

#[cfg(test)]
mod tests {
    use room::protocol::{CreateRoom, JoinRoom, ListRooms, SignalRequest};

    use super::*;

    fn args(json: &str) -> Vec<Box<RawValue>> {
        serde_json::from_str(json).unwrap()
    }

    fn error<T: DeserializeOwned>(json: &str) -> String {
        payload::<T>(&args(json)).map(|_| ()).unwrap_err().message
    }

    #[test]
    fn error_names_the_field() {
        assert_eq!(error::<JoinRoom>("[]"), "expected one argument, an object; got 0");
        for other in ["[1]", "[null]", "[[]]", r#"[["r","n"]]"#, r#"["{}"]"#] {
            assert_eq!(error::<JoinRoom>(other), "the argument must be an object");
        }
        assert_eq!(error::<JoinRoom>(r#"[{"room":"r"}]"#), "missing field `name`");
        assert_eq!(
            error::<JoinRoom>(r#"[{"room":5,"name":"n"}]"#),
            "room: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            error::<JoinRoom>(r#"[{"room":"r","name":"n","media":{"mic":1}}]"#),
            "media.mic: invalid type: integer `1`, expected a boolean"
        );
        assert_eq!(
            error::<JoinRoom>(r#"[{"room":" ","name":"n"}]"#),
            "room: a name needs a visible character"
        );
        let refused = payload::<JoinRoom>(&args(r#"[{"room":"r","name":"\u3164"}]"#));
        assert_eq!(refused.unwrap_err().name, Some(NameError::Invisible));
        assert_eq!(
            error::<CreateRoom>(r#"[{"name":"n","capacity":-1}]"#),
            "capacity: invalid value: integer `-1`, expected u32"
        );
        assert!(error::<SignalRequest>(r#"[{"to":"x","from":"y"}]"#).starts_with("from: unknown"));
    }

    #[test]
    fn error_length_is_bounded() {
        let long = format!(r#"[{{"room":"r","name":"n","media":"{}"}}]"#, "x".repeat(1 << 20));
        assert!(error::<JoinRoom>(&long).len() < 1000);
        let nested = format!(r#"[{{"room":{}{}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(
            serde_json::from_str::<Vec<Box<RawValue>>>(&nested).is_err() || {
                error::<JoinRoom>(&nested).len() < 1000
            }
        );
    }

    #[test]
    fn empty_payload_may_be_omitted() {
        assert!(no_payload::<ListRooms>(&[]).is_ok());
        assert!(no_payload::<ListRooms>(&args("[{}]")).is_ok());
        assert!(no_payload::<ListRooms>(&args("[{\"x\":1}]")).is_err());
        assert!(no_payload::<ListRooms>(&args("[null]")).is_err());
    }
}
