//! The server: facts that `moim doctor` gathers on its machine, and their judgement.
//!
//! Each file has the facts of one check and its rules. A check that could not be made is a
//! [`Skip`], never a finding.

pub mod address;
pub mod certificate;
mod check;
pub mod clock;
pub mod config;
pub mod container;
pub mod data;
pub mod dns;
pub mod firewall;
pub mod kernel;
pub mod load;
pub mod outside;
pub mod port;
pub mod proxy;
mod public_address;
pub mod relay;
pub mod router;

pub use crate::code::ServerCode;
pub use check::{Check, Examined, Facts, Looked, Outcome, Skip, examine};
pub use public_address::PublicAddress;
