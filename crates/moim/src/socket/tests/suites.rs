//! The application of the public conformance suites, for running them by hand.

use std::time::Duration;

use crate::socket::Config;

/// The intervals that the suites of engine.io-protocol and socket.io-protocol expect.
pub(super) fn hasty() -> Config {
    let mut config = Config::default();
    config.session.ping_interval = Duration::from_millis(300);
    config.session.ping_timeout = Duration::from_millis(200);
    config.session.connect_timeout = Duration::from_millis(1000);
    config
}

/// Serves on port 3000 until its input ends:
/// `cargo test -p moim --features conformance serves_the_conformance_suites -- --nocapture`
#[cfg(feature = "conformance")]
#[test]
fn serves_the_conformance_suites() {
    use super::server::Server;
    use std::io::Read;

    let config = if std::env::var_os("PATIENT").is_some() { Config::default() } else { hasty() };
    let Server { seen, _runtime, .. } = Server::start_at("127.0.0.1:3000", config);
    // Nobody looks.
    drop(seen);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
