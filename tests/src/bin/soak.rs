//! `cargo xtask soak [--minutes N]`

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    cap_tests::soak::main(&args).await
}
