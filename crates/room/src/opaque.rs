//! JSON that is relayed unread.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Received JSON, relayed unchanged and unread.
#[derive(Debug, Clone)]
pub struct Opaque(Arc<RawValue>);

impl Opaque {
    /// Copies JSON.
    pub fn copy_of(json: &RawValue) -> Self {
        Self(json.to_owned().into())
    }

    /// Serializes a value of strings and JSON.
    pub(crate) fn of(value: &impl Serialize) -> Option<Self> {
        to_raw_value(value).ok().map(|json| Self(json.into()))
    }

    /// The JSON text.
    pub fn json(&self) -> &RawValue {
        &self.0
    }

    /// Size in bytes.
    pub fn byte_size(&self) -> usize {
        self.0.get().len()
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Opaque {}
