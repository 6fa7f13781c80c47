//! A graph of files and their imports: circles in it, and arrows against the order of folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Which file imports which names of which other file. Paths are relative to the source root.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    edges: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Graph {
    /// Adds a file, even one without imports.
    pub(crate) fn add_file(&mut self, file: &str) {
        self.edges.entry(file.to_owned()).or_default();
    }

    /// Adds an import of `name`; a file's use of its own names is none.
    pub(crate) fn add_import(&mut self, from: &str, to: &str, name: &str) {
        self.add_file(to);
        if from != to {
            let names = self.edges.entry(from.to_owned()).or_default();
            names.entry(to.to_owned()).or_default().insert(name.to_owned());
        }
    }

    /// The number of files.
    pub(crate) fn len(&self) -> usize {
        self.edges.len()
    }

    /// The names that one file imports from another.
    #[cfg(test)]
    pub(crate) fn names(&self, from: &str, to: &str) -> Vec<&str> {
        let names = self.edges.get(from).and_then(|imports| imports.get(to));
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// Files that reach each other: the strongly connected components of two files or more.
    pub(crate) fn circles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.edges.keys().map(|file| (file.as_str(), self.reached_from(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, others) in &reached {
            let circle: Vec<&str> =
                others.iter().copied().filter(|other| reached[other].contains(file)).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from<'a>(&'a self, file: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            for next in self.edges[file].keys() {
                if reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// The imports inside a circle, one a line.
    pub(crate) fn describe(&self, circle: &[&str]) -> String {
        let mut text = String::new();
        for from in circle {
            for (to, names) in
                self.edges[*from].iter().filter(|(to, _)| circle.contains(&to.as_str()))
            {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                writeln!(text, "    {from} -> {to} ({})", names.join(", ")).unwrap();
            }
        }
        text
    }

    /// Imports against the order of `rows`, which goes from the top down. A folder may import from
    /// lower rows only, not from its neighbours in a row. A listed name may also be a file's, without
    /// its ending. Files that are not listed are free.
    pub(crate) fn upward(&self, rows: &[&[&str]]) -> Vec<String> {
        let mut found = Vec::new();
        for (from, imports) in &self.edges {
            for (to, names) in imports {
                let (Some(source), Some(target)) = (place(rows, from), place(rows, to)) else {
                    continue;
                };
                if source.folder != target.folder && target.row <= source.row {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    found.push(format!("    {from} -> {to} ({})", names.join(", ")));
                }
            }
        }
        found
    }
}

struct Place<'a> {
    row: usize,
    folder: &'a str,
}

/// The listed folder or file that a path belongs to: the longest that fits.
fn place<'a>(rows: &[&[&'a str]], file: &str) -> Option<Place<'a>> {
    let folders = rows
        .iter()
        .enumerate()
        .flat_map(|(row, folders)| folders.iter().map(move |folder| Place { row, folder }));
    folders
        .filter(|place| {
            let rest = file.strip_prefix(place.folder);
            rest.is_some_and(|rest| rest.starts_with('/') || matches!(rest, ".rs" | ".ts" | ".tsx"))
        })
        .max_by_key(|place| place.folder.len())
}
