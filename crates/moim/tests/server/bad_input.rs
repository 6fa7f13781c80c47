//! Bad input on the port: answered by the protocol's own error where it has one, and survived.
