//! How people reach a room: previews of links, the web app's files, frames on other sites, templates.

use serde_json::json;

use crate::{
    api::Page,
    peer::{ask, get, get_with, tcp},
    support::Server,
};

/// False for a build without the page.
fn has_page(server: &Server) -> bool {
    get(server, "/").header("etag").is_some()
}

#[test]
fn link_preview_names_the_room_of_the_address_escaped() {
    let server = Server::start(&["--host", "meet.example"]);
    if !has_page(&server) {
        return;
    }
    let path = "/r/tea%20%26%20%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E?name=A";
    let at = |url: &str| ask(&mut tcp(server.address()), &format!("GET {url}"), &[], b"").unwrap();
    let page = at(&format!("http://meet.example:4000{path}"));
    let page = page.text();
    assert!(!page.contains("<script>alert") && !page.contains("name=A"), "{page}");
    let name = "tea &amp; &quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    for tag in [
        format!("<title>{name} · moim</title>"),
        format!("<meta property=\"og:title\" content=\"{name}\" />"),
        "content=\"http://meet.example:4000/icons/preview.png\"".to_owned(),
        "content=\"http://meet.example:4000/r/tea%20%26%20".to_owned(),
        "<meta name=\"robots\" content=\"noindex\" />".to_owned(),
    ] {
        assert!(page.contains(&tag), "{tag} in {page}");
    }
    let evil = at("http://evil.example/r/tea");
    assert_eq!(evil.status, 421, "a foreign host gets into no address");
    let korean = get_with(&server, "/r/tea", &[("Accept-Language", "ko-KR,ko;q=0.9")]);
    assert!(korean.text().contains("ko_KR") && korean.head.contains("vary: accept-language"));
}

#[test]
fn link_preview_does_not_tell_whether_a_room_exists() {
    let server = Server::start(&[]);
    let before = get(&server, "/r/tea");
    let (_mina, joined) = Page::enter(&server, "tea", "Mina", &json!({ "listed": false }));
    assert!(joined["ok"].is_object(), "{joined}");
    assert_eq!(get(&server, "/r/tea").body, before.body);
}

/// A name that no room can have is not repeated.
#[test]
fn link_preview_of_an_impossible_name_names_no_room() {
    let server = Server::start(&[]);
    for name in ["a%0Ab", "a".repeat(200).as_str(), "%E2%80%AEevil"] {
        let page = get(&server, &format!("/r/{name}"));
        assert_eq!(page.status, 200, "{name}");
        assert!(page.text().contains("<title>moim</title>"), "{name}: {}", page.text());
    }
}

#[test]
fn web_app_has_a_manifest_and_icons() {
    let server = Server::start(&[]);
    if !has_page(&server) {
        return;
    }
    let files = [
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/icons/preview.png", "image/png", "public, max-age=86400"),
        ("/icons/icon-192.png", "image/png", "public, max-age=86400"),
        ("/icons/icon-512.png", "image/png", "public, max-age=86400"),
        ("/icons/maskable-512.png", "image/png", "public, max-age=86400"),
        ("/icons/apple-touch-icon.png", "image/png", "public, max-age=86400"),
    ];
    for (path, kind, caching) in files {
        let file = get(&server, path);
        assert_eq!((file.status, file.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(file.header("cache-control"), Some(caching), "{path}");
        let tag = file.header("etag").unwrap();
        assert_eq!(get_with(&server, path, &[("If-None-Match", tag)]).status, 304, "{path}");
    }
    let manifest: serde_json::Value =
        serde_json::from_str(get(&server, "/manifest.webmanifest").text()).unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        assert_eq!(get(&server, icon["src"].as_str().unwrap()).status, 200, "{icon}");
    }
}

#[test]
fn only_the_origins_of_embed_may_frame_the_page_and_only_rooms_and_home() {
    let server =
        Server::start(&["--embed", "https://school.example", "--embed", "http://localhost:3000"]);
    let frames = |path: &str| {
        let page = ask(&mut tcp(server.address()), &format!("GET {path}"), &[], b"").unwrap();
        let policy = page.header("content-security-policy").unwrap().to_owned();
        let rule = policy.split("; ").find(|rule| rule.starts_with("frame-ancestors")).unwrap();
        (rule.to_owned(), page.header("x-frame-options").map(str::to_owned))
    };
    let allowed = "frame-ancestors https://school.example http://localhost:3000";
    for path in ["/", "/r/tea"] {
        assert_eq!(frames(path), (allowed.to_owned(), None), "{path}");
    }
    // A frame of them could trick an administrator into a click.
    for path in ["/admin", "/admin/rooms", "/doctor", "/nowhere", "/healthz"] {
        let denied = ("frame-ancestors 'none'".to_owned(), Some("DENY".to_owned()));
        assert_eq!(frames(path), denied, "{path}");
    }
    if has_page(&server) {
        let told = "<meta name=\"moim-embed\" \
            content=\"https://school.example http://localhost:3000\" />";
        assert!(get(&server, "/r/tea").text().contains(told));
        assert!(!get(&Server::start(&[]), "/r/tea").text().contains("moim-embed"));
    }
}

#[test]
fn visitors_choose_among_the_templates_of_the_server() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let text = "[template.class]\nchat = 'hosts'\ncapacity = 40\nlisted = false\n[template.open]\n";
    std::fs::write(folder.path().join("moim.toml"), text).unwrap();
    let server = Server::start_in(folder, &[]);
    let (mut page, _) = Page::join(&server, "lobby", "Mina");
    let listed = page.request("room:list", &json!({}));
    assert_eq!(listed["ok"]["templates"], json!(["class", "open"]), "{listed}");
    let create = json!({ "name": "maths", "template": "class", "capacity": 12 });
    let made = page.request("room:create", &create);
    assert_eq!(made["ok"]["room"]["capacity"], 12, "what is given counts: {made}");
    let made = page.request("room:create", &json!({ "name": "physics", "template": "class" }));
    assert_eq!(made["ok"]["room"]["capacity"], 40, "{made}");
    let unknown = page.request("room:create", &json!({ "name": "art", "template": "none" }));
    assert_eq!(unknown["error"]["code"], "invalid", "{unknown}");
}
