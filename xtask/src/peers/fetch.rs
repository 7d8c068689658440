//! Getting a peer: unpacks packages, installs Python packages, builds Go programs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Source::{Collector, Debian, Go, Java, Own, Pip};
use super::files::{at, files_below, make, remove, write};
use super::log::Log;
use super::{BUILD_LIMIT, FETCH_LIMIT, PROBE_LIMIT, Source};

const MAVEN_CENTRAL: &str = "https://repo1.maven.org/maven2";

impl Source {
    /// Fills `stage/root`.
    pub(super) fn fetch(&self, name: &str, stage: &Path, log: &Log) -> Result<(), String> {
        let cost = match self {
            Debian(_) | Pip(..) | Java(..) => "fetching it",
            Go(..) | Collector(..) | Own(_) => {
                "building it, which takes minutes where go's cache is cold"
            }
        };
        println!("{name}: {cost}; see {}", log.0.display());
        match self {
            Debian(packages) => debian(packages, stage, log),
            Java(runtime, jars) => {
                debian(&[runtime], stage, log)?;
                relink(&stage.join("root"))?;
                make(&stage.join("root/jars"))?;
                for (path, sha256) in *jars {
                    let file = path.rsplit('/').next().unwrap_or(path);
                    // apt-get's own download helper is on every Debian, and verifies the
                    // checksum.
                    let line = format!(
                        "/usr/lib/apt/apt-helper download-file {MAVEN_CENTRAL}/{path} root/jars/{file} SHA256:{sha256}"
                    );
                    log.line(FETCH_LIMIT, stage, &line)?;
                }
                Ok(())
            }
            // Dependencies would not be pinned, and none is needed.
            Pip(package, version) => {
                let install = format!(
                    "-m pip install --no-input --no-deps --target root {package}=={version}"
                );
                if log.line(PROBE_LIMIT, stage, "python3 -m pip --version").is_ok() {
                    return log.line(FETCH_LIMIT, stage, &format!("python3 {install}"));
                }
                // Debian's python3 has no pip; its wheel runs as it is.
                let wheel = stage.join("pip");
                make(&wheel)?;
                debian(&["python3-pip-whl"], &wheel, log)?;
                let wheels = files_below(&wheel)?;
                let pip = wheels.iter().find(|file| file.display().to_string().contains("/pip-"));
                let pip = pip.ok_or("the package python3-pip-whl holds no pip")?;
                let line = format!("env PYTHONPATH={} python3 {install}", pip.display());
                log.line(FETCH_LIMIT, stage, &line)?;
                remove(&wheel)
            }
            Go(package, version) => {
                let line = format!("go install -ldflags=-s {package}@v{version}");
                log.line(BUILD_LIMIT, stage, &line)
            }
            Own(files) => {
                make(&stage.join("src"))?;
                for (file, text) in *files {
                    write(&stage.join("src").join(file), text)?;
                }
                let line = format!("go build -C src -ldflags=-s -o ../root/bin/{name} .");
                log.line(BUILD_LIMIT, stage, &line)
            }
            Collector(version, stable, components) => {
                let builder = format!("go.opentelemetry.io/collector/cmd/builder@v{version}");
                log.line(BUILD_LIMIT, stage, &format!("go install {builder}"))?;
                let manifest = collector_manifest(version, components);
                write(&stage.join("manifest.yaml"), &manifest)?;
                // The builder would run `go mod tidy`, which also wants modules that only tests
                // import, and some of those are not available. So the builder writes the sources
                // only, and the build fetches what they import.
                let sources_only = "--skip-compilation --skip-get-modules";
                let line = format!("env root/bin/builder {sources_only} --config manifest.yaml");
                log.line(FETCH_LIMIT, stage, &line)?;
                let go_mod = collector_go_mod(version, stable, components);
                write(&stage.join("src/go.mod"), &go_mod)?;
                let line = "go build -C src -mod=mod -ldflags=-s -o ../root/bin/otelcol .";
                log.line(BUILD_LIMIT, stage, line)?;
                remove(&stage.join("root/bin/builder"))
            }
        }
    }
}

fn collector_manifest(version: &str, components: &[&str]) -> String {
    let mut yaml = format!("dist: {{ name: otelcol, version: {version}, output_path: ./src }}\n");
    for kind in ["receiver", "processor", "exporter"] {
        yaml += &format!("{kind}s:\n");
        for module in components.iter().filter(|module| module.ends_with(kind)) {
            yaml += &format!("  - gomod: {module} v{version}\n");
        }
    }
    yaml
}

/// Pins the components, and those other imports of the sources that no component pins.
fn collector_go_mod(version: &str, stable: &str, components: &[&str]) -> String {
    let core = "go.opentelemetry.io/collector";
    let mut lines =
        format!("module localhost/otelcol\ngo 1.25.0\nrequire {core}/otelcol v{version}\n");
    for module in components {
        lines += &format!("require {module} v{version}\n");
    }
    for scheme in ["env", "file", "http", "https", "yaml"] {
        lines += &format!("require {core}/confmap/provider/{scheme}provider v{stable}\n");
    }
    lines
}

/// Downloads and unpacks packages and the libraries they need.
fn debian(packages: &[&str], stage: &Path, log: &Log) -> Result<(), String> {
    let debs = stage.join("debs");
    let download = || {
        remove(&debs)?;
        make(&debs)?;
        // With an empty status the resolver plans for a machine that has nothing, so what is
        // installed here, perhaps the other relay, is not in the way. To plan needs no rights.
        let plan = "apt-get -s -q --no-install-recommends -o Dir::State::status=/dev/null install";
        let plan = log.said(FETCH_LIMIT, &debs, &format!("{plan} {}", packages.join(" ")))?;
        let names = planned(&plan, packages).join(" ");
        // Where root fetches as an unprivileged user, that user cannot write into the cache.
        let fetch = format!("apt-get -q -o APT::Sandbox::User=root download {names}");
        log.line(FETCH_LIMIT, &debs, &fetch)
    };
    if download().is_err() {
        // Empty lists know no package, and old ones name files that are gone.
        update_lists(log)?;
        download()?;
    }
    for deb in files_below(&debs)? {
        let name = deb.file_name().unwrap_or_default().display();
        log.line(FETCH_LIMIT, &debs, &format!("dpkg -x {name} ../root"))?;
    }
    remove(&debs)
}

/// Makes absolute links of packages, as Java's to its configuration in `/etc`, lead below the root.
fn relink(root: &Path) -> Result<(), String> {
    for link in files_below(root)? {
        let Ok(target) = link.read_link() else {
            continue;
        };
        let (Ok(below), Ok(inside)) = (target.strip_prefix("/"), link.strip_prefix(root)) else {
            continue;
        };
        if root.join(below).symlink_metadata().is_ok() {
            let up: PathBuf = inside.iter().skip(1).map(|_| "..").collect();
            remove(&link)?;
            symlink(up.join(below), &link).map_err(|e| at("link", &link, &e))?;
        }
    }
    Ok(())
}

/// `apt-get update`, once in a run: it is slow, and a failed one would fail again.
fn update_lists(log: &Log) -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let update = || {
        println!("refreshing the package lists with apt-get update");
        let here = Path::new("/");
        let root = log.said(PROBE_LIMIT, here, "id -u")?.trim() == "0";
        let sudo = if root { "" } else { "sudo -n " };
        let help = "the package lists lack it; run `apt-get update` as root, then this again";
        let done = log.line(FETCH_LIMIT, here, &format!("{sudo}apt-get -q update"));
        done.map_err(|why| format!("{help}\n  {why}"))
    };
    DONE.get_or_init(update).clone()
}

/// `name=version` of each asked package and each library in apt-get's `Inst name (version …)`
/// lines.
fn planned(plan: &str, packages: &[&str]) -> Vec<String> {
    // A C library other than the loader's own crashes. libjs-* are web pages.
    let others = ["libc6", "libgcc-", "libjs-"];
    let wanted = |name: &str| {
        let library = name.starts_with("lib") || name.starts_with("zlib");
        packages.contains(&name) || (library && !others.iter().any(|other| name.starts_with(other)))
    };
    let pair = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
        wanted(name).then(|| format!("{name}={}", rest.split(' ').next().unwrap_or(rest)))
    };
    plan.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_links_lead_below_the_root_if_the_file_is_there() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        make(&root.join("etc/java")).expect("a folder");
        make(&root.join("usr/lib/jvm")).expect("a folder");
        write(&root.join("etc/java/jvm.cfg"), "-server KNOWN").expect("a file");
        let (linked, elsewhere) = (root.join("usr/lib/jvm/jvm.cfg"), root.join("usr/elsewhere"));
        symlink("/etc/java/jvm.cfg", &linked).expect("a link");
        symlink("/no/such/file", &elsewhere).expect("a link");
        relink(root).expect("relinked");
        assert_eq!(linked.read_link().expect("a link"), Path::new("../../../etc/java/jvm.cfg"));
        let text = std::fs::read_to_string(&linked).expect("it leads there");
        assert_eq!(text, "-server KNOWN");
        let left = elsewhere.read_link().expect("a link");
        assert_eq!(left, Path::new("/no/such/file"));
    }

    #[test]
    fn only_asked_packages_and_libraries_are_downloaded() {
        let plan = "Inst libc6 (2.36-9 Debian:12 [amd64]) []\nInst libestr0 (0.1.11-1 Debian:12 [amd64])\n\
                    Inst libjs-moment (2.29 Debian:12 [all])\nInst tar (1.34 Debian:12 [amd64])\n\
                    Inst rsyslog (8.2302.0-1 Debian:12 [amd64])\nConf rsyslog (8.2302.0-1 Debian:12 [amd64])";
        assert_eq!(planned(plan, &["rsyslog"]), ["libestr0=0.1.11-1", "rsyslog=8.2302.0-1"]);
    }
}
