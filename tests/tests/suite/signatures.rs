//! Crates before 1.0 that a library's public signatures name: a new version of one of them breaks
//! that library's users, so each is listed here, and each whose types stand in signatures is
//! re-exported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Fields, FnArg, ImplItem, Item, ReturnType, Signature, TraitItem, Type, UseTree, Visibility,
};

use crate::arrows::metadata;
use crate::rings::{Sources, is_for_tests};

/// How a library's users meet another crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meeting {
    /// A type or trait of it stands in a signature, a field or a bound.
    Named,
    /// A public type implements a trait of it.
    Implemented,
}
use Meeting::{Implemented, Named};

const LISTED: &[(&str, &str, Meeting)] = &[
    ("cap-egress", "hyper_util", Implemented),
    ("cap-egress", "rustls", Named),
    ("cap-egress", "tokio_rustls", Named),
    ("cap-egress", "tower_service", Implemented),
    ("cap-metrics", "prometheus_client", Named),
    ("cap-metrics", "prometheus_client", Implemented),
    ("cap-metrics", "tower_layer", Implemented),
    ("cap-metrics", "tower_service", Implemented),
    ("cap-syslog", "chrono", Named),
    ("cap-telemetry", "axum", Named),
    ("cap-tracing", "opentelemetry", Named),
    ("cap-tracing", "opentelemetry", Implemented),
    ("cap-tracing", "tower_layer", Implemented),
    ("cap-tracing", "tower_service", Implemented),
    ("cap-tracing", "tracing", Named),
    ("cap-tracing", "tracing", Implemented),
    ("cap-tracing", "tracing_subscriber", Named),
    ("cap-tracing", "tracing_subscriber", Implemented),
];

#[test]
fn crates_before_1_0_in_public_signatures_are_listed() {
    let mut found = BTreeSet::new();
    for (library, unstable) in unstable_dependencies() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&library).join("src");
        let met = met(&files_of(&src), &unstable);
        let exported = exported_by(&src);
        for (foreign, meeting) in met {
            assert!(
                meeting == Implemented || exported.contains(&foreign),
                "{library} names {foreign} in public signatures: write `pub use {foreign};` in its lib.rs"
            );
            found.insert((library.clone(), foreign, meeting));
        }
    }
    let listed = LISTED
        .iter()
        .map(|&(library, foreign, meeting)| (library.to_owned(), foreign.to_owned(), meeting));
    assert_eq!(found, listed.collect(), "what is found and what is listed");
}

/// For each library of the workspace its normal dependencies before 1.0, as code names them.
fn unstable_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let libraries = packages.iter().filter(|package| {
        package["name"].as_str().is_some_and(|name| name.starts_with("cap-"))
            && package["publish"].is_null()
    });
    libraries
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let unstable = dependencies.iter().filter(|dependency| {
                let requirement = dependency["req"].as_str().unwrap_or_default();
                dependency["kind"].is_null()
                    && dependency["path"].is_null()
                    && requirement
                        .trim_start_matches(|c: char| !c.is_ascii_digit())
                        .starts_with('0')
            });
            let names = unstable.map(|dependency| {
                let name = dependency["rename"].as_str().or(dependency["name"].as_str());
                name.expect("a name").replace('-', "_")
            });
            let library = package["name"].as_str().expect("a name");
            (library.to_owned(), names.collect())
        })
        .collect()
}

fn files_of(src: &Path) -> Vec<syn::File> {
    let sources = Sources::of_folder(src);
    let read = |file: &str| {
        let text = fs::read_to_string(src.join(file)).expect("it was read before");
        syn::parse_file(&text).expect("it was parsed before")
    };
    sources.files().into_iter().map(read).collect()
}

/// The crates that a library re-exports whole, from whichever file.
fn exported_by(src: &Path) -> BTreeSet<String> {
    let mut exported = BTreeSet::new();
    for item in files_of(src).iter().flat_map(|file| &file.items) {
        if let Item::Use(line) = item
            && is_public(&line.vis)
        {
            whole_crates(&line.tree, &mut exported);
        }
    }
    exported
}

fn whole_crates(tree: &UseTree, into: &mut BTreeSet<String>) {
    match tree {
        UseTree::Name(name) => {
            into.insert(name.ident.to_string());
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                whole_crates(tree, into);
            }
        }
        _ => {}
    }
}

fn met(files: &[syn::File], unstable: &BTreeSet<String>) -> BTreeSet<(String, Meeting)> {
    let mut public = BTreeSet::new();
    for file in files {
        public_types(&file.items, &mut public);
    }
    let mut met = BTreeSet::new();
    for file in files {
        let mut reader = Reader {
            unstable,
            public: &public,
            bound: BTreeMap::new(),
            meeting: Named,
            met: &mut met,
        };
        reader.items(&file.items);
    }
    met
}

fn public_types(items: &[Item], into: &mut BTreeSet<String>) {
    for item in items {
        let (visibility, name) = match item {
            Item::Struct(it) => (&it.vis, &it.ident),
            Item::Enum(it) => (&it.vis, &it.ident),
            Item::Macro(it) => {
                into.extend(declared_by_macro(&it.mac));
                continue;
            }
            Item::Mod(it) => {
                let inner = it.content.as_ref().map(|(_, items)| items);
                public_types(inner.map_or(&[], Vec::as_slice), into);
                continue;
            }
            _ => continue,
        };
        if is_public(visibility) {
            into.insert(name.to_string());
        }
    }
}

/// The public enums in a `closed_enum!`.
fn declared_by_macro(call: &syn::Macro) -> Option<String> {
    let name = &call.path.segments.last()?.ident;
    let mut tokens = call.tokens.clone().into_iter().map(|token| token.to_string());
    let before: Vec<_> = tokens.by_ref().take_while(|token| token != "enum").collect();
    let is_public = before.iter().any(|token| token == "pub");
    (name == "closed_enum" && is_public).then(|| tokens.next())?
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Reads what is public in a file. The lint `unreachable_pub` sees to it that `pub` means
/// reachable.
struct Reader<'a> {
    unstable: &'a BTreeSet<String>,
    public: &'a BTreeSet<String>,
    /// Names that `use` lines bring in from those crates.
    bound: BTreeMap<String, String>,
    meeting: Meeting,
    met: &'a mut BTreeSet<(String, Meeting)>,
}

impl Reader<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Use(line) = item {
                self.bind(&line.tree, None);
            }
        }
        for item in items {
            self.item(item);
        }
    }

    fn bind(&mut self, tree: &UseTree, foreign: Option<&str>) {
        let root = |name: &Ident| foreign.map_or_else(|| name.to_string(), str::to_owned);
        match tree {
            UseTree::Path(step) => {
                let foreign = root(&step.ident);
                self.bind(&step.tree, Some(&foreign));
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.bind(tree, foreign);
                }
            }
            UseTree::Name(name) => {
                self.bound.insert(name.ident.to_string(), root(&name.ident));
            }
            UseTree::Rename(name) => {
                self.bound.insert(name.rename.to_string(), root(&name.ident));
            }
            UseTree::Glob(_) => {}
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(it) if is_public(&it.vis) && !is_for_tests(&it.attrs) => {
                self.signature(&it.sig);
            }
            Item::Struct(it) if is_public(&it.vis) => {
                self.visit_generics(&it.generics);
                self.fields(&it.fields, false);
            }
            Item::Enum(it) if is_public(&it.vis) => {
                self.visit_generics(&it.generics);
                for variant in &it.variants {
                    self.fields(&variant.fields, true);
                }
            }
            Item::Type(it) if is_public(&it.vis) => self.visit_type(&it.ty),
            Item::Const(it) if is_public(&it.vis) => self.visit_type(&it.ty),
            Item::Trait(it) if is_public(&it.vis) => {
                self.visit_generics(&it.generics);
                for bound in &it.supertraits {
                    self.visit_type_param_bound(bound);
                }
                for item in &it.items {
                    if let TraitItem::Fn(method) = item {
                        self.signature(&method.sig);
                    }
                }
            }
            Item::Impl(it) if !is_for_tests(&it.attrs) && self.is_of_public(&it.self_ty) => {
                self.implementation(it);
            }
            Item::Mod(it) if !is_for_tests(&it.attrs) => {
                let inner = it.content.as_ref().map(|(_, items)| items);
                self.items(inner.map_or(&[], Vec::as_slice));
            }
            _ => {}
        }
    }

    fn implementation(&mut self, it: &syn::ItemImpl) {
        if let Some((_, path, _)) = &it.trait_ {
            self.meeting = Implemented;
            self.visit_path(path);
            self.visit_generics(&it.generics);
            for item in &it.items {
                if let ImplItem::Type(associated) = item {
                    self.visit_type(&associated.ty);
                }
            }
            self.meeting = Named;
            return;
        }
        for item in &it.items {
            if let ImplItem::Fn(method) = item
                && is_public(&method.vis)
                && !is_for_tests(&method.attrs)
            {
                self.visit_generics(&it.generics);
                self.signature(&method.sig);
            }
        }
    }

    fn is_of_public(&self, of: &Type) -> bool {
        let Type::Path(path) = of else { return false };
        let last = path.path.segments.last();
        last.is_some_and(|it| self.public.contains(&it.ident.to_string()))
    }

    fn fields(&mut self, fields: &Fields, all: bool) {
        for field in fields {
            if all || is_public(&field.vis) {
                self.visit_type(&field.ty);
            }
        }
    }

    fn signature(&mut self, signature: &Signature) {
        self.visit_generics(&signature.generics);
        for input in &signature.inputs {
            if let FnArg::Typed(input) = input {
                self.visit_type(&input.ty);
            }
        }
        if let ReturnType::Type(_, output) = &signature.output {
            self.visit_type(output);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let first = path.segments[0].ident.to_string();
        let foreign = self.bound.get(&first).unwrap_or(&first);
        if self.unstable.contains(foreign) {
            self.met.insert((foreign.clone(), self.meeting));
        }
        visit::visit_path(self, path);
    }
}

/// What is met in this text by the users of a crate that depends on `foreign` 0.1.
fn of_text(text: &str) -> Vec<Meeting> {
    let unstable = BTreeSet::from(["foreign".to_owned()]);
    let met = met(&[syn::parse_file(text).expect("Rust")], &unstable);
    met.into_iter().map(|(_, meeting)| meeting).collect()
}

#[test]
fn what_users_meet_is_found() {
    for (text, meeting) in [
        ("pub fn f(_: foreign::T) {}", Named),
        ("use foreign::a::T; pub fn f() -> Option<Vec<T>> {}", Named),
        ("use foreign::T as U; pub struct S { pub field: U }", Named),
        ("pub enum E { A(foreign::T) }", Named),
        ("pub fn f<T: foreign::Trait>(_: T) {}", Named),
        ("pub fn f(_: impl foreign::Trait) {}", Named),
        ("pub struct S; impl S { pub fn f(&self) -> foreign::T {} }", Named),
        ("pub trait Tr { fn f(_: foreign::T); }", Named),
        ("pub type A = foreign::T;", Named),
        ("pub struct S; impl foreign::Trait for S {}", Implemented),
        (
            "closed_enum! { pub enum S: \"s\" { A = \"a\" } } impl foreign::Trait for S {}",
            Implemented,
        ),
        (
            "names::closed_enum! { pub enum S: \"s\" { A = \"a\" } } impl S { pub fn f(_: foreign::T) {} }",
            Named,
        ),
        ("pub struct S; impl From<foreign::T> for S {}", Implemented),
        ("pub struct S; impl Iterator for S { type Item = foreign::T; }", Implemented),
    ] {
        assert_eq!(of_text(text), [meeting], "{text}");
    }
}

#[test]
fn what_users_do_not_meet_is_not() {
    for text in [
        "fn f(_: foreign::T) {}",
        "pub(crate) fn f(_: foreign::T) {}",
        "pub struct S { field: foreign::T }",
        "pub struct S(foreign::T);",
        "pub fn f() { let _ = foreign::T; }",
        "struct S; impl foreign::Trait for S {}",
        "pub struct S; impl S { fn f(_: foreign::T) {} }",
        "use other::T; pub fn f(_: T) {}",
        "#[cfg(test)] pub fn f(_: foreign::T) {}",
    ] {
        assert_eq!(of_text(text), [], "{text}");
    }
}
