//! The service's own settings, the license among them; those of the pipelines are in the same file
//! and belong to cap-telemetry.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use cap_telemetry::{Document, Error, Interval};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The settings. `certautopilot.yaml` describes each with its default.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // see there
pub struct Config {
    pub listen: SocketAddr,
    pub drain: Duration,
    pub database: PathBuf,
    pub org_id: String,
    pub acme_directory: Uri,
    pub acme_ca: Option<PathBuf>,
    pub acme_dns: Option<Uri>,
    pub call_timeout: Duration,
    pub workers: NonZeroUsize,
    pub max_attempts: NonZeroU32,
    pub backoff: Duration,
    pub scheduler_interval: Duration,
    pub renew_before: Duration,
    pub distribution: Option<PathBuf>,
    pub discovery: Option<PathBuf>,
    pub webhook: Option<Uri>,
    pub master_key: Option<PathBuf>,
    pub replica_sync: Duration,
    pub replica_gone_after: Duration,
    pub(crate) license: License,
}

/// What is allowed. The stand-in takes a license at its word: a product's would be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct License {
    /// `None` for a perpetual license.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Certificates at most; 0 for any number.
    #[serde(default)]
    pub(crate) cert_limit: u64,
}

impl License {
    /// Whether it allows `usage` certificates at this time.
    pub(crate) fn allows(&self, usage: u64, now: DateTime<Utc>) -> bool {
        let limit = self.cert_limit;
        self.expires_at.is_none_or(|end| now < end) && (limit == 0 || usage <= limit)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 18181)),
            drain: Duration::from_secs(10),
            database: ":memory:".into(),
            org_id: "default".to_owned(),
            acme_directory: Uri::from_static("http://127.0.0.1:14000/directory"),
            acme_ca: None,
            acme_dns: None,
            call_timeout: Duration::from_secs(10),
            workers: const { NonZeroUsize::new(4).expect("4 is not 0") },
            max_attempts: const { NonZeroU32::new(3).expect("3 is not 0") },
            backoff: Duration::from_secs(1),
            scheduler_interval: Duration::from_secs(3600),
            renew_before: Duration::from_secs(30 * 24 * 3600),
            distribution: None,
            discovery: None,
            webhook: None,
            master_key: None,
            replica_sync: Duration::from_secs(5),
            replica_gone_after: Duration::from_secs(60),
            license: License::default(),
        }
    }
}

impl Config {
    /// Takes the service's keys.
    ///
    /// # Errors
    /// When a value does not parse, or cannot work.
    pub fn from_document(document: &mut Document) -> Result<Self, Error> {
        let mut c = Self::default();
        set(document, "server.listen", &mut c.listen)?;
        set_interval(document, "server.drain", &mut c.drain)?;
        set(document, "database.path", &mut c.database)?;
        set(document, "org_id", &mut c.org_id)?;
        if let Some(HttpUrl(url)) = document.take("acme.directory_url")? {
            c.acme_directory = url;
        }
        c.acme_ca = document.take("acme.ca_file")?;
        c.acme_dns = document.take("acme.dns_url")?.map(|HttpUrl(url)| url);
        set_interval(document, "acme.timeout", &mut c.call_timeout)?;
        set(document, "worker.count", &mut c.workers)?;
        set(document, "worker.max_attempts", &mut c.max_attempts)?;
        set_interval(document, "worker.backoff", &mut c.backoff)?;
        set_interval(document, "scheduler.interval", &mut c.scheduler_interval)?;
        set_interval(document, "scheduler.renew_before", &mut c.renew_before)?;
        c.distribution = document.take("distribution.directory")?;
        c.discovery = document.take("discovery.directory")?.or_else(|| c.distribution.clone());
        c.webhook = document.take("notify.webhook_url")?.map(|HttpUrl(url)| url);
        c.master_key = document.take("kek.master_key")?;
        set_interval(document, "replicas.sync", &mut c.replica_sync)?;
        set_interval(document, "replicas.gone_after", &mut c.replica_gone_after)?;
        c.license.expires_at = document.take("license.expires_at")?;
        set(document, "license.cert_limit", &mut c.license.cert_limit)?;
        for (key, value) in [
            ("acme.timeout", c.call_timeout),
            ("scheduler.interval", c.scheduler_interval),
            ("replicas.sync", c.replica_sync),
        ] {
            if value.is_zero() {
                return Err(document.error_at(key, "0 cannot work; write a duration such as 10s"));
            }
        }
        if c.replica_gone_after < 2 * c.replica_sync {
            let message = "a replica would count as gone between two looks; \
                           write at least twice replicas.sync";
            return Err(document.error_at("replicas.gone_after", message));
        }
        Ok(c)
    }
}

fn set<T>(document: &mut Document, key: &str, value: &mut T) -> Result<(), Error>
where
    T: FromStr<Err: Display>,
{
    if let Some(written) = document.take(key)? {
        *value = written;
    }
    Ok(())
}

fn set_interval(document: &mut Document, key: &str, value: &mut Duration) -> Result<(), Error> {
    if let Some(Interval(written)) = document.take(key)? {
        *value = written;
    }
    Ok(())
}

/// An `http` or `https` URL without a user or password.
struct HttpUrl(Uri);

#[derive(Debug, thiserror::Error)]
enum InvalidUrl {
    /// A password may stand in the text, so the message does not repeat it.
    #[error("a URL with a user or password is refused: remove everything before the @")]
    Credentials,
    #[error("{0:?} is not a URL: write one such as https://host/path")]
    NotHttp(String),
}

impl FromStr for HttpUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text.contains('@') {
            return Err(InvalidUrl::Credentials);
        }
        let is_http = |uri: &Uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        };
        let uri = text.parse::<Uri>().ok().filter(is_http);
        uri.map(Self).ok_or_else(|| InvalidUrl::NotHttp(text.to_owned()))
    }
}
