//! Which processor a thread and the threads that it starts run on, and with which priority.

use std::process::Command;

use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity};

#[derive(Clone, Copy)]
pub(super) struct Processor(usize);

impl Processor {
    /// Two that this process may use.
    pub(super) fn two() -> [Self; 2] {
        let allowed = sched_getaffinity(None).expect("the kernel knows them");
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
        [(); 2].map(|()| Processor(allowed.next().expect("a machine with two processors")))
    }

    /// From here on the calling thread, and every thread that it starts, has this processor alone.
    pub(super) fn enter(self) {
        let mut only = CpuSet::new();
        only.set(self.0);
        sched_setaffinity(None, &only).expect("one of those allowed");
    }
}

/// Runs this on a thread of the lowest priority (`SCHED_IDLE`), which the threads that it starts
/// inherit.
pub(super) fn aside<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    let aside = || {
        let thread = gettid().to_string();
        let gives_way = Command::new("chrt").args(["--idle", "--pid", "0", &thread]).status();
        assert!(gives_way.expect("chrt of util-linux").success());
        start()
    };
    std::thread::scope(|scope| scope.spawn(aside).join().expect("no panic"))
}
