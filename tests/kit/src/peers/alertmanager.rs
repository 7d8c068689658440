//! A real Alertmanager.

use super::web::Web;
use serde_json::Value;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// A running Alertmanager on its own, with its data in a temporary folder.
#[derive(Debug)]
pub struct Alertmanager(Web);

impl Alertmanager {
    /// Starts `program` (from [`require!`](crate::require)) with a whole configuration.
    ///
    /// # Errors
    /// When it does not become ready. The message has the end of its log.
    pub async fn start(program: &Path, config: &Value) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(dir.path().join("alertmanager.yml"), config.to_string())?;
        let args = [
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            // No cluster: it would look for other members.
            "--cluster.listen-address=",
        ];
        Ok(Self(Web::start(program, &args, dir).await?))
    }

    /// The alerts it knows: objects with `labels`, `annotations` and `status`. The status has
    /// `state` and `inhibitedBy`.
    ///
    /// # Errors
    /// When it gives no such answer.
    pub async fn alerts(&self) -> io::Result<Vec<Value>> {
        match self.0.get("/api/v2/alerts").await? {
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
}

impl Deref for Alertmanager {
    type Target = Web;

    fn deref(&self) -> &Web {
        &self.0
    }
}
