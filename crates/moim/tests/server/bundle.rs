//! Socket.IO's client bundles, for pages that load them from the server.

use std::{fs, path::Path};

use crate::{
    peer::{ask, get, get_with, tcp},
    support::Server,
};

const BUNDLES: [&str; 3] = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"];

/// A bundle of the page's build; a build of the server alone has none.
fn built(name: &str) -> Option<Vec<u8>> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist/socket.io");
    fs::read(dist.join(name)).ok()
}

#[test]
fn bundle_is_served_to_every_origin() {
    let server = Server::start(&[]);
    for name in BUNDLES {
        let path = format!("/socket.io/{name}");
        let answer = get_with(&server, &path, &[("Origin", "https://page.example")]);
        // Another origin's page loads it as a script, as a module, and when isolated.
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{name}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"), "{name}");
        let Some(bundle) = built(name) else {
            assert_eq!(answer.status, 404, "{name}");
            assert!(answer.text().contains("cargo xtask build"), "{}", answer.text());
            continue;
        };
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert!(answer.body == bundle, "{name} is the published file");

        let packed = get_with(&server, &path, &[("Accept-Encoding", "gzip, br")]);
        assert_eq!(packed.header("content-encoding"), Some("br"), "{name}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"), "{name}");
        assert!(packed.body.len() * 2 < bundle.len(), "{name}: {}", packed.body.len());
        let tag = packed.header("etag").unwrap();
        let again = [("Accept-Encoding", "gzip, br"), ("If-None-Match", tag)];
        assert_eq!(get_with(&server, &path, &again).status, 304, "{name}");
        assert_eq!(get(&server, &format!("{path}.map")).status, 200, "{name}");
    }
    let posted = ask(&mut tcp(server.address()), "POST /socket.io/socket.io.js", &[], b"x");
    assert_eq!(posted.unwrap().status, 405);
    assert_eq!(get(&server, "/socket.io/socket.io.msgpack.min.js").status, 404);
}

#[test]
fn bundle_in_the_static_folder_takes_precedence() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("socket.io")).unwrap();
    fs::write(site.path().join("socket.io/socket.io.js"), "/* 2.3.1 */").unwrap();
    let server = Server::start(&["--static", site.path().to_str().unwrap()]);
    let own = get(&server, "/socket.io/socket.io.js");
    assert_eq!((own.status, own.text()), (200, "/* 2.3.1 */"));
    assert_eq!(own.header("access-control-allow-origin"), Some("*"));
    let ours = get(&server, "/socket.io/socket.io.min.js");
    assert_eq!(ours.status, if built("socket.io.min.js").is_some() { 200 } else { 404 });
}
