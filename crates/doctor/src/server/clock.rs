//! S7: the clock is right.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Difference from which on credentials and tokens fail.
pub const MAX_OFFSET_SECONDS: i64 = 60;

/// State of the clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The kernel's clock is disciplined.
    pub synchronised: Option<bool>,
    /// Another clock, and this one's lead over it in seconds.
    pub offset: Option<(String, i64)>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let wrong = self.offset.as_ref().filter(|(_, by)| by.abs() > MAX_OFFSET_SECONDS);
        if let Some((witness, seconds)) = wrong {
            let finding = Finding::new(ServerCode::ClockWrong, Certainty::Likely);
            return vec![finding.with("witness", witness).with("seconds", seconds.abs())];
        }
        // A clock that agrees with another one needs no words.
        if self.synchronised == Some(false) && self.offset.is_none() {
            return vec![Finding::new(ServerCode::ClockUnsynced, Certainty::Certain)];
        }
        Vec::new()
    }

    pub(super) fn detail(&self) -> String {
        match &self.offset {
            Some((witness, seconds)) => format!("{witness} {seconds:+} s"),
            None => "NTP".to_owned(),
        }
    }
}
