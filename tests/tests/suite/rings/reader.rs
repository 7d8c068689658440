//! Reads the modules of a crate and what each file uses of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

use super::graph::Import;

type ModulePath = Vec<String>;

/// A module: the file it is written in, its children, and the names that its `use` lines bring in.
#[derive(Debug, Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    bound: BTreeMap<String, Vec<String>>,
    used: Vec<Used>,
}

/// A path as it is written, and whether the line is a re-export.
#[derive(Debug)]
struct Used {
    path: Vec<String>,
    line: usize,
    exported: bool,
}

/// The modules of one crate.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    modules: BTreeMap<ModulePath, Module>,
}

impl Sources {
    pub(crate) fn of_folder(src: &Path) -> Self {
        Self::of_texts(&|path| fs::read_to_string(src.join(path)).ok())
    }

    /// Follows `mod` lines from `lib.rs`. Whoever declares a module that has no file gets a panic
    /// with its name.
    pub(super) fn of_texts(read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut sources = Self::default();
        sources.read_file("lib.rs".to_owned(), Vec::new(), read);
        sources
    }

    pub(super) fn len(&self) -> usize {
        self.modules.len()
    }

    /// The files that are not for tests, from the folder of `lib.rs`.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|it| it.file.as_str()).collect()
    }

    fn read_file(
        &mut self,
        file: String,
        module: ModulePath,
        read: &dyn Fn(&str) -> Option<String>,
    ) {
        let text = read(&file).unwrap_or_else(|| panic!("{file} is declared and cannot be read"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.read_items(&file, &module, &parsed.items, read);
    }

    fn read_items(
        &mut self,
        file: &str,
        path: &ModulePath,
        items: &[Item],
        read: &dyn Fn(&str) -> Option<String>,
    ) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            if let Item::Mod(child) = item
                && !is_for_tests(&child.attrs)
            {
                let name = child.ident.to_string();
                module.children.insert(name.clone());
                let mut below = path.clone();
                below.push(name);
                match &child.content {
                    Some((_, items)) => self.read_items(file, &below, items, read),
                    None => self.read_file(format!("{}.rs", below.join("/")), below, read),
                }
            }
        }
        let mut visitor =
            Paths { module: &mut module, exported: BTreeMap::new(), names: Vec::new() };
        for item in items {
            visitor.visit_item(item);
        }
        visitor.use_what_is_exported();
        self.modules.insert(path.clone(), module);
    }

    /// Every use of an item that another file defines.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (path, module) in &self.modules {
            for used in &module.used {
                let Some(target) = self.defining(path, &used.path, 16) else {
                    continue;
                };
                let to = &self.modules[&target].file;
                let is_face = used.exported && target.starts_with(path);
                if *to != module.file && !is_face {
                    imports.push(Import {
                        from: module.file.clone(),
                        to: to.clone(),
                        line: used.line,
                        path: used.path.join("::"),
                    });
                }
            }
        }
        imports.sort();
        imports
    }

    /// The module that defines the item that `path` names in module `at`; none for a module itself
    /// and for other crates.
    fn defining(&self, at: &[String], path: &[String], hops: usize) -> Option<ModulePath> {
        let mut here = at.to_vec();
        match path.first()?.as_str() {
            "crate" => here.clear(),
            "self" => {}
            "super" => {
                here.pop()?;
            }
            first => {
                let module = self.modules.get(at)?;
                if !module.children.contains(first) {
                    // A name that a `use` line brought in leads on, when it is a module's.
                    let bound = module.bound.get(first).filter(|bound| *bound != path)?;
                    let full: Vec<_> = bound.iter().chain(&path[1..]).cloned().collect();
                    return (path.len() > 1 && hops > 0)
                        .then(|| self.defining(at, &full, hops - 1))?;
                }
                here.push(first.to_owned());
            }
        }
        let mut rest = &path[1..];
        while let Some(next) = rest.first() {
            let module = self.modules.get(&here)?;
            if next == "super" {
                here.pop()?;
            } else if module.children.contains(next) {
                here.push(next.clone());
            } else if let Some(bound) = module.bound.get(next) {
                let full: Vec<_> = bound.iter().chain(&rest[1..]).cloned().collect();
                return (hops > 0).then(|| self.defining(&here, &full, hops - 1))?;
            } else {
                return Some(here);
            }
            rest = &rest[1..];
        }
        None
    }
}

/// Collects what a module names. Modules inside it are read on their own.
struct Paths<'a> {
    module: &'a mut Module,
    /// Names that a re-export binds, with their paths.
    exported: BTreeMap<String, Vec<String>>,
    /// Names of one segment, with their lines.
    names: Vec<(String, usize)>,
}

impl Paths<'_> {
    /// A parent that also uses what it re-exports is more than a face.
    fn use_what_is_exported(&mut self) {
        for (name, line) in std::mem::take(&mut self.names) {
            if let Some(path) = self.exported.get(&name) {
                self.module.used.push(Used { path: path.clone(), line, exported: false });
            }
        }
    }

    fn tree(&mut self, tree: &UseTree, lead: &[String], exported: bool) {
        let mut path = lead.to_vec();
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&step.tree, &path, exported);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, lead, exported);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                let bound = lead.last().cloned().unwrap_or_default();
                self.bind(bound, path, exported, name.ident.span());
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.bind(name.ident.to_string(), path, exported, name.ident.span());
            }
            UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                self.bind(rename.rename.to_string(), path, exported, rename.ident.span());
            }
            UseTree::Glob(glob) => {
                path.push("*".to_owned());
                let line = glob.star_token.spans[0].start().line;
                self.module.used.push(Used { path, line, exported });
            }
        }
    }

    fn bind(&mut self, name: String, path: Vec<String>, exported: bool, at: proc_macro2::Span) {
        let line = at.start().line;
        if exported {
            self.exported.insert(name.clone(), path.clone());
        }
        self.module.bound.insert(name, path.clone());
        self.module.used.push(Used { path, line, exported });
    }

    /// Paths among the tokens of a macro, which have no grammar yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end_path(&mut path, line);
                        line = name.span().start().line;
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end_path(&mut path, line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.end_path(&mut path, line);
                    colons = 0;
                }
            }
        }
        self.end_path(&mut path, line);
    }

    fn end_path(&mut self, path: &mut Vec<String>, line: usize) {
        let mut path = std::mem::take(path);
        match path.len() {
            0 => {}
            // Another word than a type's may be a field or a method.
            1 if !path[0].starts_with(|c: char| c.is_ascii_uppercase()) => {}
            1 => self.names.push((path.remove(0), line)),
            _ => self.module.used.push(Used { path, line, exported: false }),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Const(it) => &it.attrs,
            Item::Enum(it) => &it.attrs,
            Item::Fn(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            Item::Macro(it) => &it.attrs,
            Item::Static(it) => &it.attrs,
            Item::Struct(it) => &it.attrs,
            Item::Trait(it) => &it.attrs,
            Item::Type(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let exported = !matches!(item.vis, Visibility::Inherited);
        self.tree(&item.tree, &[], exported);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        let line = path.segments[0].ident.span().start().line;
        if path.leading_colon.is_none() && segments.len() > 1 {
            self.module.used.push(Used { path: segments, line, exported: false });
        } else {
            self.names.extend(segments.into_iter().map(|name| (name, line)));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[cfg(doctest)]`.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return false;
        };
        let condition = list.tokens.to_string();
        let words: Vec<_> = condition.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        list.path.is_ident("cfg")
            && words.iter().any(|word| matches!(*word, "test" | "doctest"))
            && !words.iter().any(|word| matches!(*word, "not" | "any"))
    })
}
