//! Makes `bin/<tool>`: a link, or a script that starts the tool with the libraries and modules of
//! its root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Start::{Anchored, Below, Browser, Jars, Link, Python, Relay};
use super::cache::Cache;
use super::files::{at, files_below, remove, rename, write};
use super::log::Log;
use super::{PROBE_LIMIT, Tool};

impl Cache {
    /// Makes `bin/<tool>` as the last step and by a rename, so a tool that exists is complete.
    pub(super) fn install_tool(&self, tool: &Tool, root: &Path, log: &Log) -> Result<(), String> {
        let staged = self.folder.join("tmp").join(tool.name);
        remove(&staged)?;
        match tool.start {
            Link(file) => symlink(root.join(file), &staged).map_err(|e| at("link", &staged, &e))?,
            Python => script(&staged, &format!("export PYTHONPATH={}", quote(root)), "python3")?,
            Jars(arguments) => {
                let files = files_below(root)?;
                let java = files.iter().find(|path| path.ends_with("bin/java"));
                let java = java.ok_or("the unpacked packages hold no bin/java")?;
                let export = format!("export LD_LIBRARY_PATH={}", quote(&library_path(&files)));
                let jars = quote(&root.join("jars/*"));
                let start = format!("{} -cp {jars} {arguments}", quote(java));
                script(&staged, &export, &start)?;
            }
            Anchored(file, folder) => {
                let (file, copy) = (root.join(file), root.join("anchored"));
                let mut program = fs::read(&file).map_err(|e| at("read", &file, &e))?;
                anchor(&mut program, folder);
                fs::write(&copy, program).map_err(|e| at("write", &copy, &e))?;
                allow_to_run(&copy)?;
                let data = root.join(folder.trim_start_matches('/'));
                script(&staged, &format!("exec 9<{}", quote(&data)), &quote(&copy))?;
            }
            Below(file, variable, folder) => {
                let libraries = library_path(&files_below(root)?);
                let before = format!(
                    "export LD_LIBRARY_PATH={} {variable}={}",
                    quote(&libraries),
                    quote(&root.join(folder))
                );
                script(&staged, &before, &quote(&root.join(file)))?;
            }
            Browser(file) => {
                let libraries = library_path(&files_below(root)?);
                let fonts = root.join("fonts.conf");
                write(&fonts, &fonts_conf(root))?;
                let before = format!(
                    "export LD_LIBRARY_PATH={} FONTCONFIG_FILE={}",
                    quote(&libraries),
                    quote(&fonts)
                );
                script(&staged, &before, &quote(&root.join(file)))?;
            }
            Relay(file, option, module) => {
                let (file, files) = (root.join(file), files_below(root)?);
                let module = files.iter().find(|path| path.ends_with(module));
                let modules = module.and_then(|path| path.parent());
                let modules = modules.ok_or("the unpacked packages hold no modules")?;
                let libraries = library_path(&files);
                // A probe loads no module, so check here that each module finds its libraries.
                let mut ldd = Command::new("ldd");
                ldd.env("LD_LIBRARY_PATH", &libraries).arg(&file);
                ldd.args(files.iter().filter(|path| path.parent() == Some(modules)));
                let found = log.run(PROBE_LIMIT, &mut ldd)?;
                if let Some(line) = found.lines().find(|line| line.contains("not found")) {
                    return Err(format!("no package brought a library: {}", line.trim()));
                }
                let start = format!("{} {option} {}", quote(&file), quote(modules));
                let export = format!("export LD_LIBRARY_PATH={}", quote(&libraries));
                script(&staged, &export, &start)?;
            }
        }
        rename(&staged, &self.bin(tool))
    }
}

/// The folders with shared libraries (`lib*.so`, `lib*.so.N`), in the loader's syntax.
fn library_path(files: &[PathBuf]) -> PathBuf {
    let mut folders = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("lib") && name.contains(".so") {
            folders.extend(path.parent().map(|folder| folder.display().to_string()));
        }
    }
    folders.sort();
    folders.dedup();
    folders.join(":").into()
}

/// The fonts of a root, and a cache for them beside it.
fn fonts_conf(root: &Path) -> String {
    let at = |folder: &str| {
        let path = root.join(folder).display().to_string();
        path.replace('&', "&amp;").replace('<', "&lt;")
    };
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n\
         <fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>\n",
        at("usr/share/fonts"),
        at("fonts-cache"),
    )
}

/// A shell script that replaces itself by the program, so the process id stays the program's.
fn script(path: &Path, before: &str, start: &str) -> Result<(), String> {
    let text = format!("{before}\nexec {start} \"$@\"\n");
    write(path, &format!("#!/bin/sh\n# Written by `cargo xtask peers`.\n{text}"))?;
    allow_to_run(path)
}

fn allow_to_run(path: &Path) -> Result<(), String> {
    fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(|e| at("change", path, &e))
}

/// Debian's Alertmanager needs templates in `/usr/share` and has no option for another folder. So a
/// copy of it reads from descriptor 9, which its script opens on the folder.
fn anchor(program: &mut [u8], folder: &str) {
    let descriptor = b"/proc/self/fd/9";
    let mut at = 0;
    while let Some(rest) = program.get_mut(at..).filter(|rest| rest.len() >= folder.len()) {
        if rest.starts_with(folder.as_bytes()) && folder.len() >= descriptor.len() {
            // The same length as before, since a path may hold any number of slashes.
            rest[..folder.len()].fill(b'/');
            rest[..descriptor.len()].copy_from_slice(descriptor);
        }
        at += 1;
    }
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchored_program_keeps_its_length() {
        let mut program = b"..\x00/usr/share/some/where/ui..".to_vec();
        anchor(&mut program, "/usr/share/some/where");
        assert_eq!(program, b"..\x00/proc/self/fd/9///////ui..");
    }

    #[test]
    fn a_path_with_quotes_stays_one_word_of_the_shell() {
        assert_eq!(quote(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
