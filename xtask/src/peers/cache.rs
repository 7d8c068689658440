//! The folder that survives between runs, and the installation of a peer into it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use super::Source::{Collector, Debian, Go, Java, Own, Pip};
use super::files::{at, make, remove, rename, write};
use super::log::Log;
use super::{PROBE_LIMIT, Recipe, Tool, env};

/// The folder that survives between runs.
pub(super) struct Cache {
    pub(super) folder: PathBuf,
    /// Keeps a second run from removing this one's stage. Closing the file unlocks it.
    #[expect(dead_code, reason = "held, not read")]
    lock: File,
}

/// The folder for programs that are installed for the tests.
pub(crate) fn cache_folder() -> Result<PathBuf, String> {
    let set = |name| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = set("CAP_PEERS_DIR")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("certautopilot-peers")))
        .or_else(|| Some(set("HOME")?.join(".cache/certautopilot-peers")))
        .ok_or("no cache folder: set CAP_PEERS_DIR, XDG_CACHE_HOME or HOME")?;
    std::path::absolute(&folder).map_err(|e| at("resolve", &folder, &e))
}

impl Cache {
    pub(super) fn open() -> Result<Self, String> {
        let folder = cache_folder()?;
        for sub in ["bin", "log", "tmp"] {
            make(&folder.join(sub))?;
        }
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(|e| at("create", &path, &e))?;
        if lock.try_lock().is_err() {
            println!("waiting for another run, which holds {}", path.display());
            lock.lock().map_err(|e| at("lock", &path, &e))?;
        }
        Ok(Self { folder, lock })
    }

    /// The version of a peer whose stamp is today's first choice or better and whose tools all
    /// answer.
    pub(super) fn installed(&self, name: &str, recipes: &[Recipe]) -> Option<String> {
        let stamp = fs::read_to_string(self.folder.join(name).join("stamp")).ok()?;
        let (wanted, used) = stamp.split_once('\n')?;
        let used = recipes.iter().position(|recipe| used == recipe.pin())?;
        let best = recipes.iter().position(|recipe| recipe.needs().is_ok())?;
        // A second choice stays while the first choice is the one that failed then, so a long build
        // that fails is not repeated.
        if used > best && wanted != recipes[best].pin() {
            return None;
        }
        self.probe(name, &recipes[used]).ok()
    }

    pub(super) fn install(&self, name: &str, recipes: &[Recipe]) -> Result<String, String> {
        let log = Log::create(self.folder.join("log").join(format!("{name}.log")))?;
        let (mut wanted, mut failures) = (None, Vec::new());
        for recipe in recipes {
            let outcome = recipe.needs().and_then(|()| {
                let pin = recipe.pin();
                let stamp = format!("{}\n{pin}", wanted.get_or_insert(pin.clone()));
                let stage = self.folder.join("tmp").join(name);
                let home = self.folder.join(name);
                remove(&stage)?;
                make(&stage.join("root"))?;
                recipe.source.fetch(name, &stage, &log)?;
                write(&stage.join("stamp"), &stamp)?;
                remove(&home)?;
                rename(&stage, &home)?;
                for tool in recipes.iter().flat_map(|recipe| recipe.tools) {
                    remove(&self.bin(tool))?;
                }
                for tool in recipe.tools {
                    self.install_tool(tool, &home.join("root"), &log)?;
                }
                self.probe(name, recipe)
            });
            match outcome {
                Ok(version) => return Ok(version),
                Err(why) => failures.push(why),
            }
        }
        Err(failures.join("\n  and in its place: "))
    }

    /// Starts each tool of the peer and returns its version.
    fn probe(&self, name: &str, recipe: &Recipe) -> Result<String, String> {
        let log = Log::create(self.folder.join("log").join(format!("{name}.probe.log")))?;
        let mut said = String::new();
        for tool in recipe.tools {
            said += &log.run(PROBE_LIMIT, Command::new(self.bin(tool)).args(tool.probe))?;
        }
        Ok(match &recipe.source {
            Debian(_) | Own(_) | Java(..) => {
                version_in(&said).unwrap_or("of unknown version").to_owned()
            }
            Go(_, version) | Collector(version, ..) => (*version).to_owned(),
            Pip(package, version) => format!("{version} ({package})"),
        })
    }

    pub(super) fn bin(&self, tool: &Tool) -> PathBuf {
        self.folder.join("bin").join(tool.name)
    }
}

/// The first word that looks like a version, as in `syslog-ng 3 (3.38.1)`.
fn version_in<'a>(said: &'a str) -> Option<&'a str> {
    let plain = |word: &'a str| word.trim_matches(['(', ')', ',', 'v']);
    let mut words = said.split_whitespace().map(plain);
    words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_the_tools_say() {
        for (said, version) in [
            ("prometheus, version 2.42.0+ds (branch: debian/sid)", Some("2.42.0+ds")),
            ("rsyslogd  8.2302.0 (aka 2023.02) compiled with:", Some("8.2302.0")),
            ("syslog-ng 3 (3.38.1)\nConfig version: 3.35", Some("3.38.1")),
            ("no version", None),
        ] {
            assert_eq!(version_in(said), version);
        }
    }
}
