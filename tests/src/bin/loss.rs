//! `cargo xtask loss [--seconds N] [--rate N] [--repeat N] [--fault NAME]`

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    cap_tests::loss::main(&args).await
}
