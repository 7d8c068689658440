//! Writes the generated files, or names those that have drifted.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use cap_alerts::{Options, Profile};

use lexopt::{Arg, ValueExt};

use crate::checkout::Checkout;
use crate::configuration;
use crate::spans;

/// All of deploy/ and docs/.
pub(crate) fn all(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    // The usage text allows `--check` alone.
    everything(checkout, checkout.root(), !arguments.is_empty())
}

fn everything(checkout: &Checkout, folder: &Path, check: bool) -> Result<(), String> {
    // Helm reads no file outside the chart.
    let dashboard = checkout.path("deploy/grafana/certautopilot.json");
    let dashboard = fs::read_to_string(&dashboard)
        .map_err(|error| format!("{}: {error}", checkout.shown(&dashboard)))?;
    let files: Vec<_> = cap_alerts::generated_files()
        .into_iter()
        .map(|file| (file.path, file.text))
        .chain([
            ("deploy/helm/certautopilot-observability/files/dashboard.json".into(), dashboard),
            ("docs/configuration.md".into(), configuration::reference()),
            ("docs/spans.md".into(), spans::reference()),
            ("docs/configuration.schema.json".into(), configuration::schema()),
        ])
        .map(|(path, text)| (folder.join(path), text))
        .collect();
    write(checkout, &files, check, "cargo xtask gen")
}

/// The alert rules alone, with the choices of a deployment.
pub(crate) fn rules(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let said = |error: lexopt::Error| error.to_string();
    let (mut stdout, mut check, mut out, mut format) = (false, false, None, None);
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(said)? {
        match argument {
            Arg::Long("stdout") => stdout = true,
            Arg::Long("check") => check = true,
            Arg::Long("out") => out = Some(PathBuf::from(parser.value().map_err(said)?)),
            Arg::Long("format") => {
                let value = parser.value().and_then(ValueExt::string).map_err(said)?;
                format = Some(value);
            }
            Arg::Long("profile") => {
                let value = parser.value().and_then(ValueExt::string).map_err(said)?;
                options.profile = value.parse().map_err(|error| format!("{error}"))?;
            }
            Arg::Long("overrides") => {
                let file = PathBuf::from(parser.value().map_err(said)?);
                let failed = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
                let text = fs::read_to_string(&file).map_err(|error| failed(&error))?;
                options.apply(&text).map_err(|error| failed(&error))?;
            }
            Arg::Long("set") => {
                let value = parser.value().and_then(ValueExt::string).map_err(said)?;
                options.set(&value).map_err(|error| error.to_string())?;
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    // The extended profile has a file of its own, so it does not overwrite the committed
    // recommended one.
    let (prometheus, operator) = match options.profile {
        Profile::Extended => (
            "prometheus/certautopilot-extended.rules.yml",
            "kubernetes/prometheusrule-extended.yaml",
        ),
        _ => ("prometheus/certautopilot.rules.yml", "kubernetes/prometheusrule.yaml"),
    };
    let prometheus = (prometheus, cap_alerts::rules_file(&options));
    let operator = (operator, cap_alerts::prometheus_rule(&options));
    let chosen = match format.as_deref() {
        None if stdout => vec![prometheus],
        None => vec![prometheus, operator],
        Some("prometheus") => vec![prometheus],
        Some("operator") => vec![operator],
        Some(other) => {
            return Err(format!("unknown format {other}: write prometheus or operator"));
        }
    };
    let texts = chosen.into_iter().map(|(path, text)| (path, cap_alerts::with_note(&text)));
    if stdout {
        texts.for_each(|(_, text)| print!("{text}"));
        return Ok(());
    }
    let out = out.unwrap_or_else(|| checkout.path("deploy"));
    let files: Vec<_> = texts.map(|(path, text)| (out.join(path), text)).collect();
    write(checkout, &files, check, "cargo xtask gen-rules")
}

fn write(
    checkout: &Checkout,
    files: &[(PathBuf, String)],
    check: bool,
    command: &str,
) -> Result<(), String> {
    let drifted: Vec<&(PathBuf, String)> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_deref() != Some(text))
        .collect();
    if check {
        return match drifted.as_slice() {
            [] => Ok(()),
            some => {
                let names: Vec<_> = some.iter().map(|(path, _)| checkout.shown(path)).collect();
                Err(format!(
                    "out of date: {}; run {command} and commit the result",
                    names.join(", ")
                ))
            }
        };
    }
    for (path, text) in drifted {
        let failed = |error| format!("{}: {error}", checkout.shown(path));
        fs::create_dir_all(path.parent().expect("a file in a folder")).map_err(failed)?;
        fs::write(path, text).map_err(failed)?;
        println!("wrote {}", checkout.shown(path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> Checkout {
        Checkout::above(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout")
    }

    #[test]
    fn what_is_committed_is_what_the_generator_writes() {
        all(&checkout(), &["--check".to_owned()]).expect("no drift");
    }

    /// `gen --check` in a folder where everything was generated and one file was edited since.
    fn all_checked(name: &str, path: &str, edit: impl Fn(&str) -> String) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("cap-all-{name}-{}", std::process::id()));
        everything(&checkout(), &folder, false).expect("written");
        everything(&checkout(), &folder, true).expect("nothing has drifted yet");
        let file = folder.join(path);
        let text = fs::read_to_string(&file).expect("it was written");
        let edited = edit(&text);
        assert!(edited != text, "{path} has nothing to edit");
        fs::write(&file, edited).expect("writable");
        let outcome = everything(&checkout(), &folder, true);
        fs::remove_dir_all(folder).expect("removable");
        outcome
    }

    #[test]
    fn gen_check_names_the_file_of_each_change() {
        let chart = "deploy/helm/certautopilot-observability";
        for (name, path, from, to) in [
            (
                "threshold",
                "deploy/prometheus/certautopilot.rules.yml".to_owned(),
                "< 604800",
                "< 86400",
            ),
            ("threshold-chart", format!("{chart}/files/rules.yaml"), "\"604800\"", "\"86400\""),
            (
                "for",
                "deploy/kubernetes/prometheusrule-extended.yaml".to_owned(),
                "for: 5m",
                "for: 6m",
            ),
            (
                "label",
                "deploy/kubernetes/prometheusrule.yaml".to_owned(),
                "issuer_type",
                "issuer_kind",
            ),
            (
                "label-dashboard",
                format!("{chart}/files/dashboard.json"),
                "issuer_type",
                "issuer_kind",
            ),
            ("label-reference", "docs/metrics.md".to_owned(), "issuer_type", "issuer_kind"),
            ("hand", "docs/runbooks/KEKClusterNotReady.md".to_owned(), "Restart", "Do not restart"),
            ("hand-schema", format!("{chart}/values.schema.json"), "severity", "urgency"),
        ] {
            let error = all_checked(name, &path, |text| text.replace(from, to)).expect_err("drift");
            assert!(error.contains(&path), "{name}: {error}");
            assert!(error.contains("cargo xtask gen"), "{name}: {error}");
            assert_eq!(error.matches(',').count(), 0, "only {path}: {error}");
        }
    }

    /// `gen-rules --check` with `more` arguments in a folder whose generated rules were edited.
    fn checked(name: &str, edit: impl Fn(String) -> String, more: &[&str]) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("cap-gen-{name}-{}", std::process::id()));
        let out = ["--out".to_owned(), folder.display().to_string()];
        rules(&checkout(), &out).expect("written");
        let file = folder.join("prometheus/certautopilot.rules.yml");
        let text = fs::read_to_string(&file).expect("it was written");
        fs::write(&file, edit(text)).expect("writable");
        let more = more.iter().map(|&arg| arg.to_owned());
        let check: Vec<String> =
            out.into_iter().chain(["--check".to_owned()]).chain(more).collect();
        let outcome = rules(&checkout(), &check);
        fs::remove_dir_all(folder).expect("removable");
        outcome
    }

    #[test]
    fn files_as_they_were_written_have_not_drifted() {
        checked("same", |text| text, &[]).expect("no drift");
    }

    #[test]
    fn a_hand_edited_file_is_named() {
        let error = checked("edited", |text| text + "# mine\n", &[]).expect_err("drift");
        assert!(error.contains("certautopilot.rules.yml"), "{error}");
    }

    #[test]
    fn a_changed_threshold_is_drift() {
        checked("threshold", |text| text.replace("< 604800", "< 86400"), &[])
            .expect_err("in the file");
        checked("set", |text| text, &["--set", "LicenseExpiringSoon.threshold=86400"])
            .expect_err("in the choices");
    }

    #[test]
    fn a_renamed_label_is_drift() {
        checked("label", |text| text.replace("issuer_type", "issuer_kind"), &[])
            .expect_err("in the file");
        checked("grouping", |text| text, &["--set", "grouping=[region]"])
            .expect_err("in the choices");
    }

    #[test]
    fn overrides_come_from_a_file_and_from_arguments() {
        let file = std::env::temp_dir().join(format!("cap-overrides-{}.yaml", std::process::id()));
        fs::write(&file, "alerts: {KEKClusterNotReady: {for: 10m}}").expect("writable");
        let args = ["--overrides", &file.display().to_string(), "--profile", "extended", "--check"]
            .map(str::to_owned);
        let error = rules(&checkout(), &args).expect_err("the committed file has 5m");
        assert!(error.contains("certautopilot-extended.rules.yml"), "{error}");
        fs::remove_file(file).expect("removable");
        let error =
            rules(&checkout(), &["--set".to_owned(), "KEKClusterNotRedy.for=1m".to_owned()])
                .expect_err("no such alert");
        assert!(error.contains("write KEKClusterNotReady"), "{error}");
    }
}
