//! The service as a process: what it prints, and how it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The service with this configuration, in a folder of its own.
pub(crate) fn service(configuration: &str) -> (Command, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_certautopilot"));
    command.arg("--config").arg(file);
    (command, folder)
}

/// The exit code of a service that does not start is this, and its message holds these parts.
fn refuses(mut command: Command, code: i32, parts: &[&str]) {
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(!message.contains("secret"), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

#[test]
fn a_misspelled_key_is_refused_with_its_place_and_the_nearest() {
    let text = "server:\n  listen: 127.0.0.1:0\nworker:\n  max_atempts: 5\n";
    let (command, _folder) = service(text);
    refuses(command, 2, &["config.yaml:4", "worker.max_atempts", "worker.max_attempts"]);
}

#[test]
fn a_start_that_cannot_work_is_refused_with_its_setting() {
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    for (line, code, part) in [
        ("worker: { count: 0 }", 2, "worker.count"),
        ("worker: { backoff: soon }", 2, "worker.backoff"),
        ("acme: { timeout: 0s }", 2, "acme.timeout"),
        ("acme: { directory_url: ftp://a/ }", 2, "acme.directory_url"),
        ("acme: { directory_url: /directory }", 2, "acme.directory_url"),
        ("acme: { directory_url: 'host:80' }", 2, "acme.directory_url"),
        ("acme: { directory_url: 'http://u:secret@host/' }", 2, "acme.directory_url"),
        ("license: { expires_at: tomorrow }", 2, "license.expires_at"),
        (&*format!("server: {{ listen: '{address}' }}"), 1, &*address),
    ] {
        let (command, _folder) = service(line);
        refuses(command, code, &[part]);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_certautopilot"));
    command.args(["--config", "/nowhere/config.yaml"]);
    refuses(command, 2, &["/nowhere/config.yaml"]);
}

/// Nobody listens where the collector and the relay should be.
#[test]
#[expect(clippy::disallowed_methods, reason = "the service is called as anybody would")]
fn with_a_dead_collector_and_relay_it_serves_and_stops() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (ip, port) = (dead.ip(), dead.port());
    let (mut command, _folder) = service(&format!(
        "server: {{ listen: 127.0.0.1:0 }}\n\
         telemetry: {{ tracing: {{ enabled: true, endpoint: 'http://{dead}', sample_rate: 1.0 }} }}\n\
         syslog: {{ enabled: true, host: {ip}, port: {port} }}\n"
    ));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let listening = line();
    let address = listening["listening"].as_str().unwrap();
    assert!(address.starts_with("127.0.0.1:"));
    let mut served = TcpStream::connect(address).unwrap();
    served.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    served.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let report = line()["shutdown"].take();
    let spans = &report["tracing"];
    assert_eq!(spans["started"], spans["failed"], "{report}");
    assert!(spans["last_error"].is_string(), "{report}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_configuration_that_is_shipped_is_valid() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/certautopilot.yaml");
    let mut document = cap_telemetry::Document::read(file).unwrap();
    certautopilot::Config::from_document(&mut document).unwrap();
    cap_telemetry::Config::from_document(&mut document).unwrap();
    document.finish().unwrap();
}
