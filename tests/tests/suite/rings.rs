//! Files of a library crate import each other in one direction only.
//!
//! A file depends on the file that *defines* what it names, however many re-exports lie between. A
//! parent that declares its children (`mod`) and only re-exports from them (`pub use`) is their
//! face and depends on none of them. A call of a method names no file and is not seen. Test code is
//! not read.

mod graph;
mod reader;

use std::collections::BTreeMap;
use std::path::Path;

use graph::rings;
pub(crate) use reader::{Sources, is_for_tests};

const LIBRARIES: &[&str] = &[
    "cap-alerts",
    "cap-egress",
    "cap-metrics",
    "cap-names",
    "cap-syslog",
    "cap-telemetry",
    "cap-tracing",
    "tests",
    "tests/kit",
];

#[test]
fn files_of_a_library_do_not_import_each_other_in_a_ring() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut found, mut read) = (Vec::new(), 0);
    for library in LIBRARIES {
        let sources = Sources::of_folder(&workspace.join(library).join("src"));
        let imports = sources.imports();
        assert!(sources.len() > 3, "{library}: {} files", sources.len());
        read += imports.len();
        for ring in rings(&imports) {
            found.push(format!("{library}: {ring}"));
        }
    }
    assert!(read > 300, "only {read} imports were read");
    assert!(found.is_empty(), "rings of files:\n{}", found.join("\n"));
}

/// What the reader says of a crate of these files.
fn of_files(files: &[(&str, &str)]) -> Vec<String> {
    let texts: BTreeMap<String, String> =
        files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
    let sources = Sources::of_texts(&|path| texts.get(path).cloned());
    rings(&sources.imports()).iter().map(ToString::to_string).collect()
}

const RING: &str = "a.rs:1 uses b.rs (crate::b::B), b.rs:1 uses a.rs (crate::a::A)";

#[test]
fn two_files_that_import_each_other_are_a_ring() {
    let ring = of_files(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use crate::a::A; pub struct B(Box<A>);"),
    ]);
    assert_eq!(ring, [RING]);
}

#[test]
fn a_ring_is_seen_through_re_exports_and_groups() {
    let ring = of_files(&[
        ("lib.rs", "mod a; mod b; pub use a::{A, More as Other};"),
        ("a.rs", "use crate::b::B; pub struct A(B); pub struct More;"),
        ("b.rs", "use crate::{Other}; pub struct B(Box<Other>);"),
    ]);
    assert_eq!(ring, ["a.rs:1 uses b.rs (crate::b::B), b.rs:1 uses a.rs (crate::Other)"]);
}

#[test]
fn a_ring_is_seen_in_expressions_types_and_macros() {
    for use_of_a in [
        "pub fn b() { crate::a::a() }",
        "pub fn b() { super::a::a() }",
        "use crate::a; pub fn b() { a::a() }",
        "pub fn b(_: &crate::a::A) {}",
        "pub fn b() { println!(\"{}\", crate::a::a()) }",
        "macro_rules! b { () => { $crate::a::a() } }",
        "pub mod inner { pub fn b() { super::super::a::a() } }",
    ] {
        let ring = of_files(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::b; pub struct A; pub fn a() { b() }"),
            ("b.rs", use_of_a),
        ]);
        assert_eq!(ring.len(), 1, "{use_of_a}: {ring:?}");
    }
}

#[test]
fn a_longer_ring_is_named_in_order() {
    let ring = of_files(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "\nuse crate::c::C; pub struct B(C);"),
        ("c.rs", "\n\nuse crate::a::A; pub struct C(Box<A>);"),
    ]);
    let named = "a.rs:1 uses b.rs (crate::b::B), b.rs:2 uses c.rs (crate::c::C), c.rs:3 uses a.rs (crate::a::A)";
    assert_eq!(ring, [named]);
}

#[test]
fn a_parent_that_is_only_a_face_is_in_no_ring() {
    let ring = of_files(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b; pub use b::B; pub struct A;"),
        ("a/b.rs", "use super::A; pub struct B(A);"),
    ]);
    assert_eq!(ring, [""; 0]);
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_a_ring() {
    for parent in [
        "mod b; use b::B; pub struct A; pub fn a(_: B) {}",
        "mod b; pub struct A; pub fn a() { b::new(); }",
        "mod b; pub use b::B; pub struct A; pub fn a(_: B) {}",
        "mod b; pub use b::B; pub struct A; pub fn a() { assert!(B::is()); }",
        "mod b; pub use b::B; pub struct A; pub fn a() { assert!(drop(None::<B>)); }",
    ] {
        let ring = of_files(&[
            ("lib.rs", "mod a;"),
            ("a.rs", parent),
            ("a/b.rs", "use super::A; pub struct B(A); pub fn new() {}"),
        ]);
        assert_eq!(ring.len(), 1, "{parent}: {ring:?}");
    }
}

#[test]
fn what_only_tests_import_is_not_read() {
    let ring = of_files(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] use crate::a::A;",
        ),
    ]);
    assert_eq!(ring, [""; 0]);
}
