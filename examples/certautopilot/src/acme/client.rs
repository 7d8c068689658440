//! The client: an attempt is one pass through the protocol, and the queue repeats attempts. The
//! account is made when it is first needed; replicas with one database have one account.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy, RevocationRequest,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use x509_parser::pem::parse_x509_pem;

use super::calls::Calls;
use crate::beside;
use crate::failure::Failure;
use crate::outbound::Outbound;

const ALREADY_REVOKED: &str = "urn:ietf:params:acme:error:alreadyRevoked";
const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How soon a provider that validates or signs is polled again, and how long it may take.
const WAITING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(50))
    .backoff(1.5)
    .timeout(Duration::from_secs(30));

pub(crate) struct Acme {
    pub(crate) outbound: Outbound,
    pub(crate) directory: String,
    /// Where the account's key is kept; `None` for memory.
    pub(crate) file: Option<PathBuf>,
    /// The account's credentials as JSON. Locked while an account is made, so that only one is.
    pub(crate) account: Mutex<Option<Vec<u8>>>,
    /// What calls a DNS server with the API of pebble-challtestsrv, and the URL of that API.
    /// Without it no proof is given, which is enough for a provider that needs none.
    pub(crate) dns: Option<(Outbound, String)>,
}

enum Wanted<'a> {
    /// The chain for a host name and a signing request.
    Chain(&'a str, &'a [u8]),
    /// Of a certificate in DER.
    Revocation(&'a [u8]),
}

impl Acme {
    /// Gets the certificate chain for a host name and a signing request (PKCS #10, in DER), in
    /// PEM.
    pub(crate) async fn obtain(&self, domain: &str, csr: &[u8]) -> Result<String, Failure> {
        self.with_account(Wanted::Chain(domain, csr)).await
    }

    /// Revokes a certificate. It is no error that the certificate is revoked already.
    pub(crate) async fn revoke(&self, pem: &str) -> Result<(), Failure> {
        let parsed = parse_x509_pem(pem.as_bytes());
        let (_, leaf) = parsed.map_err(|_| Failure::invalid("not a certificate"))?;
        match self.with_account(Wanted::Revocation(&leaf.contents)).await {
            Err(failure) if failure.problem.as_deref() != Some(ALREADY_REVOKED) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Tries once more with a new account when the provider has forgotten the old one.
    async fn with_account(&self, wanted: Wanted<'_>) -> Result<String, Failure> {
        let calls = Calls::new(self.outbound.clone(), self.directory.clone());
        let mut outcome = self.attempt(&calls, &wanted).await;
        if let Err(Error::Api(problem)) = &outcome
            && problem.r#type.as_deref() == Some(UNKNOWN_ACCOUNT)
        {
            match self.forget_account().await {
                Ok(()) => outcome = self.attempt(&calls, &wanted).await,
                Err(error) => tracing::warn!(%error, "the ACME account cannot be replaced"),
            }
        }
        outcome.map_err(|error| calls.failure(&error))
    }

    /// The account. It is made if it does not exist.
    async fn account(&self, calls: &Calls) -> Result<Account, Error> {
        let mut known = self.account.lock().await;
        if known.is_none() {
            *known = self.load_account().map_err(other)?;
        }
        let builder = || Account::builder_with_http(Box::new(calls.clone()));
        if let Some(json) = &*known {
            return open(builder(), json).await;
        }
        let wanted =
            NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let made = builder().create(&wanted, self.directory.clone(), None).await;
        let (account, credentials) = made?;
        let json = serde_json::to_vec(&credentials)?;
        let kept = match &self.file {
            Some(file) => beside::create(file, &json).map_err(other)?,
            None => json.clone(),
        };
        let mine = kept == json;
        let kept = known.insert(kept);
        // Another replica may have been first.
        if mine { Ok(account) } else { open(builder(), kept).await }
    }

    /// Forgets the account, which the provider does not know any more.
    async fn forget_account(&self) -> io::Result<()> {
        let mut known = self.account.lock().await;
        let kept = self.load_account()?;
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
    fn load_account(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let json = match beside::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            json => json?,
        };
        if serde_json::from_slice::<Value>(&json)?["directory"] == self.directory {
            return Ok(Some(json));
        }
        std::fs::remove_file(file)?;
        Ok(None)
    }

    async fn attempt(&self, calls: &Calls, wanted: &Wanted<'_>) -> Result<String, Error> {
        let account = self.account(calls).await?;
        let (domain, csr) = match *wanted {
            Wanted::Chain(domain, csr) => (domain, csr),
            Wanted::Revocation(certificate) => {
                let certificate = &certificate.into();
                let request = RevocationRequest { certificate, reason: None };
                return account.revoke(&request).await.map(|()| String::new());
            }
        };
        let identifiers = [Identifier::Dns(domain.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        if order.state().status == OrderStatus::Pending {
            let mut proofs = Vec::new();
            let proven = match self.prove(&mut order, &mut proofs).await {
                Ok(()) => ready(&mut order).await,
                error => error,
            };
            for name in &proofs {
                if let Err(error) = self.set_proof(name, None).await {
                    // Harmless: it proves nothing any more, and the next proof replaces it.
                    tracing::warn!(%error, "a proof stays in the DNS");
                }
            }
            proven?;
        }
        order.finalize_csr(csr).await?;
        if order.state().status == OrderStatus::Processing {
            return order.poll_certificate(&WAITING).await;
        }
        let chain = order.certificate().await?;
        chain.ok_or(Error::Str("the order has no certificate"))
    }

    /// Gives every proof that the provider asks for. `proofs` holds the names in the DNS, also
    /// after an error.
    async fn prove(&self, order: &mut Order, proofs: &mut Vec<String>) -> Result<(), Error> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let Identifier::Dns(name) = authorization.identifier().identifier.clone() else {
                return Err(Error::Unsupported("an order for host names alone"));
            };
            let mut challenge = authorization
                .challenge(ChallengeType::Dns01)
                .ok_or(Error::Unsupported("DNS-01"))?;
            proofs.push(name.clone());
            let proof = challenge.key_authorization().dns_value();
            self.set_proof(&name, Some(proof)).await.map_err(|it| Error::Other(Box::new(it)))?;
            challenge.set_ready().await?;
        }
        Ok(())
    }

    /// Sets or removes the proof for a name, or the wildcard below it, in the DNS (RFC 8555,
    /// section 8.4).
    async fn set_proof(&self, name: &str, value: Option<String>) -> Result<(), Failure> {
        let Some((outbound, api)) = &self.dns else {
            return Ok(());
        };
        let mut body = json!({ "host": format!("_acme-challenge.{name}.") });
        let endpoint = if value.is_some() { "set-txt" } else { "clear-txt" };
        if let Some(value) = value {
            body["value"] = value.into();
        }
        outbound.post("dns", endpoint, &format!("{api}/{endpoint}"), &body).await
    }
}

/// Waits until the order can be finalized.
async fn ready(order: &mut Order) -> Result<(), Error> {
    let mut status = order.refresh().await?.status;
    if matches!(status, OrderStatus::Pending | OrderStatus::Processing) {
        status = order.poll_ready(&WAITING).await?;
    }
    if status != OrderStatus::Invalid {
        return Ok(());
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let challenges = &authorization.refresh().await?.challenges;
        if let Some(problem) = challenges.iter().find_map(|it| it.error.clone()) {
            return Err(problem.into());
        }
    }
    Err(Error::Str("the provider did not say why the order is invalid"))
}

async fn open(builder: AccountBuilder, json: &[u8]) -> Result<Account, Error> {
    builder.from_credentials(serde_json::from_slice(json)?).await
}

fn other(error: io::Error) -> Error {
    Error::Other(Box::new(error))
}
