//! A file of a folder, as asked for by a URL's path.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// A path that leads down from the folder and nowhere else, and through nothing hidden.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Relative, of plain names alone; empty for the folder itself.
    pub(super) path: PathBuf,
    /// Whether a folder is meant, as it ends with a slash.
    pub(super) is_folder: bool,
}

impl Asked {
    /// Reads the path of a URL. Names are decoded after the path is split, and only once.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let inner = path.strip_prefix('/')?;
        if inner.is_empty() {
            return Some(Self { path: PathBuf::new(), is_folder: true });
        }
        let (names, is_folder) = match inner.strip_suffix('/') {
            Some(names) => (names, true),
            None => (inner, false),
        };
        let mut path = PathBuf::new();
        for name in names.split('/') {
            let name = percent_decode_str(name).decode_utf8().ok()?;
            path.push(plain(&name)?);
        }
        Some(Self { path, is_folder })
    }
}

/// A single name on every system, and not a hidden one, which `.` and `..` are too.
fn plain(name: &str) -> Option<&Path> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return None;
    }
    // A colon names a drive or a stream there.
    if cfg!(windows) && name.contains(':') {
        return None;
    }
    let path = Path::new(name);
    let mut components = path.components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == path.as_os_str() => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_lead_down() {
        for (asked, path, is_folder) in [
            ("/", "", true),
            ("/index.html", "index.html", false),
            ("/a/b/", "a/b", true),
            ("/a%20b/%ED%95%9C.js", "a b/한.js", false),
            ("/a..b/c.", "a..b/c.", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
        ] {
            let path = PathBuf::from(path);
            assert_eq!(Asked::parse(asked), Some(Asked { path, is_folder }), "{asked}");
        }
    }

    #[test]
    fn whatever_else_leads_nowhere() {
        for asked in [
            "",
            "*",
            "a",
            "//",
            "///",
            "//a",
            "/a//b",
            "/.",
            "/..",
            "/../a",
            "/a/..",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/a",
            "/%2E%2E%2Fa",
            "/..%2fa",
            "/..%5ca",
            "/..\\a",
            "/a\\b",
            "/%2fetc%2fpasswd",
            "/.env",
            "/.git/config",
            "/a/.hidden",
            "/%2egit/config",
            "/a%00",
            "/a%00.html",
            "/%ff",
            "/%c0%ae%c0%ae/a",
        ] {
            assert_eq!(Asked::parse(asked), None, "{asked}");
        }
    }
}
