//! The Socket.IO driver: one task per socket between HTTP and the `socketio` core.

pub(crate) mod app;
