//! Engine.IO and Socket.IO, sans-IO.
