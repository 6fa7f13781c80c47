//! Session descriptions: ours to parse and to bound, the engine's to negotiate.
//!
//! [`Description::parse`] reads what a client says, in one pass and within bounds, and says in words
//! of ours why it takes none of it. The engine sees neither that text nor its numbers: a [`Layout`]
//! keeps which section of the client is which of the engine's, writes the engine a description of
//! what both have in common, and turns the engine's text into the client's order and names.

mod description;
mod error;
mod formats;
mod layout;
mod lines;
mod parse;
mod planner;
mod render;
mod section;
mod text;
mod write;

pub(crate) use description::{Description, Fingerprint, MediaType, SdpDirection, Section};
pub use error::SdpError;
pub(crate) use formats::{FormatKey, Numbers};
pub(crate) use layout::{Layout, Plan};
pub(crate) use text::{plain_candidates, replace_credentials, source, with_one_name, with_sources};
