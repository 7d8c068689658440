//! Rounds, medians, the table and the verdict.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Rounds of each side; odd, so that the median is a figure that was measured.
const ROUNDS: usize = 201;
/// A row takes about this long at most.
const ROW: Duration = Duration::from_secs(2);
/// A round is long enough that reading the clock does not matter, and short enough that many fit
/// between disturbances.
const ROUND: Duration = Duration::from_millis(2);

pub(crate) struct Bench {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    case: String,
    unit: &'static str,
    ours: f64,
    /// The peer's name, and its figure.
    peer: String,
    value: f64,
    ratio: f64,
    floor: f64,
}

/// What is compared, with whom, and the ratio below which the run fails.
pub(crate) struct Case<'a> {
    pub(crate) case: &'a str,
    pub(crate) peer: &'a str,
    pub(crate) floor: f64,
}

impl Bench {
    pub(crate) fn start() -> Self {
        println!(
            "{:<44} | {:>10} | {:>33} | {:>7} | {:>6}",
            "case (ns)", "ours", "peer", "ratio", "floor"
        );
        Bench { rows: Vec::new() }
    }

    /// Compares the time of one operation. Each side is given a number of operations to do.
    pub(crate) fn compare(
        &mut self,
        case: &Case<'_>,
        ours: impl FnMut(u64),
        peer: impl FnMut(u64),
    ) {
        self.compare_from(1, case, ours, peer);
    }

    /// The same, with a second row for the processor time of all threads of this process. Work that
    /// is moved to another thread counts there.
    pub(crate) fn compare_with_cpu(
        &mut self,
        case: &Case<'_>,
        mut ours: impl FnMut(u64),
        mut peer: impl FnMut(u64),
    ) {
        let (our_count, peer_count) = (calibrate(1, &mut ours), calibrate(1, &mut peer));
        let mut times = Vec::new();
        let mut cpu = Vec::new();
        for round in 0..ROUNDS {
            let (ours, peer) = if round % 2 == 0 {
                let ours = time_and_cpu(&mut ours, our_count);
                (ours, time_and_cpu(&mut peer, peer_count))
            } else {
                let peer = time_and_cpu(&mut peer, peer_count);
                (time_and_cpu(&mut ours, our_count), peer)
            };
            times.push((ours.0, peer.0));
            cpu.push((ours.1, peer.1));
        }
        self.measured(case, &times);
        let case = Case { case: &format!("{}, CPU", case.case), ..*case };
        self.measured(&case, &cpu);
    }

    /// The same on two threads at once, with half of the operations each. A round is long enough
    /// that the start of the threads does not matter.
    pub(crate) fn compare_on_two_threads(
        &mut self,
        case: &Case<'_>,
        ours: impl Fn(u64) + Sync,
        peer: impl Fn(u64) + Sync,
    ) {
        self.compare_from(
            1 << 20,
            case,
            |count| on_two_threads(count, &ours),
            |count| on_two_threads(count, &peer),
        );
    }

    fn compare_from(
        &mut self,
        least: u64,
        case: &Case<'_>,
        mut ours: impl FnMut(u64),
        mut peer: impl FnMut(u64),
    ) {
        let (our_count, peer_count) = (calibrate(least, &mut ours), calibrate(least, &mut peer));
        let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
        // Long operations get fewer rounds, still an odd number of them.
        let each = our_count as f64 * time(&mut ours, our_count)
            + peer_count as f64 * time(&mut peer, peer_count);
        let rounds = ((ROW.as_nanos() as f64 / each) as usize).clamp(9, ROUNDS) | 1;
        let order = RandomState::new();
        let mut spare = rounds;
        for round in 0..rounds {
            // The second side finds the caches as the first left them, so the sides take turns. The
            // order is random, since a regular one may fall in step with the scheduler's slices.
            if order.hash_one(round) % 2 == 0 {
                our_times.push(undisturbed(&mut ours, our_count, &mut spare));
                peer_times.push(undisturbed(&mut peer, peer_count, &mut spare));
            } else {
                peer_times.push(undisturbed(&mut peer, peer_count, &mut spare));
                our_times.push(undisturbed(&mut ours, our_count, &mut spare));
            }
        }
        // The median of the rounds' ratios, not the ratio of the medians: a slow phase of the
        // machine slows both sides of a round.
        let ratio =
            median(peer_times.iter().zip(&our_times).map(|(peer, ours)| peer / ours).collect());
        let (ours, value) = (median(our_times), median(peer_times));
        self.row(case, "ns", ours, value, ratio);
    }

    fn row(&mut self, case: &Case<'_>, unit: &'static str, ours: f64, value: f64, ratio: f64) {
        let Case { case, peer, floor } = *case;
        let mark = if ratio < floor { "  UNDER ITS FLOOR" } else { "" };
        println!(
            "{case:<44} | {ours:>10.2} | {peer:>20}: {value:>11.2} | {ratio:>7.3} | {floor:>6.3}{mark}"
        );
        self.rows.push(Row {
            case: case.to_owned(),
            unit,
            ours,
            peer: peer.to_owned(),
            value,
            ratio,
            floor,
        });
    }

    /// Compares what each side adds to work that both do. That work is measured too and subtracted.
    /// Differences this small drown in the noise of a median, so each figure is the fastest tenth
    /// of its rounds.
    pub(crate) fn compare_added(
        &mut self,
        case: &Case<'_>,
        mut both: impl FnMut(u64),
        mut ours: impl FnMut(u64),
        mut peer: impl FnMut(u64),
    ) {
        let both_count = calibrate(1, &mut both);
        let (our_count, peer_count) = (calibrate(1, &mut ours), calibrate(1, &mut peer));
        let (mut shared, mut our_times, mut peer_times) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            our_times.push(time(&mut ours, our_count));
            shared.push(time(&mut both, both_count));
            peer_times.push(time(&mut peer, peer_count));
        }
        let [shared, ours, peer] = [shared, our_times, peer_times].map(quick);
        // No work is free, so the difference is at least a nanosecond.
        let (ours, peer) = ((ours - shared).max(1.0), peer - shared);
        self.row(case, "ns", ours, peer, peer / ours);
    }

    /// Compares times of one operation that each side measured itself, ours and the peer's of every
    /// round.
    pub(crate) fn measured(&mut self, case: &Case<'_>, times: &[(f64, f64)]) {
        let ratio = median(times.iter().map(|(ours, peer)| peer / ours).collect());
        let of = |pick: fn(&(f64, f64)) -> f64| median(times.iter().map(pick).collect());
        self.row(case, "ns", of(|(ours, _)| *ours), of(|(_, peer)| *peer), ratio);
    }

    /// Compares two amounts of memory, in KiB.
    pub(crate) fn sizes(&mut self, case: &Case<'_>, ours: f64, peer: f64) {
        self.row(case, "KiB", ours, peer, peer / ours);
    }

    pub(crate) fn finish(self, json: Option<&Path>) -> ExitCode {
        if let Some(file) = json {
            let text = serde_json::to_string_pretty(&self.rows).expect("plain data");
            if let Err(error) = std::fs::write(file, text) {
                eprintln!("error: {}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        }
        let under = self.rows.iter().filter(|row| row.ratio < row.floor).count();
        if under > 0 {
            eprintln!("error: {under} of {} rows are under their floor", self.rows.len());
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

/// How many operations fill a round. The fastest of a few tries counts, so a disturbance does not
/// make rounds tiny.
fn calibrate(least: u64, side: &mut impl FnMut(u64)) -> u64 {
    let mut count = least;
    loop {
        let took = (0..5).map(|_| time(side, count)).fold(f64::INFINITY, f64::min) * count as f64;
        let round = ROUND.as_nanos() as f64;
        if took >= round / 2.0 {
            return ((count as f64 * round / took).ceil() as u64).max(least);
        }
        count *= 2;
    }
}

fn time(side: &mut impl FnMut(u64), count: u64) -> f64 {
    let start = Instant::now();
    side(count);
    start.elapsed().as_nanos() as f64 / count as f64
}

/// The time of a round without a preemption. A preempted round is repeated while `spare` rounds are
/// left.
fn undisturbed(side: &mut impl FnMut(u64), count: u64, spare: &mut usize) -> f64 {
    loop {
        let before = preemptions();
        let took = time(side, count);
        if preemptions() == before || *spare == 0 {
            return took;
        }
        *spare -= 1;
    }
}

/// How often the kernel has preempted this thread; `None` where it does not count that.
fn preemptions() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line?.trim().parse().ok()
}

fn time_and_cpu(side: &mut impl FnMut(u64), count: u64) -> (f64, f64) {
    let before = process_cpu();
    let time = time(side, count);
    let cpu = process_cpu() - before;
    (time, cpu.as_nanos() as f64 / count as f64)
}

/// Processor time that the threads of this process have used so far.
pub(crate) fn process_cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.try_into().expect("it does not run backwards")
}

/// The time that a tenth of the rounds stay below.
fn quick(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn on_two_threads(count: u64, work: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        scope.spawn(|| work(count / 2));
        work(count - count / 2);
    });
}
