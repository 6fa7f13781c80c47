//! House rules that a compiler doesn't check, over `cargo metadata` and the tree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CORES: &[&str] = &["moim-room", "moim-sfu", "moim-socketio", "moim-turn"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages that `package` is built from, directly and not, without dev and build ones.
fn built_from(metadata: &serde_json::Value, package: &str) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name_of = |id: &str| {
        let found = packages.iter().find(|package| package["id"] == id).unwrap();
        found["name"].as_str().unwrap().to_owned()
    };
    let first = packages.iter().find(|candidate| candidate["name"] == package).unwrap();
    let mut open = vec![first["id"].as_str().unwrap().to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node["id"] == id.as_str()).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let next = dependency["pkg"].as_str().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) && seen.insert(name_of(next)) {
                open.push(next.to_owned());
            }
        }
    }
    seen
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// This machine's target, so that no other platform's packages are fetched.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn cores_know_neither_a_runtime_nor_sockets_nor_each_other() {
    let metadata = metadata();
    for core in CORES {
        let parts = built_from(&metadata, core);
        for foreign in ["tokio", "mio", "socket2", "async-std", "hyper", "axum", "moim-testnet"] {
            assert!(!parts.contains(foreign), "{core} is built from {foreign}");
        }
        for other in CORES {
            assert!(!parts.contains(*other), "{core} is built from {other}");
        }
    }
}

#[test]
fn the_binary_is_built_from_every_core_and_from_no_test_helper() {
    let parts = built_from(&metadata(), "moim");
    for core in CORES {
        assert!(parts.contains(*core), "moim is not built from {core}");
    }
    assert!(!parts.contains("moim-testnet"));
}

#[test]
fn cores_keep_the_lints_of_cores() {
    let rules = fs::read_to_string(root().join("crates/core.clippy.toml")).unwrap();
    for core in ["headless", "room", "sfu", "socketio", "testnet", "turn"] {
        let own = fs::read_to_string(root().join("crates").join(core).join("clippy.toml"));
        assert_eq!(own.unwrap(), rules, "crates/{core}/clippy.toml must link to the cores' rules");
    }
}

#[test]
fn the_client_library_knows_nothing_of_the_page() {
    for file in files_below(&root().join("web/src/client")) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let imports = line.contains("import") || line.contains("from ");
            let upwards = line.contains("/ui/") || line.contains("\"react");
            assert!(!(imports && upwards), "{}:{}: {line}", file.display(), number + 1);
        }
    }
}

#[test]
fn no_file_of_ours_has_outgrown_one_noun() {
    let folders = ["bench", "crates", "xtask", "web/src", "e2e", "fuzz"];
    for file in folders.iter().flat_map(|folder| files_below(&root().join(folder))) {
        let ours = file
            .extension()
            .is_some_and(|end| ["rs", "ts", "tsx", "css"].iter().any(|e| end == *e));
        if ours {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines: look for its second noun", file.display());
        }
    }
}

/// Every file below `folder`, leaving out what is installed or built.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let skipped = ["node_modules", "target", "dist", "results", "shots"];
        if path.is_dir() && !skipped.iter().any(|name| path.ends_with(name)) {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}
