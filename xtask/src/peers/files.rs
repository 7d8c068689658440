//! Files and folders, with errors that name them.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn at(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

pub(super) fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| at("create", folder, &e))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|e| at("rename the finished work to", to, &e))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| at("write", path, &e))
}

/// Removes a file, a link or a whole folder. A missing one is no error.
pub(super) fn remove(path: &Path) -> Result<(), String> {
    let gone = match path.symlink_metadata() {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
    gone.map_err(|e| at("remove", path, &e))
}

pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| at("list", &folder, &e))? {
            let path = entry.map_err(|e| at("list", &folder, &e))?.path();
            let within = path.is_dir() && !path.is_symlink();
            let list = if within { &mut folders } else { &mut files };
            list.push(path);
        }
    }
    Ok(files)
}
