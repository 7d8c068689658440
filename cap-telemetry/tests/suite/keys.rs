//! Every key: in the file, in the environment, mistyped, misspelled, at its bounds, and absent.

use std::fmt::Write as _;

use cap_telemetry::{Config, DefaultValue, Document, Key, ValueType};
use expect_test::expect_file;

use crate::support::load;

/// A certificate and its key, as text and as a file.
struct Files {
    ca: String,
    key: String,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["relay".to_owned()]).expect("a key");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, made.cert.pem()).expect("written");
        Files { ca: made.cert.pem(), key: made.signing_key.serialize_pem(), path, _folder: folder }
    }

    /// The example of a key as YAML, with real certificates in place of `PEM`.
    fn example(&self, key: &Key) -> String {
        let text = match key.path {
            "telemetry.tracing.ca" => self.path.display().to_string(),
            "syslog.tls.ca" | "syslog.tls.client_certificate" => self.ca.clone(),
            "syslog.tls.client_key" => self.key.clone(),
            _ => return key.example.to_owned(),
        };
        serde_json::to_string(&text).expect("JSON")
    }

    /// The example as a variable has it.
    fn in_environment(&self, key: &Key) -> String {
        let example = self.example(key);
        match key.value_type {
            ValueType::List(_) => example.replace(['[', ']', '"'], ""),
            ValueType::Map => example.replace(['{', '}'], "").replace(": ", "=").trim().to_owned(),
            _ => serde_json::from_str(&example).unwrap_or(example),
        }
    }

    /// The other keys that a key requires.
    fn around(&self, key: &Key) -> Vec<(&'static str, String)> {
        let mut around = vec![
            ("instance_name", "here".to_owned()),
            ("telemetry.tracing.enabled", "true".to_owned()),
            ("telemetry.tracing.endpoint", "http://collector".to_owned()),
            ("syslog.enabled", "true".to_owned()),
            ("syslog.host", "relay".to_owned()),
        ];
        if key.path.starts_with("syslog.tls.") {
            around.push(("syslog.transport", "tcp+tls".to_owned()));
        }
        let pem = |text: &str| serde_json::to_string(text).expect("JSON");
        match key.path {
            "syslog.tls.client_certificate" => {
                around.push(("syslog.tls.client_key", pem(&self.key)));
            }
            "syslog.tls.client_key" => {
                around.push(("syslog.tls.client_certificate", pem(&self.ca)));
            }
            _ => {}
        }
        around.retain(|(path, _)| *path != key.path);
        around
    }
}

/// A document of dotted keys.
fn yaml(entries: &[(&str, String)]) -> String {
    entries.iter().fold(String::new(), |mut text, (path, value)| {
        writeln!(text, "{path}: {value}").expect("a string");
        text
    })
}

fn all() -> &'static [Key] {
    Config::keys()
}

#[test]
fn every_key_works_in_the_file_and_in_the_environment() {
    let files = Files::new();
    for key in all() {
        let around = files.around(key);
        let example = files.example(key);
        let mut file = around.clone();
        file.push((key.path, example.clone()));
        let from_file = load(&yaml(&file), &[]).unwrap_or_else(|error| panic!("{key:?}: {error}"));
        let variable = (key.variable(), files.in_environment(key));
        let without = yaml(&around);
        let from_environment = load(&without, &[(&variable.0, &variable.1)])
            .unwrap_or_else(|error| panic!("{key:?}: {error}"));
        let shown = format!("{from_file:?}");
        assert_eq!(format!("{from_environment:?}"), shown, "{}", key.path);

        // Each key changes the configuration. Half of a required pair is an error.
        let needed = matches!(
            key.path,
            "telemetry.tracing.endpoint"
                | "syslog.host"
                | "syslog.tls.client_certificate"
                | "syslog.tls.client_key"
        );
        match load(&without, &[]) {
            Err(error) => {
                assert!(needed && error.to_string().contains(key.path), "{error}");
            }
            Ok(config) => {
                let on = matches!(key.path, "telemetry.tracing.enabled" | "syslog.enabled");
                assert!(!needed);
                assert!(format!("{config:?}") != shown || on, "{} does nothing", key.path);
            }
        }
        if key.is_secret() {
            assert!(!shown.contains("TOKEN") && !shown.contains("PRIVATE"), "{shown}");
        }
    }
}

#[test]
fn the_default_of_a_key_is_what_its_absence_means() {
    let files = Files::new();
    for key in all() {
        let DefaultValue::Literal(default) = key.default else {
            continue;
        };
        let around = files.around(key);
        let mut explicit = around.clone();
        explicit.push((key.path, default.to_owned()));
        let [left_out, written] = [around, explicit]
            .map(|entries| format!("{:?}", load(&yaml(&entries), &[]).expect("valid")));
        assert_eq!(left_out, written, "{}", key.path);
    }
}

#[test]
fn the_listed_keys_are_the_keys_that_are_taken() {
    let mut document = Document::parse("config.yaml", "", []).expect("empty");
    Config::from_document(&mut document).expect("everything off");
    let mut taken: Vec<_> = document.taken_keys().collect();
    let mut listed: Vec<_> = all().iter().map(|key| key.path).collect();
    taken.sort_unstable();
    listed.sort_unstable();
    assert_eq!(taken, listed);
}

#[test]
fn the_bounds_of_integers_hold() {
    let files = Files::new();
    for key in all() {
        let ValueType::Integer { min, max, .. } = key.value_type else {
            continue;
        };
        let works = |value: u64| {
            let mut entries = files.around(key);
            entries.push((key.path, value.to_string()));
            load(&yaml(&entries), &[]).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(works(min), Ok(()), "{}", key.path);
        assert_eq!(works(max), Ok(()), "{}", key.path);
        for outside in [min - 1, max + 1] {
            let error = works(outside).expect_err(key.path);
            let place = format!("config.yaml:{}: {}", files.around(key).len() + 1, key.path);
            assert!(error.starts_with(&place), "{error}");
        }
    }
}

/// A value that is not valid.
fn wrong(key: &Key) -> &'static str {
    match key.value_type {
        ValueType::Boolean => "yes",
        ValueType::Integer { .. } => "many",
        ValueType::Fraction => "110%",
        ValueType::Duration => "10 minutes",
        ValueType::Enum(_) | ValueType::EnumOrInteger(..) => "nonsense",
        ValueType::List(_) => "alone",
        ValueType::Map => "alone",
        _ => match key.path {
            "telemetry.metrics.listen" => "here",
            "telemetry.tracing.endpoint" => "collector:4318",
            "syslog.host" => "http://relay",
            "syslog.sd_id" => "cap",
            _ => "[a, b]",
        },
    }
}

#[test]
fn each_key_has_an_error_when_mistyped_or_misspelled() {
    let files = Files::new();
    let mut messages = String::new();
    for key in all() {
        let mut entries = files.around(key);
        entries.push((key.path, wrong(key).to_owned()));
        let error = load(&yaml(&entries), &[]).expect_err(key.path).to_string();
        let place = format!("config.yaml:{}: {}: ", entries.len(), key.path);
        assert!(error.starts_with(&place), "{error}");
        writeln!(messages, "{error}").expect("a string");

        let variable = Key::variable(key);
        // In a variable, a list is one text, and any text is valid.
        let typed = !matches!(key.value_type, ValueType::List(_) | ValueType::Map)
            && wrong(key) != "[a, b]";
        if typed {
            let around = files.around(key);
            let set = [(&*variable, wrong(key))];
            let error = load(&yaml(&around), &set).expect_err(key.path).to_string();
            let place = format!("environment: {variable}: ");
            assert!(error.starts_with(&place), "{error}");
        }

        let mut misspelled = key.path.to_owned();
        misspelled.remove(misspelled.len() - 2);
        let error = load(&format!("\n{misspelled}: 1\n"), &[]).expect_err(key.path);
        assert_eq!(
            error.to_string(),
            format!(
                "config.yaml:2: {misspelled}: unknown key; the nearest valid key is {}",
                key.path
            )
        );
        let known_section = !matches!(key.path, "instance_name");
        if known_section {
            let misspelled = format!("{variable}X");
            let error = load("", &[(&misspelled, "1")]).expect_err(key.path);
            assert_eq!(
                error.to_string(),
                format!(
                    "environment: {misspelled}: unknown variable; the nearest valid variable is {variable}"
                )
            );
        }
    }
    expect_file!["keys/wrong.txt"].assert_eq(&messages);
}
