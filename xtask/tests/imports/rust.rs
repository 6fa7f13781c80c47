//! The import graph of a Rust crate.
//!
//! An import is any path, in a `use` or in the code, that leads to another file of the crate. A
//! re-export counts for the file that declares the item. `mod child;` and visibilities such as
//! `pub(in crate::a)` import nothing, and code under `#[cfg(test)]` is left out. A child may import
//! from its ancestors the types for which it has an `impl` block: the methods of a large type can be
//! spread over files by topic. Any other item of an ancestor counts like an item of any other file.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, ItemMod, UseTree,
    visit::{self, Visit},
};

use crate::graph::Graph;

type Sources = BTreeMap<String, String>;
type Path = Vec<String>;

/// Re-exports are followed through no more modules than this.
const MAX_HOPS: u32 = 16;

/// Builds the graph of the crate whose sources, given by path, begin at `root`.
pub(crate) fn graph(sources: &Sources, root: &str) -> Graph {
    let mut tree = Tree { sources, modules: Vec::new() };
    tree.load(root, None);
    let mut graph = Graph::default();
    for (id, module) in tree.modules.iter().enumerate() {
        graph.add_file(&module.file);
        for path in &module.paths {
            let Some(Target { module: target, item: Some(item) }) =
                tree.resolve(id, path, MAX_HOPS)
            else {
                continue;
            };
            let is_parents = module.impls.contains(&item) && tree.is_ancestor(target, id);
            if !is_parents {
                graph.add_import(&module.file, &tree.modules[target].file, &item);
            }
        }
    }
    graph
}

struct Module {
    file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// Names that are declared here.
    items: BTreeSet<String>,
    /// Paths of imported names.
    aliases: BTreeMap<String, Path>,
    /// Modules of which all names are imported.
    globs: Vec<Path>,
    /// Types that have an `impl` block here.
    impls: BTreeSet<String>,
    /// Every path of two segments or more, those of `use` included.
    paths: BTreeSet<Path>,
}

/// The target of a path: an item of a module, or a module itself.
struct Target {
    module: usize,
    item: Option<String>,
}

struct Tree<'a> {
    sources: &'a Sources,
    modules: Vec<Module>,
}

impl Tree<'_> {
    /// Reads a file and those of its child modules.
    fn load(&mut self, file: &str, parent: Option<usize>) -> usize {
        let text = self.sources.get(file).unwrap_or_else(|| panic!("there is no {file}"));
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let id = self.add(file, parent);
        Reader { tree: self, module: id, folder: child_folder(file) }.visit_file(&syntax);
        id
    }

    fn add(&mut self, file: &str, parent: Option<usize>) -> usize {
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            aliases: BTreeMap::new(),
            globs: Vec::new(),
            impls: BTreeSet::new(),
            paths: BTreeSet::new(),
        });
        self.modules.len() - 1
    }

    fn is_ancestor(&self, ancestor: usize, mut module: usize) -> bool {
        while let Some(parent) = self.modules[module].parent {
            if parent == ancestor {
                return true;
            }
            module = parent;
        }
        false
    }

    /// Follows a path from a module; other crates' paths lead nowhere.
    fn resolve(&self, from: usize, path: &[String], hops: u32) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut module = match first.as_str() {
            "crate" => self.root_of(from),
            "self" => from,
            "super" => self.modules[from].parent?,
            name => match self.look_up(from, name, hops)? {
                Target { module, item: None } => module,
                item => return Some(item),
            },
        };
        while let Some((name, next)) = rest.split_first() {
            rest = next;
            match name.as_str() {
                "self" => {}
                "super" => module = self.modules[module].parent?,
                name => match self.look_up(module, name, hops) {
                    Some(Target { module: next, item: None }) => module = next,
                    Some(item) => return Some(item),
                    // Declared by a macro, or of another crate.
                    None if self.modules[module].aliases.contains_key(name) => return None,
                    None => return Some(Target { module, item: Some(name.to_owned()) }),
                },
            }
        }
        Some(Target { module, item: None })
    }

    fn root_of(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }

    /// Finds a name in a module's scope.
    fn look_up(&self, module: usize, name: &str, hops: u32) -> Option<Target> {
        let scope = &self.modules[module];
        if let Some(child) = scope.children.get(name) {
            return Some(Target { module: *child, item: None });
        }
        if scope.items.contains(name) {
            return Some(Target { module, item: Some(name.to_owned()) });
        }
        let hops = hops.checked_sub(1)?;
        if let Some(path) = scope.aliases.get(name) {
            // `use name::x as name`: the first segment is another crate.
            return if path.first().is_some_and(|first| first == name) {
                None
            } else {
                self.resolve(module, path, hops)
            };
        }
        scope.globs.iter().find_map(|glob| match self.resolve(module, glob, hops)? {
            Target { module, item: None } => self.look_up(module, name, hops),
            Target { .. } => None,
        })
    }
}

/// The folder of a file's child modules.
fn child_folder(file: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    match (folder, stem) {
        (folder, "mod" | "lib" | "main") => folder.to_owned(),
        ("", stem) => stem.to_owned(),
        (folder, stem) => format!("{folder}/{stem}"),
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Collects what one module declares and names.
struct Reader<'a, 'b> {
    tree: &'a mut Tree<'b>,
    module: usize,
    folder: String,
}

impl Reader<'_, '_> {
    fn scope(&mut self) -> &mut Module {
        &mut self.tree.modules[self.module]
    }

    fn declare(&mut self, name: &syn::Ident) {
        let name = name.to_string();
        self.scope().items.insert(name);
    }

    fn read_use(&mut self, tree: &UseTree, prefix: &Path) {
        let with = |name: &syn::Ident| [&prefix[..], &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.read_use(tree, prefix));
            }
            UseTree::Name(name) => {
                let path = with(&name.ident);
                let alias = path.iter().rev().find(|name| *name != "self").cloned();
                self.import(path, alias);
            }
            UseTree::Rename(rename) => {
                let alias = rename.rename.to_string();
                self.import(with(&rename.ident), Some(alias));
            }
            UseTree::Glob(_) => self.scope().globs.push(prefix.clone()),
        }
    }

    fn import(&mut self, path: Path, alias: Option<String>) {
        if let Some(alias) = alias.filter(|alias| alias != "_") {
            self.scope().aliases.insert(alias, path.clone());
        }
        self.scope().paths.insert(path);
    }

    /// Notes the paths that are written in a macro's arguments or an attribute's.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Path::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.note(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                TokenTree::Group(group) => {
                    self.note(std::mem::take(&mut path));
                    self.read_tokens(group.stream());
                }
                _ => self.note(std::mem::take(&mut path)),
            }
        }
        self.note(path);
    }

    fn note(&mut self, path: Path) {
        if path.len() > 1 {
            self.scope().paths.insert(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}

/// Visits each kind of node unless it is a test's.
macro_rules! skip_tests {
    ($($method:ident: $node:ident),* $(,)?) => { $(
        fn $method(&mut self, node: &'ast syn::$node) {
            if !is_test(&node.attrs) {
                visit::$method(self, node);
            }
        }
    )* };
}

/// The same for declarations, whose names are noted.
macro_rules! declare {
    ($($method:ident: $node:ident),* $(,)?) => { $(
        fn $method(&mut self, node: &'ast syn::$node) {
            if !is_test(&node.attrs) {
                self.declare(&node.ident);
                visit::$method(self, node);
            }
        }
    )* };
}

impl<'ast> Visit<'ast> for Reader<'_, '_> {
    declare! {
        visit_item_const: ItemConst,
        visit_item_enum: ItemEnum,
        visit_item_static: ItemStatic,
        visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait,
        visit_item_type: ItemType,
        visit_item_union: ItemUnion,
    }

    skip_tests! {
        visit_arm: Arm,
        visit_expr_block: ExprBlock,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
        visit_local: Local,
        visit_variant: Variant,
    }

    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        if !is_test(&node.attrs) {
            self.declare(&node.sig.ident);
            visit::visit_item_fn(self, node);
        }
    }

    fn visit_item_macro(&mut self, node: &'ast syn::ItemMacro) {
        if !is_test(&node.attrs) {
            if let Some(name) = &node.ident {
                self.declare(name);
            }
            visit::visit_item_macro(self, node);
        }
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        if is_test(&node.attrs) {
            return;
        }
        if let syn::Type::Path(of) = &*node.self_ty
            && let Some(last) = of.path.segments.last()
        {
            let name = last.ident.to_string();
            self.scope().impls.insert(name);
        }
        visit::visit_item_impl(self, node);
    }

    fn visit_item_use(&mut self, node: &'ast syn::ItemUse) {
        if !is_test(&node.attrs) && node.leading_colon.is_none() {
            self.read_use(&node.tree, &Path::new());
        }
    }

    fn visit_item_mod(&mut self, node: &'ast ItemMod) {
        if is_test(&node.attrs) {
            return;
        }
        let name = node.ident.to_string();
        let folder = join(&self.folder, &name);
        let child = if let Some((_, items)) = &node.content {
            let file = self.scope().file.clone();
            let module = self.tree.add(&file, Some(self.module));
            let mut reader = Reader { tree: self.tree, module, folder };
            items.iter().for_each(|item| reader.visit_item(item));
            module
        } else {
            let file = [format!("{folder}.rs"), format!("{folder}/mod.rs")]
                .into_iter()
                .find(|file| self.tree.sources.contains_key(file))
                .unwrap_or_else(|| panic!("{}: mod {name} has no file", self.scope().file));
            self.tree.load(&file, Some(self.module))
        };
        self.scope().children.insert(name, child);
    }

    fn visit_path(&mut self, node: &'ast syn::Path) {
        if node.leading_colon.is_none() {
            self.note(node.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, node);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, node: &'ast Attribute) {
        if let syn::Meta::List(list) = &node.meta {
            self.read_tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.read_tokens(node.tokens.clone());
        visit::visit_macro(self, node);
    }
}
