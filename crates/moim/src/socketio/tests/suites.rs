//! The application of the public conformance suites, for running them by hand.

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

/// Serves on port 3000 until its input ends: Socket.IO at `/socket.io/`, with the namespace
/// `/custom` besides the main one, and Engine.IO alone at `/engine.io/`.
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
    // The suites expect that what was sent first over one connection is met before what was sent
    // later over another: so one thread serves them all.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Server { seen, _runtime: runtime, .. } =
        Server::start_in(runtime, "127.0.0.1:3000", [config, engine]);
    // Nobody looks.
    drop(seen);
    let end = || std::io::stdin().read_to_end(&mut Vec::new());
    runtime.block_on(async { tokio::task::spawn_blocking(end).await }).unwrap().unwrap();
}
