//! The account at the provider: made when it is first needed, kept beside the database.

use std::io;
use std::path::PathBuf;

use instant_acme::{Account, AccountBuilder, AccountCredentials, Error, NewAccount};
use serde_json::Value;
use tokio::sync::Mutex;

use super::calls::Calls;
use crate::secret_file;

/// Where the account's key is kept. Replicas with one database have one account.
pub(crate) struct Accounts {
    directory: String,
    file: Option<PathBuf>,
    /// The credentials as JSON. Locked while an account is made, so that only one is.
    known: Mutex<Option<Vec<u8>>>,
}

impl Accounts {
    /// Accounts of the provider with this directory, in this file or in memory.
    pub(crate) fn new(directory: String, file: Option<PathBuf>) -> Self {
        let known = Mutex::default();
        Self { directory, file, known }
    }

    /// The account, made where there is none yet.
    pub(super) async fn get(&self, calls: &Calls) -> Result<Account, Error> {
        let mut known = self.known.lock().await;
        if known.is_none() {
            *known = self.load().map_err(other)?;
        }
        let builder = || Account::builder_with_http(Box::new(calls.clone()));
        if let Some(json) = &*known {
            return open(builder(), json).await;
        }
        let wanted =
            NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) =
            builder().create(&wanted, self.directory.clone(), None).await?;
        let json = serde_json::to_vec(&credentials)?;
        let kept = match &self.file {
            Some(file) => secret_file::create(file, &json).map_err(other)?,
            None => json.clone(),
        };
        let mine = kept == json;
        let kept = known.insert(kept);
        // Another replica may have been first.
        if mine { Ok(account) } else { open(builder(), kept).await }
    }

    /// Forgets the account, which the provider does not know any more.
    pub(super) async fn forget(&self) -> io::Result<()> {
        let mut known = self.known.lock().await;
        let kept = self.load()?;
        // Another replica may have made a new one already.
        if kept.is_some()
            && kept == *known
            && let Some(file) = &self.file
        {
            std::fs::remove_file(file)?;
        }
        *known = None;
        Ok(())
    }

    /// What the file holds. An account of another provider is removed.
    fn load(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let json = match secret_file::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            json => json?,
        };
        if serde_json::from_slice::<Value>(&json)?["directory"] == self.directory {
            return Ok(Some(json));
        }
        std::fs::remove_file(file)?;
        Ok(None)
    }
}

async fn open(builder: AccountBuilder, json: &[u8]) -> Result<Account, Error> {
    let credentials: AccountCredentials = serde_json::from_slice(json)?;
    builder.from_credentials(credentials).await
}

fn other(error: io::Error) -> Error {
    Error::Other(Box::new(error))
}
