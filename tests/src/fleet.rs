//! Replicas of the reference service: processes that share a database, as the pods of a deployment
//! do.

use std::io;
use std::path::PathBuf;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::service::Service;

/// The replicas.
#[derive(Debug)]
pub struct Fleet {
    replicas: Vec<Replica>,
    dir: TempDir,
}

#[derive(Debug)]
struct Replica {
    service: Service,
    master_key: PathBuf,
}

impl Fleet {
    /// Starts so many replicas one after the other, as a rollout does. Each has its own copy of the
    /// master key, and all have these sections in their configuration.
    ///
    /// # Errors
    /// When one does not come to serve; the message has the end of its log.
    pub async fn start(replicas: usize, settings: &Value) -> io::Result<Self> {
        let mut fleet = Fleet { replicas: Vec::new(), dir: tempfile::tempdir()? };
        for number in 0..replicas {
            let replica = fleet.replica(number, settings).await?;
            fleet.replicas.push(replica);
        }
        Ok(fleet)
    }

    async fn replica(&self, number: usize, settings: &Value) -> io::Result<Replica> {
        let name = format!("cap-{number}");
        let dir = self.dir.path().join(&name);
        std::fs::create_dir(&dir)?;
        let master_key = dir.join("master.key");
        std::fs::write(&master_key, [7; 32])?;
        let mut config = json!({
            "instance_name": name,
            "server": { "listen": "127.0.0.1:0" },
            "database": { "path": self.dir.path().join("shared.sqlite") },
            "kek": { "master_key": master_key },
            "replicas": { "sync": "200ms", "gone_after": "60s" },
            "worker": { "backoff": "50ms", "max_attempts": 2 },
        });
        for (section, value) in settings.as_object().into_iter().flatten() {
            config[section] = value.clone();
        }
        let service = Service::start(&dir, &config).await?;
        Ok(Replica { service, master_key })
    }

    /// What Prometheus scrapes: `127.0.0.1:PORT` of each.
    pub fn targets(&self) -> Vec<String> {
        let addrs = self.replicas.iter().map(|replica| replica.service.addr);
        addrs.map(|addr| addr.to_string()).collect()
    }

    pub(crate) fn client(&self, number: usize) -> &Client {
        &self.replicas[number].service.client
    }

    /// Sends a request to one replica and returns the answer's JSON.
    ///
    /// # Panics
    /// When the status is not the expected one, or no answer comes. The message has the logs.
    pub async fn call(
        &self,
        number: usize,
        method: Method,
        path: &str,
        body: Value,
        expected: StatusCode,
    ) -> Value {
        let answer = self.client(number).call(method, path, body, expected).await;
        answer.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()))
    }

    /// Gets what is at this path, as [`call`](Self::call) does.
    pub async fn get(&self, number: usize, path: &str) -> Value {
        self.call(number, Method::GET, path, Value::Null, StatusCode::OK).await
    }

    /// Requests a certificate of the project `p1`, as [`call`](Self::call) does; its path.
    pub async fn request(&self, number: usize, domain: &str) -> String {
        let (path, body) = ("/projects/p1/certificates", json!({ "domain": domain }));
        let made = self.call(number, Method::POST, path, body, StatusCode::ACCEPTED).await;
        format!("{path}/{}", made["id"].as_str().unwrap_or_default())
    }

    /// Takes the master key away from a replica, as a secret that is no longer mounted.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn unmount_master_key(&self, number: usize) -> io::Result<()> {
        let file = &self.replicas[number].master_key;
        std::fs::rename(file, file.with_extension("away"))
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn mount_master_key(&self, number: usize) -> io::Result<()> {
        let file = &self.replicas[number].master_key;
        std::fs::rename(file.with_extension("away"), file)
    }

    /// What each replica logged.
    pub fn logs(&self) -> String {
        let logs = self.replicas.iter().map(|replica| replica.service.process.log());
        logs.collect::<Vec<_>>().join("\n--\n")
    }

    /// Ends all of them in order. The folder with the database stays until the fleet is dropped.
    ///
    /// # Errors
    /// When one does not end by itself with success.
    pub async fn stop(&mut self) -> io::Result<()> {
        for replica in self.replicas.drain(..) {
            replica.service.stop().await?;
        }
        Ok(())
    }
}
