//! The service's own settings; those of the pipes are in the same file and belong to cap-telemetry.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use cap_telemetry::{Document, Error, Interval};
use chrono::{DateTime, Utc};

mod url;

pub use url::HttpUrl;

use crate::store::Location;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The settings. The defaults are those of a small host: everything on loopback, the database in memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `server.listen`: where requests are served. Default: 127.0.0.1:18181; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// `server.drain`: how long requests and jobs under way may take to end at shutdown. Default: 10 s.
    pub drain: Duration,
    /// `database.path`: a file, or `:memory:`. Default: `:memory:`.
    pub database: Location,
    /// `org_id`: the organisation of this deployment. Default: `default`.
    pub org_id: String,
    /// `acme.directory_url`. Default: that of `acme-server --listen 127.0.0.1:14000`.
    pub acme_directory: Uri,
    /// `acme.ca_file`: authorities that the provider's certificate is also trusted by, in PEM. Default: the system's alone.
    pub acme_ca: Option<PathBuf>,
    /// `acme.dns_url`: the API of the DNS server that the proofs of DNS-01 are put into, as pebble-challtestsrv has it. Default:
    /// nowhere, which is enough for `acme-server`.
    pub acme_dns: Option<Uri>,
    /// `acme.timeout`: how long one external call may take. Default: 10 s.
    pub call_timeout: Duration,
    /// `worker.count`: jobs at the same time. Default: 4.
    pub workers: NonZeroUsize,
    /// `worker.max_attempts`: attempts until a job is given up. Default: 3.
    pub max_attempts: NonZeroU32,
    /// `worker.backoff`: the wait after the first failed attempt, doubled for each further one. Default: 1 s.
    pub backoff: Duration,
    /// `scheduler.interval`: how often certificates that expire are looked for. Default: 1 h.
    pub scheduler_interval: Duration,
    /// `scheduler.renew_before`: how long before it expires a certificate is renewed. Default: 30 days.
    pub renew_before: Duration,
    /// `distribution.directory`: where certificates and keys are put. Default: nowhere.
    pub distribution: Option<PathBuf>,
    /// `discovery.directory`: where certificates are looked for. Default: where they are put.
    pub discovery: Option<PathBuf>,
    /// `notify.webhook_url`: who is told. Default: nobody.
    pub webhook: Option<Uri>,
    /// `kek.master_key`: the file with the 32 bytes that KEK versions are derived from, which must be there. Default: one beside
    /// the database, made on the first start.
    pub master_key: Option<PathBuf>,
    /// `replicas.sync`: how often a replica looks at what the others did. Default: 5 s.
    pub replica_sync: Duration,
    /// `replicas.gone_after`: how long a replica may say nothing until its jobs are run elsewhere. Default: 60 s.
    pub replica_gone_after: Duration,
    /// `license.expires_at`: RFC 3339. Default: never. A license that is installed over HTTP takes the place of this one.
    pub license_expires_at: Option<DateTime<Utc>>,
    /// `license.cert_limit`: certificates at most; 0 for any number, which is the default.
    pub license_cert_limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 18181)),
            drain: Duration::from_secs(10),
            database: Location::Memory,
            org_id: "default".to_owned(),
            acme_directory: Uri::from_static("http://127.0.0.1:14000/directory"),
            acme_ca: None,
            acme_dns: None,
            call_timeout: Duration::from_secs(10),
            workers: const { NonZeroUsize::new(4).expect("4 is not 0") },
            max_attempts: const { NonZeroU32::new(3).expect("3 is not 0") },
            backoff: Duration::from_secs(1),
            scheduler_interval: Duration::from_secs(3600),
            renew_before: 30 * DAY,
            distribution: None,
            discovery: None,
            webhook: None,
            master_key: None,
            replica_sync: Duration::from_secs(5),
            replica_gone_after: Duration::from_secs(60),
            license_expires_at: None,
            license_cert_limit: 0,
        }
    }
}

impl Config {
    /// Takes the service's keys.
    ///
    /// # Errors
    /// When a value does not parse, or cannot work.
    pub fn from_document(document: &mut Document) -> Result<Self, Error> {
        let default = Config::default();
        let distribution = document.take::<PathBuf>("distribution.directory")?;
        let discovery = document.take::<PathBuf>("discovery.directory")?;
        let config = Config {
            listen: document.take("server.listen")?.unwrap_or(default.listen),
            drain: interval(document, "server.drain", default.drain)?,
            database: document.take("database.path")?.unwrap_or(default.database),
            org_id: document.take("org_id")?.unwrap_or(default.org_id),
            acme_directory: url(document, "acme.directory_url")?.unwrap_or(default.acme_directory),
            acme_ca: document.take::<PathBuf>("acme.ca_file")?,
            acme_dns: url(document, "acme.dns_url")?,
            call_timeout: interval(document, "acme.timeout", default.call_timeout)?,
            workers: document.take("worker.count")?.unwrap_or(default.workers),
            max_attempts: document
                .take("worker.max_attempts")?
                .unwrap_or(default.max_attempts),
            backoff: interval(document, "worker.backoff", default.backoff)?,
            scheduler_interval: interval(
                document,
                "scheduler.interval",
                default.scheduler_interval,
            )?,
            renew_before: interval(document, "scheduler.renew_before", default.renew_before)?,
            discovery: discovery.or_else(|| distribution.clone()),
            distribution,
            webhook: url(document, "notify.webhook_url")?,
            master_key: document.take::<PathBuf>("kek.master_key")?,
            replica_sync: interval(document, "replicas.sync", default.replica_sync)?,
            replica_gone_after: interval(
                document,
                "replicas.gone_after",
                default.replica_gone_after,
            )?,
            license_expires_at: document.take("license.expires_at")?,
            license_cert_limit: document.take("license.cert_limit")?.unwrap_or(0),
        };
        for (key, value) in [
            ("acme.timeout", config.call_timeout),
            ("scheduler.interval", config.scheduler_interval),
            ("replicas.sync", config.replica_sync),
        ] {
            if value.is_zero() {
                return Err(document.error_at(key, "0 cannot work; write a duration such as 10s"));
            }
        }
        if config.replica_gone_after < 2 * config.replica_sync {
            let why = "a replica would count as gone between two looks; write at least twice replicas.sync";
            return Err(document.error_at("replicas.gone_after", why));
        }
        Ok(config)
    }
}

fn interval(document: &mut Document, key: &str, default: Duration) -> Result<Duration, Error> {
    let written = document.take::<Interval>(key)?;
    Ok(written.map_or(default, |Interval(duration)| duration))
}

fn url(document: &mut Document, key: &str) -> Result<Option<Uri>, Error> {
    let written = document.take::<HttpUrl>(key)?;
    Ok(written.map(|HttpUrl(uri)| uri))
}
