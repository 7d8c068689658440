//! The process itself, by Prometheus' conventions for `process_*`.

use std::sync::Arc;

use crate::registry::Registry;

/// Records the build of the process. Its resource usage is read at every scrape, on Linux only.
#[derive(Clone, Copy, Debug)]
pub struct Process<'a>(pub(crate) &'a Arc<Registry>);

impl Process<'_> {
    /// Sets `cap_build_info`.
    pub fn set_build(&self, version: &str, revision: &str) {
        let build = &self.0.families.process.build;
        build.replace([([version, revision], 1.0)]);
    }

    pub(crate) fn update(&self) {
        let process = &self.0.families.process;
        let usage = usage::read();
        for (family, value) in [
            (&process.cpu, usage.cpu_seconds),
            (&process.open_fds, usage.open_fds),
            (&process.max_fds, usage.max_fds),
            (&process.virtual_memory, usage.virtual_memory),
            (&process.max_virtual_memory, usage.max_virtual_memory),
            (&process.resident_memory, usage.resident_memory),
            (&process.threads, usage.threads),
            (&process.start_time, usage.start_time),
        ] {
            match value {
                Some(value) => family.set(value),
                None => family.clear(),
            }
        }
    }
}

/// Resource usage as the system reports it; `None` for what it does not report.
#[derive(Debug, Default)]
struct Usage {
    cpu_seconds: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    virtual_memory: Option<f64>,
    max_virtual_memory: Option<f64>,
    resident_memory: Option<f64>,
    threads: Option<f64>,
    start_time: Option<f64>,
}

#[cfg(not(target_os = "linux"))]
mod usage {
    pub(super) fn read() -> super::Usage {
        super::Usage::default()
    }
}

#[cfg(target_os = "linux")]
mod usage {
    use std::fs::{self, File};
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::sync::OnceLock;

    use rustix::param::{clock_ticks_per_second, page_size};
    use rustix::process::{Resource, getrlimit};

    use super::Usage;

    /// Enough for the first 24 fields of proc_pid_stat(5): a name of at most 64 bytes, and numbers.
    const STAT: usize = 1024;

    pub(super) fn read() -> Usage {
        // /proc/stat lists every interrupt, so it is read once.
        static BOOT: OnceLock<Option<f64>> = OnceLock::new();
        let boot = BOOT.get_or_init(|| boot_time(&fs::read_to_string("/proc/stat").ok()?));
        // The kernel renders the whole text for each read, so the end of the file is not read.
        let mut stat = [0; STAT];
        let read = File::open("/proc/self/stat").and_then(|mut file| file.read(&mut stat));
        let limit = |resource| getrlimit(resource).current.map(|limit| limit as f64);
        Usage {
            open_fds: open_fds().map(|fds| fds as f64),
            max_fds: limit(Resource::Nofile),
            max_virtual_memory: limit(Resource::As),
            ..of(
                &stat[..read.unwrap_or(0)],
                *boot,
                clock_ticks_per_second() as f64,
                page_size() as f64,
            )
        }
    }

    /// The boot time in proc_stat(5).
    pub(super) fn boot_time(stat: &str) -> Option<f64> {
        let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "));
        seconds?.trim().parse().ok()
    }

    fn open_fds() -> Option<u64> {
        const FOLDER: &str = "/proc/self/fd";
        // Since Linux 6.2 the size of the folder is the number of descriptors. Before, it is 0.
        match fs::metadata(FOLDER).ok()?.size() {
            // To read the folder opens one more descriptor.
            0 => Some(fs::read_dir(FOLDER).ok()?.count().saturating_sub(1) as u64),
            fds => Some(fds),
        }
    }

    /// Parses proc_pid_stat(5).
    pub(super) fn of(stat: &[u8], boot: Option<f64>, ticks: f64, page: f64) -> Usage {
        // The program's name is in parentheses and may hold any byte. The third field follows it.
        let named = stat.iter().rposition(|byte| *byte == b')');
        let rest = named.and_then(|at| str::from_utf8(&stat[at + 1..]).ok());
        let mut fields = [""; 24 - 2];
        let found = rest.unwrap_or_default().split_ascii_whitespace();
        fields.iter_mut().zip(found).for_each(|(field, found)| *field = found);
        let field = |number: usize| fields[number - 3].parse::<f64>().ok();
        Usage {
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| (user + system) / ticks),
            threads: field(20),
            start_time: field(22).zip(boot).map(|(since_boot, boot)| boot + since_boot / ticks),
            virtual_memory: field(23),
            resident_memory: field(24).map(|pages| pages * page),
            ..Usage::default()
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn the_fields_of_proc_are_found_behind_a_hostile_program_name() {
        let stat = b"7 (a) b \xff( c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1000 4096000 12 99 0";
        let boot = usage::boot_time("cpu 1 2\nbtime 1700000000\n");
        let usage = usage::of(stat, boot, 100.0, 4096.0);
        assert_eq!(usage.cpu_seconds, Some(3.0));
        assert_eq!(usage.threads, Some(9.0));
        assert_eq!(usage.start_time, Some(1_700_000_010.0));
        assert_eq!(usage.virtual_memory, Some(4_096_000.0));
        assert_eq!(usage.resident_memory, Some(49_152.0));
    }

    #[test]
    fn what_the_system_does_not_report_is_absent() {
        let usage = usage::of(b"", None, 100.0, 4096.0);
        assert!(usage.cpu_seconds.is_none() && usage.start_time.is_none());
    }

    #[test]
    fn a_scrape_shows_this_process_and_its_build() {
        let metrics = Metrics::new();
        assert!(!metrics.render().contains("cap_build_info"));
        metrics.process().set_build("1.2.3", "abc");
        metrics.assert_shows([
            "cap_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n",
            "# TYPE process_cpu_seconds_total counter\n",
            "\nprocess_open_fds ",
            "\nprocess_resident_memory_bytes ",
            "\nprocess_start_time_seconds ",
        ]);
    }
}
