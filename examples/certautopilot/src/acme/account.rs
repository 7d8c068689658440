//! The account at the provider: made when it is first needed, kept beside the database.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use instant_acme::{Account, AccountCredentials, Error, NewAccount};
use tokio::sync::Mutex;

use super::calls::Calls;
use crate::store::Location;

/// Where the account's key is kept. Replicas with one database have one account.
pub(crate) struct Accounts {
    directory: String,
    file: Option<PathBuf>,
    /// The credentials, as JSON. Locked while an account is made, so that there is one.
    known: Mutex<Option<String>>,
}

impl Accounts {
    /// Those of this provider, in a file beside the database that only its owner can read; with a database in memory, in memory.
    pub(crate) fn beside(database: &Location, directory: String) -> Self {
        let file = match database {
            Location::Memory => None,
            Location::File(path) => {
                let mut file = path.clone().into_os_string();
                file.push(".acme-account.json");
                Some(PathBuf::from(file))
            }
        };
        Accounts {
            directory,
            file,
            known: Mutex::new(None),
        }
    }

    /// The account, made where there is none yet.
    ///
    /// # Errors
    /// Of the provider, or of the file.
    pub(super) async fn get(&self, calls: &Calls) -> Result<Account, Error> {
        let mut known = self.known.lock().await;
        if known.is_none() {
            *known = self.load().map_err(other)?;
        }
        let builder = Account::builder_with_http(Box::new(calls.clone()));
        if let Some(text) = &*known {
            return builder.from_credentials(parse(text)?).await;
        }
        let wanted = NewAccount {
            contact: &[],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder
            .create(&wanted, self.directory.clone(), None)
            .await?;
        let text = serde_json::to_string(&credentials)?;
        let kept = self.keep(text.clone()).map_err(other)?;
        if kept == text {
            *known = Some(kept);
            return Ok(account);
        }
        // Another replica was first.
        let builder = Account::builder_with_http(Box::new(calls.clone()));
        let account = builder.from_credentials(parse(&kept)?).await;
        *known = Some(kept);
        account
    }

    /// The provider does not know the account any more.
    pub(super) async fn forget(&self) -> io::Result<()> {
        let mut known = self.known.lock().await;
        let kept = self.load()?;
        // A replica that noticed before has made a new one.
        if kept.is_some()
            && kept == *known
            && let Some(file) = &self.file
        {
            std::fs::remove_file(file)?;
        }
        *known = None;
        Ok(())
    }

    /// What is kept for this provider; an account of another one is of no use.
    fn load(&self) -> io::Result<Option<String>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| self.named(error))?,
        };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| self.named(error.into()))?;
        if value["directory"] == self.directory {
            return Ok(Some(text));
        }
        std::fs::remove_file(file)?;
        Ok(None)
    }

    /// Keeps the credentials, unless there are others by now; what is kept then.
    fn keep(&self, text: String) -> io::Result<String> {
        let Some(file) = &self.file else {
            return Ok(text);
        };
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(file) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                Ok(text)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(self.load()?.unwrap_or(text))
            }
            Err(error) => Err(self.named(error)),
        }
    }

    fn named(&self, error: io::Error) -> io::Error {
        let file = self.file.as_deref().unwrap_or("".as_ref()).display();
        io::Error::new(error.kind(), format!("the ACME account in {file}: {error}"))
    }
}

fn parse(text: &str) -> Result<AccountCredentials, Error> {
    Ok(serde_json::from_str(text)?)
}

fn other(error: io::Error) -> Error {
    Error::Other(Box::new(error))
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("directory", &self.directory)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
