//! A commented configuration file, generated from the definitions of the flags.

use std::fmt::Write;

use super::keys::{self, Key, Shape};

/// Columns of a comment.
const WIDTH: usize = 80;

/// The file, in which every key is commented out.
pub(crate) fn text() -> String {
    let mut text = "# moim's configuration. Remove the # in front of a key to set it; check the \
                    file with\n# `moim config check FILE`. Flags and environment variables take \
                    precedence.\n"
        .to_owned();
    let mut table = None;
    for key in keys::all() {
        if key.table != table {
            table = key.table;
            let _ = write!(text, "\n[{}]\n", table.unwrap_or_default());
        }
        text.push('\n');
        write_comment(&mut text, &comment(&key));
        let _ = writeln!(text, "#{} = {}", key.name, value(&key));
    }
    text
}

fn comment(key: &Key) -> String {
    match &key.default {
        Some(default) => format!("{}. Default: {default}.", key.help),
        None => format!("{}.", key.help),
    }
}

fn write_comment(text: &mut String, comment: &str) {
    let mut column = WIDTH;
    for word in comment.split_whitespace() {
        if column + 1 + word.len() > WIDTH {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push('#');
            column = 1;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + word.len();
    }
    text.push('\n');
}

/// An example of a key's value in TOML.
fn value(key: &Key) -> String {
    let default = key.default.as_deref();
    match key.shape {
        Shape::Bool => "true".to_owned(),
        Shape::Number => default
            .filter(|default| default.parse::<u64>().is_ok())
            .unwrap_or(if key.placeholder == "N" { "4" } else { "100000" })
            .to_owned(),
        Shape::Text => format!("\"{}\"", word(key)),
        Shape::Texts => format!("[\"{}\"]", word(key)),
    }
}

fn word(key: &Key) -> String {
    let word = match key.placeholder.as_str() {
        "ADDR:PORT" => "0.0.0.0:4000",
        "IP:PORT" => "192.0.2.2:3479",
        "IP[:PORT]" => "203.0.113.7",
        "DIR" => "/srv/moim",
        "FILE" => return format!("/etc/moim/{}", key.name),
        "SECRET" | "TOKEN" => "a long random text",
        "NAME:PASSWORD" => "ann:a long random text",
        "CIDR" => "10.0.0.0/8",
        "NAME" => "meet.example.org",
        "MAIL" => "ann@example.org",
        "ID" => "the CA's name for the account",
        "PROFILE" => "shortlived",
        "ORIGIN" => "https://www.example.org",
        // Of these the default is an example.
        _ => key.default.as_deref().unwrap_or_default(),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{super::file::ConfigFile, *};

    #[test]
    fn example_is_valid_with_every_key_commented_out_or_not() {
        let text = text();
        let file = ConfigFile::parse(Path::new("example"), &text).unwrap();
        assert_eq!(file.entries.len(), 0);
        let is_key = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
        let keys = text.lines().filter(is_key).count();
        assert_eq!(keys, keys::all().len());
        let set: Vec<_> = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|key| !key.starts_with(' ')).unwrap_or(line))
            .collect();
        let file = ConfigFile::parse(Path::new("example"), &set.join("\n")).unwrap();
        let missing: Vec<_> =
            keys::all().into_iter().filter(|key| !file.entries.contains_key(&key.name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn comments_fit_the_width() {
        for line in text().lines().filter(|line| line.starts_with("# ")) {
            assert!(line.len() <= WIDTH + 20, "{line}");
        }
    }
}
