//! Files beside the database, which only their owner can read: the replicas of one host share them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The path of the database with this at its end; `None` for a database in memory.
pub(crate) fn path(database: &Path, suffix: &str) -> Option<PathBuf> {
    let mut file = database.as_os_str().to_owned();
    file.push(suffix);
    (database != Path::new(":memory:")).then(|| file.into())
}

/// Makes the file unless it exists, and returns what it holds then: another replica may have
/// been first.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(bytes)?;
            file.sync_all()?;
            Ok(bytes.to_vec())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(named(path, &error)),
    }
}

pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
