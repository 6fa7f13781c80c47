//! Tests of the tests: planted circles and upward arrows are found, and what is allowed is not.

use std::collections::BTreeMap;

use crate::{graph::Graph, rust, typescript};

fn sources(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

fn rust(files: &[(&str, &str)]) -> Graph {
    rust::graph(&sources(files), "lib.rs")
}

fn typescript(files: &[(&str, &str)]) -> Graph {
    typescript::graph(&sources(files))
}

#[test]
fn a_circle_of_uses_is_found() {
    let graph = rust(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::{b::{self, B}, c}; pub struct A; pub fn a(b: B) { c::c() }"),
        ("b.rs", "use super::a::A; pub struct B(A);"),
        ("c.rs", "pub fn c() {}"),
    ]);
    assert_eq!(graph.circles(), [["a.rs", "b.rs"]]);
    let described = graph.describe(&["a.rs", "b.rs"]);
    assert!(described.contains("a.rs -> b.rs (B)") && described.contains("b.rs -> a.rs (A)"));
    assert_eq!(graph.names("a.rs", "c.rs"), ["c"]);
}

#[test]
fn a_circle_of_inline_paths_is_found() {
    for path in
        ["crate::b::b()", "super::b::b()", "self::super::b::b()", "println!(\"{}\", crate::b::b())"]
    {
        let graph = rust(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", &format!("pub fn a() {{ {path}; }}")),
            ("b.rs", "use crate::a; pub fn b() { a::a() }"),
        ]);
        assert_eq!(graph.circles(), [["a.rs", "b.rs"]], "{path}");
    }
}

#[test]
fn a_circle_through_a_re_export_is_found_where_the_item_is_declared() {
    let graph = rust(&[
        ("lib.rs", "mod a; mod b; pub use a::A;"),
        ("a/mod.rs", "mod inner; pub use inner::*;"),
        ("a/inner.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn b(a: crate::A) {}"),
    ]);
    assert_eq!(graph.circles(), [["a/inner.rs", "b.rs"]]);
}

#[test]
fn an_item_of_the_parent_closes_a_circle_but_the_type_of_an_impl_does_not() {
    let parent = "mod child; use child::C; pub struct P(C); pub struct Q; const LIMIT: u8 = 1;";
    let child = |uses: &str| {
        let text = format!("use super::{uses}; pub struct C; impl P {{ fn more(&self) {{}} }}");
        rust(&[("lib.rs", "mod p;"), ("p/mod.rs", parent), ("p/child.rs", &text)]).circles().len()
    };
    assert_eq!(child("P"), 0);
    assert_eq!(child("{P, Q}"), 1);
    assert_eq!(child("{LIMIT, P}"), 1);
}

#[test]
fn a_declaration_a_visibility_and_a_test_import_nothing() {
    let graph = rust(&[
        ("lib.rs", "mod a; #[cfg(test)] mod tests; pub struct L(a::A);"),
        (
            "a.rs",
            "pub(in crate::a) struct B; pub struct A;
                  #[cfg(test)] mod tests { use crate::L; }
                  #[cfg(test)] use crate::L;
                  #[cfg(test)] impl A { fn l(self) -> crate::L { todo!() } }",
        ),
    ]);
    assert!(graph.circles().is_empty());
}

#[test]
fn circles_of_typescript_are_found_types_included() {
    let closing = [
        "import { b } from '../b.ts';",
        "import type { B } from '../b';",
        "export { b } from '../b';",
        "export type * from '../b';",
        "import\n  { type B,\n    b }\nfrom \"../b\";",
        "import '../b';",
        "const b = await import('../b');",
    ];
    for text in closing {
        let graph = typescript(&[
            ("a/index.ts", text),
            ("b.ts", "import { a } from './a'; // it's a comment"),
            ("b.test.ts", "import './b';"),
        ]);
        assert_eq!(graph.circles(), [["a/index.ts", "b.ts"]], "{text}");
    }
    let open = typescript(&[
        ("a.ts", "// import { b } from './b';\nconst from = \"./b\"; import('react');"),
        ("b.ts", "import { a } from './a';"),
    ]);
    assert!(open.circles().is_empty());
}

#[test]
fn an_upward_arrow_is_found_also_between_neighbours() {
    let graph = rust(&[
        ("lib.rs", "mod high; mod low;"),
        ("high/mod.rs", "pub mod left; pub mod right; pub struct H;"),
        ("high/left.rs", "use super::right::R; pub struct L;"),
        ("high/right.rs", "pub struct R;"),
        ("low/mod.rs", "fn low() -> crate::high::H { crate::high::H }"),
    ]);
    assert_eq!(graph.upward(&[&["high"], &["low"]]), ["    low/mod.rs -> high/mod.rs (H)"]);
    assert!(graph.upward(&[&["low"], &["high"]]).is_empty());
    let graph = typescript(&[("a/x.ts", "import '../b/y';"), ("b/y.ts", "")]);
    assert_eq!(graph.upward(&[&["a", "b"]]), ["    a/x.ts -> b/y.ts (../b/y)"]);
}
