//! `cargo xtask demo`

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cap_tests::command::run(cap_tests::demo::show).await
}
