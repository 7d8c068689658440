//! `cargo xtask peers`: installs the real programs that tests talk to into a cache folder.
//!
//! Nothing is installed into the system. Debian's rsyslog and syslog-ng exclude each other there,
//! and a test machine's own relay must not be touched. Packages are unpacked into
//! `<cache>/<peer>/root`, and `<cache>/bin/<tool>` starts each tool with the libraries and modules
//! of that root.
//!
//! A peer is staged in `<cache>/tmp` and then renamed, so an interrupted installation never counts
//! as one. Its stamp holds the whole recipe, so a changed pin installs it anew.

mod cache;
mod fetch;
mod files;
mod install;
mod log;

use std::ffi::OsString;
use std::time::{Duration, Instant};

pub(crate) use cache::cache_folder;

use lexopt::{Arg, ValueExt};

use Source::{Collector, Debian, Go, Java, Own, Pip};
use Start::{Anchored, Below, Browser, Jars, Link, Python, Relay};
use cache::Cache;

use crate::checkout::Checkout;

/// A program under test and the ways to get it, the best one first.
struct Peer {
    name: &'static str,
    recipes: &'static [Recipe],
}

/// One way to get a peer. Its `Debug` form is the pin: any change reinstalls the peer.
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
    /// A Go program of this project: its files by name, pinned modules included.
    Own(&'static [(Text, Text)]),
    /// A package and its version.
    Pip(Text, Text),
    /// The package of a Java runtime, and jars from Maven Central: their paths there and their
    /// SHA-256.
    Java(Text, &'static [(Text, Text)]),
}

/// An executable `bin/<name>`, and the arguments that make it print its version and exit.
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
    /// A relay's file, the option for its module folder, and a module in that folder. It gets the
    /// shared libraries of its root.
    Relay(Text, Text, Text),
    /// A file that finds its modules below the folder that a variable names. It gets the shared
    /// libraries of its root.
    Below(Text, Text, Text),
    /// A file that reads its data from an absolute folder, which is below the root here.
    Anchored(Text, Text),
    /// A browser's file. It gets the shared libraries and the fonts of its root, so its pictures do
    /// not depend on the machine.
    Browser(Text),
    /// `python3`, able to import the package.
    Python,
    /// The Java runtime with the jars of the root and these arguments, whose last is a class. It
    /// gets the shared libraries of its root.
    Jars(Text),
}

const fn tool(name: Text, start: Start, probe: &'static [Text]) -> Tool {
    Tool { name, start, probe }
}

const VERSION: &[Text] = &["--version"];

// Quick ones first, so that they fail before the long builds.
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
        tools: &[
            tool("syslog-ng", Relay("usr/sbin/syslog-ng", "--module-path", "libafsocket.so"), VERSION),
            tool("loggen", Below("usr/bin/loggen", "SYSLOGNG_PREFIX", "usr"), &["--help"]),
        ],
    }] },
    Peer { name: "go-syslog", recipes: &[Recipe {
        source: Own(&[
            ("go.mod", include_str!("peers/go-syslog/go.mod")),
            ("go.sum", include_str!("peers/go-syslog/go.sum")),
            ("main.go", include_str!("peers/go-syslog/main.go")),
        ]),
        tools: &[tool("go-syslog", Link("bin/go-syslog"), VERSION)],
    }] },
    // Logstash runs its filters in JRuby. syslog4j is the parser of Graylog's syslog inputs.
    Peer { name: "siem-parsers", recipes: &[
        Recipe { source: Java("openjdk-17-jre-headless", SIEM_PARSERS), tools: SIEM_TOOLS },
        Recipe { source: Java("openjdk-21-jre-headless", SIEM_PARSERS), tools: SIEM_TOOLS },
    ] },
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
    Peer { name: "chromium", recipes: &[Recipe {
        source: Debian(&["chromium-headless-shell", "chromium-common", "fonts-dejavu-core"]),
        tools: &[tool("headless-shell", Browser("usr/lib/chromium/chromium-headless-shell"), VERSION)],
    }] },
    Peer { name: "pebble", recipes: &[Recipe {
        source: Go("github.com/letsencrypt/pebble/v2/cmd/pebble", "2.10.3"),
        tools: &[tool("pebble", Link("bin/pebble"), &["-version"])],
    }] },
    Peer { name: "pebble-challtestsrv", recipes: &[Recipe {
        source: Go("github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv", "2.10.3"),
        tools: &[tool("pebble-challtestsrv", Link("bin/pebble-challtestsrv"), &["-help"])],
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
    // For the gateway's configurations: the newest version all of whose modules were available.
    Peer { name: "otelcol-gateway", recipes: &[Recipe {
        source: Collector("0.160.0", "1.66.0", &[
            "go.opentelemetry.io/collector/receiver/otlpreceiver",
            "go.opentelemetry.io/collector/processor/batchprocessor",
            "go.opentelemetry.io/collector/processor/memorylimiterprocessor",
            "github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor",
            "go.opentelemetry.io/collector/exporter/otlpexporter",
            "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter",
        ]),
        tools: &[tool("otelcol-gateway", Link("bin/otelcol"), VERSION)],
    }] },
];

// Without these options JRuby prints a warning at every start.
const JRUBY: Start = Jars(
    "--add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED org.jruby.Main",
);
const SIEM_TOOLS: &[Tool] = &[tool("siem-parsers", JRUBY, VERSION)];
const SIEM_PARSERS: &[(Text, Text)] = &[
    (
        "org/jruby/jruby-complete/9.4.14.0/jruby-complete-9.4.14.0.jar",
        "d7779641a18c46af5ee502c4a936dde17d4c0c4e6c35544aebb3a8d096fd53c9",
    ),
    (
        "org/graylog2/syslog4j/0.9.61/syslog4j-0.9.61.jar",
        "d12c5fab967d231182d24822d175f5309055f25c32fb2b385dddf6fc9d3aefbc",
    ),
    (
        "joda-time/joda-time/2.9.9/joda-time-2.9.9.jar",
        "b049a43c1057942e6acfbece008e4949b2e35d1658d0c8e06f4485397e2fa4e7",
    ),
    (
        "org/apache/commons/commons-lang3/3.5/commons-lang3-3.5.jar",
        "8ac96fc686512d777fca85e144f196cd7cfe0c0aec23127229497d1a38ff651c",
    ),
];

const PROBE_LIMIT: Duration = Duration::from_secs(20);
const FETCH_LIMIT: Duration = Duration::from_secs(300);
const BUILD_LIMIT: Duration = Duration::from_secs(1500);
const SHORT: Duration = Duration::from_millis(5);

/// Installs every peer, or those of `--only NAME,…`. `--list` installs nothing.
///
/// # Errors
/// A name is unknown, the cache folder cannot be used, or a peer is missing at the end.
pub(crate) fn run(_: &Checkout, arguments: &[String]) -> Result<(), String> {
    let mut chosen: Vec<&Peer> = PEERS.iter().collect();
    let mut list = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Long("list") => list = true,
            Arg::Long("only") => {
                let names = parser.value().and_then(ValueExt::string);
                chosen = select(&names.map_err(|error| error.to_string())?)?;
            }
            other => return Err(other.unexpected().to_string()),
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

impl Recipe {
    fn pin(&self) -> String {
        format!("{self:?}")
    }

    fn needs(&self) -> Result<(), String> {
        let (program, help) = match self.source {
            Debian(_) | Java(..) => ("apt-get", "this peer installs on Debian and Ubuntu only"),
            Go(..) | Collector(..) | Own(_) => ("go", "install Go 1.26 or later"),
            Pip(..) => ("python3", "install python3 with pip"),
        };
        let path = env("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
            return Ok(());
        }
        Err(format!("{program} is not on PATH: {help}"))
    }
}

#[allow(clippy::disallowed_methods, reason = "the rule is for libraries")]
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_selected_by_their_own_name_or_a_tool_s() {
        let names = |list| {
            let peers = select(list)?;
            Ok::<Vec<_>, String>(peers.iter().map(|peer| peer.name).collect())
        };
        assert_eq!(names("promtool,rsyslogd"), Ok(vec!["rsyslog", "prometheus"]));
        assert!(names("rsyslog,nagios").is_err_and(|why| why.contains("\"nagios\"")));
    }
}
