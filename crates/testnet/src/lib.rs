//! Virtual clock, seeded links and NATs for tests.
