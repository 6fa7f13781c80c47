//! Documents that are referred to exist: links in Markdown, and names in text and comments.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files that are searched for references.
const EXTENSIONS: &[&str] =
    &["md", "rs", "ts", "tsx", "css", "js", "mjs", "py", "toml", "json", "yml", "html", "sh"];

/// Folders with files of others, or with none of ours.
const SKIPPED: &[&str] = &["node_modules", "target", "dist", "results", "shots", ".git", "corpus"];

/// Names of files in the texts of tests, and of other projects' documents.
const FOREIGN: &[&str] = &["web/package-lock.json", "xtask/tests/documents.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if SKIPPED.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|end| EXTENSIONS.iter().any(|e| end == *e)) {
            files.push(path);
        }
    }
    files
}

/// A map longer than this is not read.
const MAX_ARCHITECTURE_WORDS: usize = 2000;

#[test]
fn architecture_stays_short() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let words = text.split_whitespace().count();
    assert!(words <= MAX_ARCHITECTURE_WORDS, "ARCHITECTURE.md has {words} words");
}

/// A doc comment names its subject; one that begins so describes it as a riddle.
const QUESTIONS: &[&str] = &["What", "How", "Who", "Whether", "Where", "Whose"];

fn begins_with_question(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| QUESTIONS.contains(&word))
}

/// The name of a test, or of any function, that a line begins.
fn is_named_who(line: &str) -> bool {
    let line = line.trim_start();
    let tests = ["test(\"who ", "it(\"who ", "fn who_", "async fn who_"];
    tests.iter().any(|start| line.starts_with(start))
}

#[test]
fn doc_comments_and_tests_name_their_subject() {
    let (mut lines, mut questions, mut named) = (0_usize, Vec::new(), Vec::new());
    for file in files_below(&root()) {
        let name = file.strip_prefix(root()).unwrap().display();
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("/** ")) {
                lines += 1;
                if begins_with_question(comment) {
                    questions.push(format!("{name}:{}: {line}", number + 1));
                }
            }
            if is_named_who(line) {
                named.push(format!("{name}:{}: {line}", number + 1));
            }
        }
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
    assert!(questions.len() * 50 < lines, "2 % of {lines} or more:\n{}", questions.join("\n"));
}

#[test]
fn questions_are_told_from_subjects() {
    assert!(begins_with_question(" What a caller has seen."));
    assert!(!begins_with_question(" Whatever a caller has seen."));
    assert!(is_named_who("    async fn who_may_not_enter() {"));
    assert!(is_named_who("test(\"who enters is greeted\", () => {"));
    assert!(!is_named_who("fn whoever_enters() {"));
}

#[test]
fn documents_that_are_named_exist() {
    let root = root();
    let mut missing = Vec::new();
    for file in files_below(&root) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if FOREIGN.contains(&name.as_str()) || name.ends_with("package-lock.json") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let is_markdown = name.ends_with(".md");
        for (number, line) in text.lines().enumerate() {
            let mut named = documents_in(line);
            named.extend(citations_in(if is_markdown { line } else { comment_in(line) }));
            if is_markdown {
                named.extend(links_in(line));
                named.extend(sources_in(line));
            }
            for document in named {
                let beside = file.parent().unwrap().join(&document);
                if !beside.exists() && !root.join(&document).exists() {
                    missing.push(format!("{name}:{}: {document}", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "documents that don't exist:\n{}", missing.join("\n"));
}

#[test]
fn links_to_headings_lead_to_a_heading() {
    let root = root();
    let mut missing = Vec::new();
    for file in files_below(&root).into_iter().filter(|file| file.extension().unwrap() == "md") {
        let text = fs::read_to_string(&file).unwrap();
        for link in text.lines().flat_map(targets_in) {
            let Some((document, heading)) = link.split_once('#') else { continue };
            if link.contains("://") {
                continue;
            }
            let target = match document {
                "" => file.clone(),
                document => file.parent().unwrap().join(document),
            };
            let target = fs::read_to_string(target).unwrap_or_default();
            let headings = target.lines().filter(|line| line.starts_with('#')).map(anchor);
            if !headings.into_iter().any(|anchor| anchor == heading) {
                missing.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "headings that don't exist:\n{}", missing.join("\n"));
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The targets of a line's links.
fn targets_in(line: &str) -> Vec<String> {
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The files that a line's links lead to.
fn links_in(line: &str) -> Vec<String> {
    let files = targets_in(line).into_iter().filter(|link| !link.contains(':'));
    files
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .filter(|link| !link.is_empty())
        .collect()
}

/// Sources that a line names in code style, by their path from the root.
fn sources_in(line: &str) -> Vec<String> {
    let folders = ["bench/", "crates/", "docs/", "e2e/", "fuzz/", "web/", "xtask/"];
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| folders.iter().any(|folder| code.starts_with(folder)))
        .filter(|code| !code.contains([' ', '*', '{']))
        .map(str::to_owned)
        .collect()
}

/// The comment at the end of a line of code.
fn comment_in(line: &str) -> &str {
    let trimmed = line.trim_start();
    match line.split_once("//") {
        _ if trimmed.starts_with(['*', '#']) => trimmed,
        Some((_, comment)) => comment,
        None => line.split_once("/*").map_or("", |(_, comment)| comment),
    }
}

/// Markdown files that a line names, such as `docs/x.md`.
fn documents_in(line: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    line.split(|c: char| !is_part(c))
        .map(|word| word.trim_end_matches('.').trim_start_matches("./"))
        .filter(|word| word.ends_with(".md") && word.len() > 3 && !word.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// Documents that a text cites by a word in capitals: `DESIGN section 4`, `DESIGN "One port"`.
fn citations_in(text: &str) -> Vec<String> {
    let mut documents = Vec::new();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches(['(', '`']);
        let is_capitals = word.len() > 4 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let cites = |next: &&str| {
            next.starts_with('§')
                || next.strip_prefix('"').is_some_and(|title| title.starts_with(char::is_uppercase))
                || next.trim_end_matches(|c: char| !c.is_alphanumeric()) == "section"
        };
        if is_capitals && words.peek().is_some_and(cites) {
            documents.push(format!("{word}.md"));
        }
    }
    documents
}

#[test]
fn references_are_found_in_all_their_forms() {
    for (line, named) in [
        ("see docs/gone.md, or GONE.md.", vec!["docs/gone.md", "GONE.md"]),
        ("RFC 8656 section 4, and *.md files", vec![]),
    ] {
        assert_eq!(documents_in(line), named, "{line}");
    }
    for (line, named) in [
        ("// DESIGN section 4: frames", vec!["DESIGN.md"]),
        ("//! Bytes (DESIGN \"One port\").", vec!["DESIGN.md"]),
        (" * See DESIGN §3.", vec!["DESIGN.md"]),
        ("let text = [SECRET, \"One\"]; // an ERROR line", vec![]),
    ] {
        assert_eq!(citations_in(comment_in(line)), named, "{line}");
    }
    assert_eq!(links_in("[a](b/c.md#d), ![e](f.png), [g](https://h/i.md)"), ["b/c.md", "f.png"]);
    assert_eq!(sources_in("see `crates/a/b.rs`, `a.rs` and `crates/*`"), ["crates/a/b.rs"]);
    assert_eq!(anchor("## Time, and who tells it"), "time-and-who-tells-it");
}
