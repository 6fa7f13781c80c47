//! Tables, and their sections in docs/benchmarks.md.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;

const FILE: &str = "docs/benchmarks.md";

const HEAD: &str = "\
# Benchmarks

moim beside its peers, on one machine in one run: `cargo xtask bench` measures, and with `--publish`
writes its table here. Figures of different machines don't compare; the ratios nearly do. Each is
the median of the rounds, with the least and the most in brackets. Server and load have a core each,
peers take turns, and the first round is dropped.
";

/// A Markdown table.
#[derive(Debug)]
pub(crate) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Self { columns: columns.len(), text: String::new() };
        table.row(columns);
        table.row(&vec!["---"; columns.len()]);
        table
    }

    /// Adds a row; missing cells stay empty.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        for column in 0..self.columns {
            let cell = cells.get(column).map_or("", AsRef::as_ref);
            let _ = write!(self.text, "| {} ", cell.replace('|', "\\|"));
        }
        self.text.push_str("|\n");
    }

    /// The table as Markdown.
    pub(crate) fn markdown(&self) -> &str {
        &self.text
    }
}

/// Prints a line.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("can't print")
}

/// Prints the section of a benchmark and publishes it if requested.
pub(crate) fn deliver(bench: &str, section: &str, publish: bool) -> anyhow::Result<()> {
    print(section)?;
    if publish {
        let path = Path::new(FILE);
        let document = fs::read_to_string(path).unwrap_or_else(|_| HEAD.to_owned());
        fs::write(path, placed(&document, bench, section))
            .with_context(|| format!("can't write {FILE}: this runs in the repository"))?;
    }
    Ok(())
}

/// Replaces the section of a benchmark in the document, or appends it.
fn placed(document: &str, bench: &str, section: &str) -> String {
    let (start, end) = (format!("<!-- {bench} -->\n"), format!("<!-- end of {bench} -->\n"));
    let section = format!("{start}{}\n{end}", section.trim_end());
    if let Some((before, rest)) = document.split_once(&start)
        && let Some((_, after)) = rest.split_once(&end)
    {
        return format!("{before}{section}{after}");
    }
    format!("{}\n\n{section}", document.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_replaces_only_itself() {
        let first = placed(HEAD, "a", "ONE\n");
        let both = placed(&first, "b", "TWO");
        let again = placed(&both, "a", "THREE");
        assert_eq!(again, both.replace("ONE", "THREE"));
        assert!(again.starts_with(HEAD.trim_end()) && again.contains("TWO"));
    }

    #[test]
    fn table_renders_as_markdown() {
        let mut table = Table::new(&["what", "moim"]);
        table.row(&["a|b"]);
        assert_eq!(table.markdown(), "| what | moim |\n| --- | --- |\n| a\\|b |  |\n");
    }
}
