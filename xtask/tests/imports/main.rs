//! The import graph of each crate and of the page: no circle, and no arrow up between folders.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod graph;
mod planted;
mod rust;
mod typescript;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use graph::Graph;

/// The folders of a source root, from the top down: each imports from lower rows only, and
/// folders in one row know nothing of each other. ARCHITECTURE.md has the same order.
struct Order {
    root: &'static str,
    rows: &'static [&'static [&'static str]],
}

const ORDERS: &[Order] = &[
    Order {
        root: "crates/moim/src",
        rows: &[
            &["doctor", "server"],
            &["admin", "dispatch", "handover"],
            &["api"],
            &["accounts"],
            &["http"],
            &["metrics"],
            &["forward"],
            &["signaling"],
            &["webhooks"],
            &["oidc"],
            &["access"],
            &["socketio"],
            &["cluster"],
            &["shard/start"],
            &["shard/thread"],
            &["shard/router"],
            &["shard/sfu", "shard/turn"],
            &["net"],
            &["config"],
            &["store"],
            &["data"],
        ],
    },
    Order { root: "crates/room/src", rows: &[&["dialect"], &["room"], &["protocol"]] },
    Order {
        root: "crates/sfu/src",
        rows: &[
            &["sfu"],
            &["peer"],
            &["extensions", "sdp"],
            &["str0m_workarounds"],
            &["send"],
            &["bwe", "track"],
        ],
    },
    Order { root: "crates/socketio/src", rows: &[&["session"], &["engine"]] },
    Order { root: "crates/turn/src", rows: &[&["server"], &["stun"]] },
    Order {
        root: "web/src",
        rows: &[
            &["ui/admin", "ui/doctor", "ui/home"],
            &["ui/room"],
            &["ui/call"],
            &["ui/chat", "ui/devices", "ui/embed", "ui/invite"],
            &["ui/parts"],
            &["ui/i18n"],
            &["admin", "doctor"],
        ],
    },
    Order {
        root: "web/packages/client/src",
        rows: &[&["call"], &["devices", "files", "stats", "topology"], &["rtc", "signaling"]],
    },
];

const RUST_ROOTS: &[&str] = &["lib.rs", "main.rs"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Each source root with its graph.
fn graphs() -> BTreeMap<String, Graph> {
    let repository = repository();
    let mut graphs = BTreeMap::new();
    for entry in fs::read_dir(repository.join("crates")).unwrap() {
        let folder = entry.unwrap().path().join("src");
        let sources = sources(&folder, &["rs"]);
        for root in RUST_ROOTS.iter().filter(|root| sources.contains_key(**root)) {
            let name = folder.strip_prefix(&repository).unwrap().to_str().unwrap().to_owned();
            graphs.insert(name, rust::graph(&sources, root));
        }
    }
    for root in ["web/src", "web/packages/client/src"] {
        let scripts = sources(&repository.join(root), &["ts", "tsx"]);
        graphs.insert(root.to_owned(), typescript::graph(&scripts));
    }
    graphs
}

/// The texts of the files below `folder` that end in one of `extensions`, by relative path.
fn sources(folder: &Path, extensions: &[&str]) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in fs::read_dir(next).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if extensions.iter().any(|end| path.extension().is_some_and(|own| own == *end)) {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                sources.insert(name.replace('\\', "/"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

#[test]
fn modules_import_each_other_in_no_circle() {
    let mut report = String::new();
    for (root, graph) in graphs() {
        assert!(graph.len() > 1, "{root} was not read");
        for circle in graph.circles() {
            report += &format!("{root}: {}\n{}", circle.join(", "), graph.describe(&circle));
        }
    }
    assert!(report.is_empty(), "import circles:\n{report}");
}

#[test]
fn folders_import_downwards() {
    let graphs = graphs();
    let mut report = String::new();
    for order in ORDERS {
        let upward = graphs[order.root].upward(order.rows);
        if !upward.is_empty() {
            report += &format!("{}:\n{}\n", order.root, upward.join("\n"));
        }
    }
    assert!(report.is_empty(), "arrows up:\n{report}");
}

#[test]
fn architecture_md_names_the_order_of_folders() {
    let text = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    for order in ORDERS {
        let line = format!("{}: {}", order.root, written(order.rows));
        let found = text.lines().any(|candidate| candidate.trim() == line);
        assert!(found, "ARCHITECTURE.md must have the line\n{line}");
        for folder in order.rows.iter().copied().flatten() {
            let path = repository().join(order.root).join(folder);
            let is_there = path.is_dir() || path.with_extension("rs").is_file();
            assert!(is_there, "there is no {}", path.display());
        }
    }
}

/// An order as ARCHITECTURE.md writes it: `call → topology → {rtc, stats}`.
fn written(rows: &[&[&str]]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| match row {
            [folder] => (*folder).to_owned(),
            folders => format!("{{{}}}", folders.join(", ")),
        })
        .collect();
    rows.join(" → ")
}
