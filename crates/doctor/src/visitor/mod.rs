//! A visitor: codes of what a page may find in a browser. Nothing gathers such facts yet.

pub use crate::code::VisitorCode;
