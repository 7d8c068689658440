//! The service's own settings; those of the pipelines are in the same file and belong to
//! cap-telemetry.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use cap_telemetry::{Document, Error, Interval};
use chrono::{DateTime, Utc};

use crate::store::Location;

/// The settings. The defaults are those of a small host: everything on loopback, the database in
/// memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `server.listen`: where requests are served. Default: 127.0.0.1:18181; port 0 lets the
    /// system choose.
    pub listen: SocketAddr,
    /// `server.drain`: how long requests and jobs under way may take to end at shutdown.
    /// Default: 10 s.
    pub drain: Duration,
    /// `database.path`: a file, or `:memory:`, which is the default.
    pub database: Location,
    /// `org_id`: the organization of this deployment. Default: `default`.
    pub org_id: String,
    /// `acme.directory_url`. Default: that of `acme-server --listen 127.0.0.1:14000`.
    pub acme_directory: Uri,
    /// `acme.ca_file`: authorities that the provider's certificate is also trusted by, in PEM.
    /// Default: none but the system's.
    pub acme_ca: Option<PathBuf>,
    /// `acme.dns_url`: the API of the DNS server for the proofs of DNS-01, which is that of
    /// pebble-challtestsrv. Default: none, which is enough for `acme-server`.
    pub acme_dns: Option<Uri>,
    /// `acme.timeout`: how long one external call may take. Default: 10 s.
    pub call_timeout: Duration,
    /// `worker.count`: jobs at the same time. Default: 4.
    pub workers: NonZeroUsize,
    /// `worker.max_attempts`: attempts until a job is given up. Default: 3.
    pub max_attempts: NonZeroU32,
    /// `worker.backoff`: the wait after the first failed attempt, doubled for each further one.
    /// Default: 1 s.
    pub backoff: Duration,
    /// `scheduler.interval`: how often expiring certificates are looked for. Default: 1 h.
    pub scheduler_interval: Duration,
    /// `scheduler.renew_before`: how long before it expires a certificate is renewed.
    /// Default: 30 days.
    pub renew_before: Duration,
    /// `distribution.directory`: where certificates and keys are put. Default: nowhere.
    pub distribution: Option<PathBuf>,
    /// `discovery.directory`: where certificates are looked for. Default: where they are put.
    pub discovery: Option<PathBuf>,
    /// `notify.webhook_url`: the webhook that is called. Default: none.
    pub webhook: Option<Uri>,
    /// `kek.master_key`: a file with the 32 bytes that KEK versions are derived from. Default: one
    /// beside the database, made on the first start.
    pub master_key: Option<PathBuf>,
    /// `replicas.sync`: how often a replica looks at what the others did. Default: 5 s.
    pub replica_sync: Duration,
    /// `replicas.gone_after`: how long a replica may be silent until its jobs are run elsewhere.
    /// Default: 60 s.
    pub replica_gone_after: Duration,
    /// `license.expires_at`: RFC 3339. Default: never. A license that is installed over HTTP
    /// replaces this one.
    pub license_expires_at: Option<DateTime<Utc>>,
    /// `license.cert_limit`: certificates at most; 0, the default, for any number.
    pub license_cert_limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
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
            renew_before: Duration::from_secs(30 * 24 * 3600),
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
        c.discovery = document
            .take("discovery.directory")?
            .or_else(|| c.distribution.clone());
        c.webhook = document.take("notify.webhook_url")?.map(|HttpUrl(url)| url);
        c.master_key = document.take("kek.master_key")?;
        set_interval(document, "replicas.sync", &mut c.replica_sync)?;
        set_interval(document, "replicas.gone_after", &mut c.replica_gone_after)?;
        c.license_expires_at = document.take("license.expires_at")?;
        set(document, "license.cert_limit", &mut c.license_cert_limit)?;
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
        uri.map(Self)
            .ok_or_else(|| InvalidUrl::NotHttp(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_with_a_host_and_without_secrets_are_taken() {
        assert!(
            "http://127.0.0.1:14000/directory"
                .parse::<HttpUrl>()
                .is_ok()
        );
        for text in ["ftp://a/", "/directory", "host:80", "http://u:secret@host/"] {
            let error = text.parse::<HttpUrl>().err().map(|error| error.to_string());
            assert!(
                error.is_some_and(|error| !error.contains("secret")),
                "{text}"
            );
        }
    }
}
