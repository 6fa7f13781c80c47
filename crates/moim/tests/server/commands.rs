//! Commands beside the server: `moim man`, `moim completions`, and `moim` alone (P12).

use std::fs;

use crate::support::{command, succeed};

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn program_alone_tells_three_steps() {
    let output = succeed(&[]);
    let told = String::from_utf8(output.stdout).unwrap();
    for step in ["  1. ", "  2. ", "  3. "] {
        assert!(told.contains(step), "{told}");
    }
    assert!(!told.contains("  4. ") && told.lines().count() <= 24, "{told}");
    // Each command that is told is one.
    for line in told.lines().filter_map(|line| line.trim().strip_prefix("moim ")) {
        let name = line.split(' ').next().unwrap();
        let help = command(&["help", name]);
        assert!(help.status.success(), "moim {name}: {help:?}");
    }
}

#[test]
fn manuals_and_completions_name_each_command() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&["man", text(folder.path())]);
    for page in ["moim.1", "moim-serve.1", "moim-config-check.1", "moim-backup.1"] {
        let page = fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(page.contains(".TH moim"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let printed = succeed(&["completions", shell]).stdout;
        let printed = String::from_utf8(printed).unwrap();
        for word in ["serve", "restore", "announce-only", "without-keys"] {
            assert!(printed.contains(word), "{shell} lacks {word}");
        }
    }
}
