//! The driver over loopback.

mod echo;
mod frames;
mod http;
mod origins;
mod peer;
mod server;
mod suites;
