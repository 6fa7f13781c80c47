//! Codes of findings. Their strings are stable: scripts and reports name them.

mod declare;
mod server;
mod visitor;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::words::{Language, Words};

pub use declare::Severity;
pub use server::ServerCode;
pub use visitor::VisitorCode;

/// A diagnosis, about the server or about a visitor's network or computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// About the server.
    Server(ServerCode),
    /// About a visitor.
    Visitor(VisitorCode),
}

impl Code {
    /// All codes.
    pub fn all() -> impl Iterator<Item = Self> {
        let server = ServerCode::ALL.iter().copied().map(Self::Server);
        server.chain(VisitorCode::ALL.iter().copied().map(Self::Visitor))
    }

    /// The code with this string.
    #[must_use]
    pub fn find(string: &str) -> Option<Self> {
        Self::all().find(|code| code.as_str() == string)
    }

    /// The stable string, such as `UDP-CLOSED-SERVER`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server(code) => code.as_str(),
            Self::Visitor(code) => code.as_str(),
        }
    }

    /// Weight of the finding.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Server(code) => code.severity(),
            Self::Visitor(code) => code.severity(),
        }
    }

    /// Templates of the texts.
    #[must_use]
    pub fn words(self, language: Language) -> Words {
        match self {
            Self::Server(code) => code.words(language),
            Self::Visitor(code) => code.words(language),
        }
    }
}

impl From<ServerCode> for Code {
    fn from(code: ServerCode) -> Self {
        Self::Server(code)
    }
}

impl From<VisitorCode> for Code {
    fn from(code: VisitorCode) -> Self {
        Self::Visitor(code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
