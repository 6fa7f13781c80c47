//! Certificates of a public CA over ACME (RFC 8555).

mod client;
mod follow;
mod http;
mod kept;
mod look;
mod plan;
#[cfg(test)]
mod plan_tests;
mod port80;
mod problem;
mod proof;
mod refusal;
mod status;
mod store;
mod target;
mod task;
mod verdict;

pub(super) use client::roots;
pub(super) use follow::AcmeFollower;
pub(crate) use look::Looker;
pub(crate) use proof::{Given, Proofs, self_path};
pub(crate) use status::{AcmeStatus, CertificateStatus};
pub(super) use task::AcmeParts;
pub(crate) use verdict::Answer;
