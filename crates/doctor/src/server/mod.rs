//! The server: facts that `moim doctor` gathers on its machine, and their judgement.

pub use crate::code::ServerCode;
