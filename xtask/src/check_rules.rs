//! `cargo xtask check-rules`: faults in rules that Prometheus accepts.

use std::fs;

use crate::checkout::Checkout;

/// Prints `FILE:RULE: what: why; what to write instead` for every finding.
///
/// # Errors
/// When there is a finding, or a file cannot be read.
pub(crate) fn run(_: &Checkout, files: &[String]) -> Result<(), String> {
    if files.is_empty() {
        return Err("name at least one rule file".to_owned());
    }
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        for found in cap_alerts::check_file(&text) {
            println!("{file}:{}: {}", found.rule, found.finding);
            count += 1;
        }
    }
    match count {
        0 => Ok(()),
        1 => Err("1 finding".to_owned()),
        count => Err(format!("{count} findings")),
    }
}
