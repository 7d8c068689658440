//! `cargo xtask peers`: the real programs our output is tested against, in a cache folder of their own.
//!
//! Nothing is installed into the system: rsyslog and syslog-ng refuse to live side by side there, and a test machine's own
//! relay must not be touched. Packages are unpacked into `<cache>/<peer>/root`, and `<cache>/bin/<tool>` starts each tool
//! with the libraries and modules of that root. A peer is staged in `<cache>/tmp` and renamed, so one that was killed half-way
//! is never taken for installed, and its stamp holds the whole recipe, so a changed pin installs it anew.

#![allow(
    clippy::print_stdout,
    reason = "a command of the developer's talks on stdout"
)]

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use Source::{Collector, Debian, Go, Pip};
use Start::{Anchored, Link, Python, Relay};

/// A program under test and the ways to get it, the best one first.
struct Peer {
    name: &'static str,
    recipes: &'static [Recipe],
}

/// One way to get a peer. Its `Debug` form is the pin: whatever changes here reinstalls the peer.
#[derive(Debug)]
struct Recipe {
    source: Source,
    tools: &'static [Tool],
}

type Text = &'static str;

#[derive(Debug)]
enum Source {
    /// Packages, whose version the distribution decides.
    Debian(&'static [Text]),
    /// A module's path and its version.
    Go(Text, Text),
    /// An OpenTelemetry Collector: its version, that of its stable modules, and the components.
    Collector(Text, Text, &'static [Text]),
    /// A package and its version.
    Pip(Text, Text),
}

/// An executable `bin/<name>`, and the arguments that make it say its version and leave.
#[derive(Debug)]
struct Tool {
    name: Text,
    start: Start,
    probe: &'static [Text],
}

/// What `bin/<name>` starts. Paths are below the peer's root.
#[derive(Debug)]
enum Start {
    Link(Text),
    /// A relay's file, the option that tells it its module folder, and a module found there. It
    /// gets the shared libraries that a bare machine lacks.
    Relay(Text, Text, Text),
    /// A file that looks for its data in an absolute folder, which here is below the root.
    Anchored(Text, Text),
    /// `python3`, able to import the package.
    Python,
}

const fn tool(name: Text, start: Start, probe: &'static [Text]) -> Tool {
    Tool { name, start, probe }
}

const VERSION: &[Text] = &["--version"];

// Cheap ones first: what fails early fails before the long builds.
#[rustfmt::skip]
const PEERS: &[Peer] = &[
    Peer { name: "prometheus-client-python", recipes: &[Recipe {
        source: Pip("prometheus_client", "0.26.0"),
        tools: &[tool("prometheus-client-python", Python, &["-c", "import prometheus_client"])],
    }] },
    Peer { name: "rsyslog", recipes: &[Recipe {
        source: Debian(&["rsyslog", "rsyslog-openssl"]),
        tools: &[tool("rsyslogd", Relay("usr/sbin/rsyslogd", "-M", "imptcp.so"), &["-v"])],
    }] },
    Peer { name: "syslog-ng", recipes: &[Recipe {
        source: Debian(&["syslog-ng-core"]),
        tools: &[tool("syslog-ng", Relay("usr/sbin/syslog-ng", "--module-path", "libafsocket.so"), VERSION)],
    }] },
    Peer { name: "alertmanager", recipes: &[Recipe {
        source: Debian(&["prometheus-alertmanager"]),
        tools: &[
            tool("alertmanager", Anchored("usr/bin/prometheus-alertmanager", "/usr/share/prometheus/alertmanager"), VERSION),
            tool("amtool", Link("usr/bin/amtool"), VERSION),
        ],
    }] },
    Peer { name: "prometheus", recipes: &[Recipe {
        source: Debian(&["prometheus"]),
        tools: &[
            tool("prometheus", Link("usr/bin/prometheus"), VERSION),
            tool("promtool", Link("usr/bin/promtool"), VERSION),
        ],
    }] },
    Peer { name: "helm", recipes: &[
        Recipe {
            source: Go("helm.sh/helm/v3/cmd/helm", "3.22.0"),
            tools: &[tool("helm", Link("bin/helm"), &["version", "--short"])],
        },
        // The same engine as a Python library: it renders and lints, but is no command line.
        Recipe {
            source: Pip("helm-python-sdk", "0.2.2"),
            tools: &[tool("helm-python", Python, &["-c", "import helm_python"])],
        },
    ] },
    Peer { name: "otelcol", recipes: &[
        Recipe {
            // What the minimal configuration and the tests need.
            source: Collector("0.165.0", "1.71.0", &[
                "go.opentelemetry.io/collector/receiver/otlpreceiver",
                "go.opentelemetry.io/collector/processor/batchprocessor",
                "go.opentelemetry.io/collector/processor/memorylimiterprocessor",
                "go.opentelemetry.io/collector/exporter/otlpexporter",
                "go.opentelemetry.io/collector/exporter/otlphttpexporter",
                "go.opentelemetry.io/collector/exporter/debugexporter",
                "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter",
            ]),
            tools: &[tool("otelcol", Link("bin/otelcol"), VERSION)],
        },
        Recipe {
            source: Pip("rotel", "0.0.1a15"),
            tools: &[tool("rotel-agent", Link("rotel/rotel-agent"), VERSION)],
        },
    ] },
];

const PROBE_LIMIT: Duration = Duration::from_secs(20);
const FETCH_LIMIT: Duration = Duration::from_secs(300);
const BUILD_LIMIT: Duration = Duration::from_secs(1500);
const SHORT: Duration = Duration::from_millis(5);

/// Installs every peer, or those of `--only NAME,…`; `--list` only tells what there is.
///
/// # Errors
/// An argument is unknown, the cache folder is of no use, or a peer is missing at the end.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let mut chosen: Vec<&Peer> = PEERS.iter().collect();
    let mut list = false;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match (arg.as_str(), arg == "--only") {
            ("--list", _) => list = true,
            (_, true) => chosen = select(args.next().map_or("", String::as_str))?,
            (other, _) => return Err(format!("unknown argument {other}; usage: {USAGE}")),
        }
    }
    let cache = Cache::open()?;
    println!("peers in {}", cache.folder.display());
    let mut missing = Vec::new();
    for Peer { name, recipes } in chosen {
        let begun = Instant::now();
        let outcome = match cache.installed(name, recipes) {
            Some(version) => Ok((version, "already there".to_owned())),
            None if list => Err("not installed; run `cargo xtask peers`".to_owned()),
            None => cache.install(name, recipes).map(|version| {
                let took = begun.elapsed().as_secs();
                (version, format!("installed in {took} s"))
            }),
        };
        match outcome {
            Ok((version, how)) => println!("{name:<26}{version:<28}{how}"),
            Err(why) => {
                println!("{name:<26}missing: {why}");
                missing.push(*name);
            }
        }
    }
    if list || missing.is_empty() {
        return Ok(());
    }
    Err(format!("missing peers: {}", missing.join(", ")))
}

const USAGE: &str = "cargo xtask peers [--only NAME,…] [--list]";

/// The peers in a comma-separated list, by their own names or by a tool's, in the table's order.
fn select(list: &str) -> Result<Vec<&'static Peer>, String> {
    let answers = |peer: &Peer, name: &str| {
        let mut tools = peer.recipes.iter().flat_map(|recipe| recipe.tools);
        peer.name == name || tools.any(|tool| tool.name == name)
    };
    for name in list.split(',') {
        if !PEERS.iter().any(|peer| answers(peer, name)) {
            let known: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
            let known = known.join(", ");
            return Err(format!("no peer is called {name:?}; there are {known}"));
        }
    }
    let named = |peer: &&Peer| list.split(',').any(|name| answers(peer, name));
    Ok(PEERS.iter().filter(named).collect())
}

/// The folder that survives between runs.
struct Cache {
    folder: PathBuf,
    /// Two runs at once would take each other's stage away. The lock goes with the file.
    #[expect(dead_code, reason = "held, not read")]
    lock: File,
}

/// Where what is installed for the tests survives between runs.
pub(crate) fn cache_folder() -> Result<PathBuf, String> {
    let set = |name| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = set("CAP_PEERS_DIR")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("certautopilot-peers")))
        .or_else(|| Some(set("HOME")?.join(".cache/certautopilot-peers")))
        .ok_or("no cache folder: set CAP_PEERS_DIR, XDG_CACHE_HOME or HOME")?;
    std::path::absolute(&folder).map_err(|e| at("resolve", &folder, &e))
}

impl Cache {
    fn open() -> Result<Self, String> {
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

    /// The version of a peer whose stamp is what we would choose today, or better, and whose tools
    /// all answer.
    fn installed(&self, name: &str, recipes: &[Recipe]) -> Option<String> {
        let stamp = fs::read_to_string(self.folder.join(name).join("stamp")).ok()?;
        let (wanted, used) = stamp.split_once('\n')?;
        let used = recipes.iter().position(|recipe| used == recipe.pin())?;
        let best = recipes.iter().position(|recipe| recipe.needs().is_ok())?;
        // A second choice stands for as long as the first choice is the one that failed then:
        // nobody wants to repeat a long build that fails.
        if used > best && wanted != recipes[best].pin() {
            return None;
        }
        self.probe(name, &recipes[used]).ok()
    }

    fn install(&self, name: &str, recipes: &[Recipe]) -> Result<String, String> {
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
                    self.publish(tool, &home.join("root"), &log)?;
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

    /// Makes `bin/<tool>`, last of all and by a rename: a tool that is there is whole.
    fn publish(&self, tool: &Tool, root: &Path, log: &Log) -> Result<(), String> {
        let staged = self.folder.join("tmp").join(tool.name);
        remove(&staged)?;
        match tool.start {
            Link(file) => symlink(root.join(file), &staged).map_err(|e| at("link", &staged, &e))?,
            Python => script(
                &staged,
                &format!("export PYTHONPATH={}", quote(root)),
                "python3",
            )?,
            Anchored(file, folder) => {
                let (file, copy) = (root.join(file), root.join("anchored"));
                let mut program = fs::read(&file).map_err(|e| at("read", &file, &e))?;
                anchor(&mut program, folder);
                fs::write(&copy, program).map_err(|e| at("write", &copy, &e))?;
                allow_to_run(&copy)?;
                let data = root.join(folder.trim_start_matches('/'));
                script(&staged, &format!("exec 9<{}", quote(&data)), &quote(&copy))?;
            }
            Relay(file, option, module) => {
                let (file, files) = (root.join(file), files_below(root)?);
                let module = files.iter().find(|path| path.ends_with(module));
                let modules = module.and_then(|path| path.parent());
                let modules = modules.ok_or("the unpacked packages hold no modules")?;
                let libraries = library_path(&files);
                // A probe loads no module, so ask now whether each would find its libraries.
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

    /// Starts each tool of the peer, and tells its version.
    fn probe(&self, name: &str, recipe: &Recipe) -> Result<String, String> {
        let log = Log::create(self.folder.join("log").join(format!("{name}.probe.log")))?;
        let mut said = String::new();
        for tool in recipe.tools {
            said += &log.run(PROBE_LIMIT, Command::new(self.bin(tool)).args(tool.probe))?;
        }
        Ok(match &recipe.source {
            Debian(_) => version_in(&said).unwrap_or("of unknown version").to_owned(),
            Go(_, version) | Collector(version, ..) => (*version).to_owned(),
            Pip(package, version) => format!("{version} ({package})"),
        })
    }

    fn bin(&self, tool: &Tool) -> PathBuf {
        self.folder.join("bin").join(tool.name)
    }
}

impl Recipe {
    fn pin(&self) -> String {
        format!("{self:?}")
    }

    fn needs(&self) -> Result<(), String> {
        let (program, help) = match self.source {
            Debian(_) => ("apt-get", "this peer installs on Debian and Ubuntu only"),
            Go(..) | Collector(..) => ("go", "install Go 1.26 or later"),
            Pip(..) => ("python3", "install python3 with pip"),
        };
        let path = env("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
            return Ok(());
        }
        Err(format!("{program} is not on PATH: {help}"))
    }
}

impl Source {
    /// Fills `stage/root`.
    fn fetch(&self, name: &str, stage: &Path, log: &Log) -> Result<(), String> {
        let cost = match self {
            Debian(_) | Pip(..) => "fetching it",
            Go(..) | Collector(..) => "building it, which takes minutes where go's cache is cold",
        };
        println!("{name}: {cost}; see {}", log.0.display());
        match self {
            Debian(packages) => debian(packages, stage, log),
            // Its dependencies would be versions that nobody pinned, and none is needed.
            Pip(package, version) => {
                let install = format!(
                    "-m pip install --no-input --no-deps --target root {package}=={version}"
                );
                if log
                    .line(PROBE_LIMIT, stage, "python3 -m pip --version")
                    .is_ok()
                {
                    return log.line(FETCH_LIMIT, stage, &format!("python3 {install}"));
                }
                // Debian's python3 has no pip; its wheel runs as it is.
                let wheel = stage.join("pip");
                make(&wheel)?;
                debian(&["python3-pip-whl"], &wheel, log)?;
                let wheels = files_below(&wheel)?;
                let pip = wheels
                    .iter()
                    .find(|file| file.display().to_string().contains("/pip-"));
                let pip = pip.ok_or("the package python3-pip-whl holds no pip")?;
                let line = format!("env PYTHONPATH={} python3 {install}", pip.display());
                log.line(FETCH_LIMIT, stage, &line)?;
                remove(&wheel)
            }
            Go(package, version) => {
                let line = format!("go install -ldflags=-s {package}@v{version}");
                log.line(BUILD_LIMIT, stage, &line)
            }
            Collector(version, stable, components) => {
                let builder = format!("go.opentelemetry.io/collector/cmd/builder@v{version}");
                log.line(BUILD_LIMIT, stage, &format!("go install {builder}"))?;
                let manifest = collector_manifest(version, components);
                write(&stage.join("manifest.yaml"), &manifest)?;
                // The builder would run `go mod tidy`, which wants even what only the modules'
                // own tests import, and not all of that is to be had. So it writes the sources
                // only, and the build fetches what these import.
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

/// Pins the components and, of what else the sources import, the modules that no component needs.
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
        let plan = log.said(
            FETCH_LIMIT,
            &debs,
            &format!("{plan} {}", packages.join(" ")),
        )?;
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

/// `apt-get update`, once in a run: it is slow, and what failed a minute ago fails again.
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

/// `name=version` of each asked package and each library in apt-get's `Inst name (version …)` lines.
fn planned(plan: &str, packages: &[&str]) -> Vec<String> {
    // A C library that is not the loader's own crashes; libjs-* are web pages.
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

/// The folders that hold shared libraries (`lib*.so.N`), as the loader wants them.
fn library_path(files: &[PathBuf]) -> PathBuf {
    let mut folders = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("lib") && name.contains(".so.") {
            folders.extend(path.parent().map(|folder| folder.display().to_string()));
        }
    }
    folders.sort();
    folders.dedup();
    folders.join(":").into()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, String> {
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

/// A shell script that becomes the program, so the id that a test holds is the program's own.
fn script(path: &Path, before: &str, start: &str) -> Result<(), String> {
    let text = format!("{before}\nexec {start} \"$@\"\n");
    write(
        path,
        &format!("#!/bin/sh\n# Written by `cargo xtask peers`.\n{text}"),
    )?;
    allow_to_run(path)
}

fn allow_to_run(path: &Path) -> Result<(), String> {
    fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(|e| at("change", path, &e))
}

/// Debian's Alertmanager does not start without the templates in `/usr/share`, and has no option
/// for that. So a copy of it looks into descriptor 9 instead, which its script opens on the folder.
fn anchor(program: &mut [u8], folder: &str) {
    let descriptor = b"/proc/self/fd/9";
    let mut at = 0;
    while let Some(rest) = program
        .get_mut(at..)
        .filter(|rest| rest.len() >= folder.len())
    {
        if rest.starts_with(folder.as_bytes()) && folder.len() >= descriptor.len() {
            // Of the same length, and a path may hold any number of slashes.
            rest[..folder.len()].fill(b'/');
            rest[..descriptor.len()].copy_from_slice(descriptor);
        }
        at += 1;
    }
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The first word that looks like a version, as in `syslog-ng 3 (3.38.1)`.
fn version_in<'a>(said: &'a str) -> Option<&'a str> {
    let plain = |word: &'a str| word.trim_matches(['(', ')', ',', 'v']);
    let mut words = said.split_whitespace().map(plain);
    words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

/// Where a peer's commands write; its end is the reason of a failure.
struct Log(PathBuf);

impl Log {
    fn create(path: PathBuf) -> Result<Self, String> {
        write(&path, "")?;
        Ok(Self(path))
    }

    /// Runs a program with words as its arguments, in `folder`.
    fn line(&self, limit: Duration, folder: &Path, line: &str) -> Result<(), String> {
        self.said(limit, folder, line).map(drop)
    }

    /// The same for one whose output matters.
    fn said(&self, limit: Duration, folder: &Path, line: &str) -> Result<String, String> {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).current_dir(folder).env("LC_ALL", "C");
        // For go: deaf to a workspace or to flags that happen to be around.
        command
            .env("GOWORK", "off")
            .env("GOFLAGS", "-buildvcs=false");
        command.env("GOBIN", folder.join("root/bin"));
        self.run(limit, &mut command)
    }

    /// Runs a command to its end, or to the limit, and returns what it wrote.
    fn run(&self, limit: Duration, command: &mut Command) -> Result<String, String> {
        let failed = |e| at("use", &self.0, &e);
        let mut options = File::options();
        let mut file = options
            .append(true)
            .read(true)
            .open(&self.0)
            .map_err(failed)?;
        let from = file.seek(SeekFrom::End(0)).map_err(failed)?;
        command.stdout(file.try_clone().map_err(failed)?);
        command.stderr(file.try_clone().map_err(failed)?);
        let name = command.get_program().display().to_string();
        let not = |what: &str, e| format!("cannot {what} {name}: {e}");
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|e| not("start", e))?;
        let (begun, mut ended) = (Instant::now(), None);
        while ended.is_none() && begun.elapsed() < limit {
            thread::sleep((begun.elapsed() / 50).clamp(SHORT, SHORT * 40));
            ended = child.try_wait().map_err(|e| not("wait for", e))?;
        }
        if ended.is_none() {
            // It may have ended in this very moment, and then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        let mut said = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.read_to_end(&mut said).map_err(failed)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let status = match ended {
            Some(status) if status.success() => return Ok(said),
            Some(status) => status.to_string(),
            None => format!("no end in {} s", limit.as_secs()),
        };
        let lines: Vec<_> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n  | ");
        let log = self.0.display();
        Err(format!("{name}: {status}; {log} ends in\n  | {tail}"))
    }
}

fn at(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| at("create", folder, &e))
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|e| at("rename the finished work to", to, &e))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| at("write", path, &e))
}

/// Removes a file, a link or a whole folder; what is not there is fine.
fn remove(path: &Path) -> Result<(), String> {
    let gone = match path.symlink_metadata() {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
    gone.map_err(|e| at("remove", path, &e))
}

#[allow(clippy::disallowed_methods, reason = "the rule is for libraries")]
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_the_tools_say() {
        for (said, version) in [
            (
                "prometheus, version 2.42.0+ds (branch: debian/sid)",
                Some("2.42.0+ds"),
            ),
            (
                "rsyslogd  8.2302.0 (aka 2023.02) compiled with:",
                Some("8.2302.0"),
            ),
            ("syslog-ng 3 (3.38.1)\nConfig version: 3.35", Some("3.38.1")),
            ("no version", None),
        ] {
            assert_eq!(version_in(said), version);
        }
    }

    #[test]
    fn only_asked_packages_and_libraries_are_downloaded() {
        let plan = "Inst libc6 (2.36-9 Debian:12 [amd64]) []\nInst libestr0 (0.1.11-1 Debian:12 [amd64])\n\
                    Inst libjs-moment (2.29 Debian:12 [all])\nInst tar (1.34 Debian:12 [amd64])\n\
                    Inst rsyslog (8.2302.0-1 Debian:12 [amd64])\nConf rsyslog (8.2302.0-1 Debian:12 [amd64])";
        assert_eq!(
            planned(plan, &["rsyslog"]),
            ["libestr0=0.1.11-1", "rsyslog=8.2302.0-1"]
        );
    }

    #[test]
    fn peers_are_selected_by_their_own_name_or_a_tool_s() {
        let names = |list| {
            let peers = select(list)?;
            Ok::<Vec<_>, String>(peers.iter().map(|peer| peer.name).collect())
        };
        assert_eq!(
            names("promtool,rsyslogd"),
            Ok(vec!["rsyslog", "prometheus"])
        );
        assert!(names("rsyslog,nagios").is_err_and(|why| why.contains("\"nagios\"")));
    }

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
