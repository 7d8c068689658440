//! The examples of every README are short. Each crate's doctests compile them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::arrows::metadata;

/// Lines of an example, with those that are hidden.
const MOST: usize = 15;

/// That of the workspace and those of its members, where they have one.
fn readmes() -> Vec<PathBuf> {
    let metadata = metadata();
    let root = metadata["workspace_root"].as_str().expect("a folder");
    let members = metadata["packages"].as_array().expect("packages");
    let manifests = members.iter().map(|member| member["manifest_path"].as_str().expect("a path"));
    let folders = manifests.filter_map(|manifest| Path::new(manifest).parent());
    [Path::new(root)]
        .into_iter()
        .chain(folders)
        .map(|folder| folder.join("README.md"))
        .filter(|readme| readme.exists())
        .collect()
}

/// The number of the line on which each block of Rust begins, and how many lines it has.
fn examples(text: &str) -> Vec<(usize, usize)> {
    let mut lines = (1..).zip(text.lines());
    let mut examples = Vec::new();
    while let Some((begin, line)) = lines.next() {
        if line.starts_with("```") {
            let length = lines.by_ref().take_while(|(_, line)| *line != "```").count();
            if line.starts_with("```rust") {
                examples.push((begin, length));
            }
        }
    }
    examples
}

#[test]
fn an_example_of_a_readme_has_fifteen_lines_at_most() {
    let mut read = 0;
    for readme in readmes() {
        let text = fs::read_to_string(&readme).expect("readable");
        for (begin, length) in examples(&text) {
            let place = readme.display();
            assert!(length <= MOST, "{place}:{begin}: {length} lines");
            read += 1;
        }
    }
    // The rule would hold of no example as well.
    assert!(read > 0, "no examples were read");
}
