//! From an event's arguments to a request's type; the error names the field.

use room::{
    name::NameError,
    protocol::{ErrorBody, ErrorCode},
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The one argument that an event carries.
pub(super) fn payload<T: DeserializeOwned>(args: &[Box<RawValue>]) -> Result<T, ErrorBody> {
    match args {
        // A list would do for serde, field by field; a name must stand by each.
        [argument] if argument.get().starts_with('{') => parse(argument),
        [_] => Err(invalid("give an object as the argument")),
        _ => Err(invalid(format!("give one argument, an object; this has {}", args.len()))),
    }
}

/// As [`payload`], of an event whose object has no fields and may be left out.
pub(super) fn no_payload<T: DeserializeOwned + Default>(
    args: &[Box<RawValue>],
) -> Result<T, ErrorBody> {
    if args.is_empty() { Ok(T::default()) } else { payload(args) }
}

/// The request has not the form it must have.
pub(super) fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new(ErrorCode::Invalid, message)
}

fn parse<T: DeserializeOwned>(argument: &RawValue) -> Result<T, ErrorBody> {
    let mut json = serde_json::Deserializer::from_str(argument.get());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, what) = (error.path().to_string(), error.inner().to_string());
        // The place in the text means nothing to whoever sent an object.
        let what = what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what);
        let name = NameError::of_sentence(what);
        // Bounded, since the text may quote what was sent.
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
    fn a_wrong_field_is_named() {
        assert_eq!(error::<JoinRoom>("[]"), "give one argument, an object; this has 0");
        for other in ["[1]", "[null]", "[[]]", r#"[["r","n"]]"#, r#"["{}"]"#] {
            assert_eq!(error::<JoinRoom>(other), "give an object as the argument");
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
            "room: a name needs a character that can be seen"
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
    fn an_error_stays_short_whatever_was_sent() {
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
    fn an_empty_payload_may_be_left_out() {
        assert!(no_payload::<ListRooms>(&[]).is_ok());
        assert!(no_payload::<ListRooms>(&args("[{}]")).is_ok());
        assert!(no_payload::<ListRooms>(&args("[{\"x\":1}]")).is_err());
        assert!(no_payload::<ListRooms>(&args("[null]")).is_err());
    }
}
