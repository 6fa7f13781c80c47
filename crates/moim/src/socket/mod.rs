//! The Socket.IO driver: one task per socket between HTTP and the `socketio` core.
#![allow(dead_code, unused_imports, reason = "the application that uses it is on its way")]

pub(crate) mod app;
mod encode;
mod outbox;
