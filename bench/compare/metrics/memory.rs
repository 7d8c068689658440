//! Memory of many series. It is printed and has no floor.

use std::process::Command;

use cap_metrics::Format;

use super::peers::{self, PEERS};
use crate::harness::{Bench, Case};

/// The argument of a process that a comparison starts.
pub(crate) const MEMORY: &str = "series-memory";

const COUNTERS: usize = 100_000;
const HISTOGRAMS: usize = 10_000;
const OURS: &str = "ours";

pub(super) fn run(bench: &mut Bench) {
    let kinds = [("counters", COUNTERS), ("histograms", HISTOGRAMS)];
    for (kind, series) in kinds {
        let what = format!("memory of {series} {kind}");
        let ours = taken(kind, OURS);
        for peer in &PEERS {
            let case = Case { case: &what, peer: peer.name, floor: 0.0 };
            bench.sizes(&case, ours, taken(kind, peer.name));
        }
    }
}

/// In a process of its own, since this one holds freed memory by now.
fn taken(kind: &str, whose: &str) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args([MEMORY, kind, whose]).output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("a number");
    text.trim().parse().expect("a number")
}

/// That process. It prints how many KiB it grew by when the series were made and encoded. The
/// body's buffer is included where a crate reuses it (all but metrics).
pub(crate) fn fill(kind: &str, whose: &str) {
    let peer = PEERS.iter().find(|peer| peer.name == whose);
    let before = resident();
    let mut encode = match (kind, peer) {
        ("counters", Some(peer)) => (peer.counters)(COUNTERS),
        ("counters", None) => peers::ours(peers::counted(COUNTERS), Format::Text),
        (_, Some(peer)) => (peer.histograms)(HISTOGRAMS),
        (_, None) => peers::ours(peers::observed(HISTOGRAMS), Format::Text),
    };
    encode(&mut |_| {});
    println!("{}", resident() - before);
    drop(encode);
}

/// Resident memory of this process, in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.expect("a number of kB")
}
