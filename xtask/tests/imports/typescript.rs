//! The import graph of TypeScript sources: `import` and `export … from`, types included.

use std::collections::BTreeMap;

use crate::graph::Graph;

const EXTENSIONS: &[&str] = &["", ".ts", ".tsx", "/index.ts", "/index.tsx"];

/// Builds the graph of sources, given by path. Tests are left out.
pub(crate) fn graph(sources: &BTreeMap<String, String>) -> Graph {
    let mut graph = Graph::default();
    for (file, text) in sources {
        if is_test(file) {
            continue;
        }
        graph.add_file(file);
        for specifier in specifiers(text) {
            let Some(target) = resolve(sources, file, &specifier) else { continue };
            graph.add_import(file, &target, &specifier);
        }
    }
    graph
}

fn is_test(file: &str) -> bool {
    file.contains(".test.") || file.split('/').any(|folder| folder == "testing")
}

/// The file that a relative specifier means; packages and style sheets are none of ours.
fn resolve(sources: &BTreeMap<String, String>, file: &str, specifier: &str) -> Option<String> {
    if !specifier.starts_with('.') {
        return None;
    }
    let mut path: Vec<&str> = file.split('/').collect();
    path.pop();
    for part in specifier.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    let path = path.join("/");
    let path = path.strip_suffix(".js").filter(|_| !sources.contains_key(&path)).unwrap_or(&path);
    EXTENSIONS
        .iter()
        .map(|extension| format!("{path}{extension}"))
        .find(|candidate| sources.contains_key(candidate))
}

/// The quoted texts after `from`, `import` and `import(`.
fn specifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, next)| next);
            before.push('\n');
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, next)| next);
        } else if first == '"' || first == '\'' {
            let quoted = rest.get(1..).unwrap_or_default();
            // A lone apostrophe, as in the text of JSX, ends with its line.
            let end = quoted.find([first, '\n']).unwrap_or(quoted.len());
            let (content, next) = quoted.split_at(end);
            if is_import(&before) {
                found.push(content.to_owned());
            }
            before.push('"');
            rest = next.strip_prefix(first).unwrap_or(next);
        } else {
            before.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    found
}

fn is_import(before: &str) -> bool {
    let before = before.trim_end();
    let before = before.strip_suffix('(').unwrap_or(before).trim_end();
    ["from", "import"].iter().any(|keyword| {
        before.strip_suffix(keyword).is_some_and(|rest| {
            !rest.ends_with(|last: char| last.is_alphanumeric() || "._$".contains(last))
        })
    })
}
