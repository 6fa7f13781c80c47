//! JSON that is handed on unread.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// JSON as it came, which the room hands on and does not read.
#[derive(Debug, Clone)]
pub struct Opaque(Arc<RawValue>);

impl Opaque {
    /// This JSON.
    pub fn copy_of(json: &RawValue) -> Self {
        Self(json.to_owned().into())
    }

    /// What is made of texts and JSON, as JSON.
    pub(crate) fn of(value: &impl Serialize) -> Option<Self> {
        to_raw_value(value).ok().map(|json| Self(json.into()))
    }

    /// The JSON.
    pub fn json(&self) -> &RawValue {
        &self.0
    }

    /// Its bytes.
    pub fn weight(&self) -> usize {
        self.0.get().len()
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Opaque {}
