//! A real Prometheus that scrapes given targets and evaluates given rules.

use super::process::poll;
use super::web::Web;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

/// A running Prometheus, with its data in a temporary folder.
#[derive(Debug)]
pub struct Prometheus(Web);

impl Prometheus {
    /// Starts `program` (from [`require!`](crate::require)) with the job `certautopilot` over
    /// `targets` (`host:port`), the text of a rules file, which may be empty, and one interval for
    /// scrapes and rules.
    ///
    /// # Errors
    /// When it does not become ready. The message has the end of its log.
    pub async fn start(
        program: &Path,
        targets: &[&str],
        rules_yaml: &str,
        interval: Duration,
    ) -> io::Result<Self> {
        let interval = format!("{}ms", interval.as_millis());
        let mut config = json!({
            "global": {
                "scrape_interval": interval,
                "scrape_timeout": interval,
                "evaluation_interval": interval,
            },
            "scrape_configs": [{
                "job_name": "certautopilot",
                "static_configs": [{ "targets": targets }],
            }],
        });
        let mut rules = None;
        if !rules_yaml.is_empty() {
            config["rule_files"] = json!(["rules.yml"]);
            rules = Some(("rules.yml", rules_yaml));
        }
        Self::with_config(program, &config, rules).await
    }

    /// Starts `program` with a whole configuration, and a rules file under the name that the
    /// configuration uses.
    ///
    /// # Errors
    /// When it does not become ready. The message has the end of its log.
    pub async fn with_config(
        program: &Path,
        config: &Value,
        rules: Option<(&str, &str)>,
    ) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        if let Some((name, text)) = rules {
            std::fs::write(dir.path().join(name), text)?;
        }
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(dir.path().join("prometheus.yml"), config.to_string())?;
        let args = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"];
        Ok(Self(Web::start(program, &args, dir).await?))
    }

    /// The `result` of an instant query now.
    ///
    /// # Errors
    /// With Prometheus' own message.
    pub async fn query(&self, expr: &str) -> io::Result<Value> {
        let path = format!("query?query={}", percent_encoded(expr));
        Ok(self.data(&path).await?["result"].take())
    }

    /// Asks again and again until the result of the query is as wanted; false after `timeout`.
    pub async fn wait_for(
        &self,
        expr: &str,
        wanted: impl Fn(&Value) -> bool,
        timeout: Duration,
    ) -> bool {
        let probe = async || self.query(expr).await.is_ok_and(|result| wanted(&result));
        poll(probe, timeout).await
    }

    /// Pending and firing alerts: objects with `labels`, `annotations`, `state`, `activeAt`,
    /// `value`.
    ///
    /// # Errors
    /// With Prometheus' own message.
    pub async fn alerts(&self) -> io::Result<Vec<Value>> {
        match self.data("alerts").await?["alerts"].take() {
            Value::Array(alerts) => Ok(alerts),
            other => Err(io::Error::other(format!("alerts: {other}"))),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub async fn stop(self) -> io::Result<()> {
        self.0.stop().await
    }

    async fn data(&self, path: &str) -> io::Result<Value> {
        let mut answer = self.0.get(&format!("/api/v1/{path}")).await?;
        if answer["status"] != "success" {
            return Err(io::Error::other(format!("{path}: {}", answer["error"])));
        }
        Ok(answer["data"].take())
    }
}

impl Deref for Prometheus {
    type Target = Web;

    fn deref(&self) -> &Web {
        &self.0
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::super::web::START;
    use super::*;
    use crate::loopback::free_addr;
    use crate::require;

    const RULES: &str = r#"
groups:
  - name: test
    rules:
      - alert: TargetDown
        expr: up{job="certautopilot"} == 0
"#;

    #[tokio::test]
    async fn it_scrapes_answers_queries_and_raises_alerts() {
        let program = require!("prometheus");
        let nobody = free_addr().expect("a port").to_string();
        let every = Duration::from_millis(100);
        let prometheus =
            Prometheus::start(&program, &[&nobody], RULES, every).await.expect("it starts");
        let firing = r#"ALERTS{alertname="TargetDown", alertstate="firing"}"#;
        let fired = |result: &Value| result[0]["metric"]["instance"] == nobody.as_str();
        assert!(prometheus.wait_for(firing, fired, START).await, "{}", prometheus.process().log());
        assert_eq!(prometheus.alerts().await.expect("alerts").len(), 1);
        let error = prometheus.query("up ==").await.expect_err("not PromQL");
        assert!(error.to_string().contains("parse error"), "{error}");
        prometheus.stop().await.expect("it stops");
    }

    #[tokio::test]
    async fn rules_it_does_not_take_are_shown() {
        let program = require!("prometheus");
        let rules = "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]";
        let started = Prometheus::start(&program, &[], rules, Duration::from_secs(1)).await;
        let error = started.expect_err("broken rules").to_string();
        assert!(error.contains("could not parse expression"), "{error}");
    }
}
