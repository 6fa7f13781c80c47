//! A path in the served folder, from the path of a URL.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// A relative path that stays below the folder and contains no hidden name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestedPath {
    /// Relative, made of plain names only; empty for the folder itself.
    pub(super) path: PathBuf,
    /// True if the URL's path ends with a slash.
    pub(super) is_folder: bool,
}

impl RequestedPath {
    /// Parses the path of a URL. Segments are percent-decoded once, after the path is split.
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

/// A name that is one normal path component on every system and isn't hidden, as `.` and `..` are.
fn plain(name: &str) -> Option<&Path> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return None;
    }
    // On Windows, a colon separates a drive or an alternate data stream.
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
    fn parse_accepts_plain_paths() {
        for (asked, path, is_folder) in [
            ("/", "", true),
            ("/index.html", "index.html", false),
            ("/a/b/", "a/b", true),
            ("/a%20b/%ED%95%9C.js", "a b/한.js", false),
            ("/a..b/c.", "a..b/c.", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
        ] {
            let path = PathBuf::from(path);
            assert_eq!(
                RequestedPath::parse(asked),
                Some(RequestedPath { path, is_folder }),
                "{asked}"
            );
        }
    }

    #[test]
    fn parse_rejects_traversal_and_hidden_names() {
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
            assert_eq!(RequestedPath::parse(asked), None, "{asked}");
        }
    }
}
