//! The server of the public conformance suites, for manual runs.

use std::time::Duration;

use crate::socketio::Config;

/// The intervals that the suites of engine.io-protocol and socket.io-protocol expect.
pub(super) fn hasty() -> Config {
    let mut config = Config::default();
    config.session.ping_interval = Duration::from_millis(300);
    config.session.ping_timeout = Duration::from_millis(200);
    config.session.connect_timeout = Duration::from_millis(1000);
    config
}

/// Serves on port 3000 until end of input: Socket.IO at `/socket.io/`, with the namespace `/custom`
/// in addition to the main one, and plain Engine.IO at `/engine.io/`.
///
/// `cargo test -p moim --features conformance serves_the_conformance_suites -- --nocapture`
#[cfg(feature = "conformance")]
#[test]
fn serves_the_conformance_suites() {
    use super::server::Server;
    use crate::socketio::Mount;
    use std::io::Read;

    let mut config =
        if std::env::var_os("PATIENT").is_some() { Config::default() } else { hasty() };
    config.session.namespaces = config.session.namespaces.with("/custom").unwrap();
    let mut engine = config.clone();
    engine.mounts = vec![Mount { path: "/engine.io/", polling: true }];
    engine.session.echo = true;
    // The suites expect requests on different connections to be handled in the order sent, so a
    // single thread serves them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Server { seen, _runtime: runtime, .. } =
        Server::start_in(runtime, "127.0.0.1:3000", [config, engine]);
    // Discarded.
    drop(seen);
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    runtime.block_on(async { tokio::task::spawn_blocking(end).await }).unwrap().unwrap();
}
