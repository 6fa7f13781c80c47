//! Session descriptions: parsed and bounded here, negotiated by str0m.
//!
//! [`Description::parse`] reads a client's description in one bounded pass; its errors are worded
//! for the developer of the client. str0m sees neither that text nor its payload types. A
//! [`Layout`] maps the client's sections to those of str0m, writes str0m a description of what both
//! sides have in common, and renders str0m's text with the client's order, mids and payload types.

mod attributes;
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

pub(crate) use description::{
    Credentials, Description, Fingerprint, MediaType, SdpDirection, Section,
};
pub use error::SdpError;
pub(crate) use formats::{FormatKey, PayloadTypes};
pub(crate) use layout::Layout;
pub(crate) use planner::Plan;
pub(crate) use text::{
    parse_send_ssrcs, replace_credentials, replace_ssrc_lines, strip_candidate_ufrags, unify_cname,
};
