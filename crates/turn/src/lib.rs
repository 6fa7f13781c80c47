//! STUN and TURN server, sans-IO.
