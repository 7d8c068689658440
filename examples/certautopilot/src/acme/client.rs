//! The client: an attempt is one pass through the protocol. The queue repeats attempts.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy, RevocationRequest,
};

use super::calls::Calls;
use super::{Accounts, Dns, leaf};
use crate::failure::Failure;
use crate::outbound::Outbound;

const ALREADY_REVOKED: &str = "urn:ietf:params:acme:error:alreadyRevoked";
const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How soon a provider that validates or signs is polled again, and how long it may take.
const WAITING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(50))
    .backoff(1.5)
    .timeout(Duration::from_secs(30));

/// A client of one provider.
#[derive(Clone)]
pub(crate) struct Acme {
    pub(crate) outbound: Outbound,
    pub(crate) directory: String,
    pub(crate) accounts: Arc<Accounts>,
    /// Without it no proof is given, which is enough for a provider that needs none.
    pub(crate) dns: Option<Dns>,
}

/// What is asked of the provider.
enum Wanted<'a> {
    Chain {
        domain: &'a str,
        csr: &'a [u8],
    },
    /// Of a certificate in DER.
    Revocation(&'a [u8]),
}

impl Acme {
    /// Gets the certificate chain for a host name and a signing request (PKCS #10, in DER), in
    /// PEM.
    pub(crate) async fn obtain(&self, domain: &str, csr: &[u8]) -> Result<String, Failure> {
        self.with_account(Wanted::Chain { domain, csr }).await
    }

    /// Revokes a certificate. It is no error that the certificate is revoked already.
    pub(crate) async fn revoke(&self, pem: &str) -> Result<(), Failure> {
        let certificate = leaf(pem).ok_or_else(|| Failure::invalid("not a certificate"))?;
        match self.with_account(Wanted::Revocation(&certificate)).await {
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
            match self.accounts.forget().await {
                Ok(()) => outcome = self.attempt(&calls, &wanted).await,
                Err(error) => tracing::warn!(%error, "the ACME account cannot be replaced"),
            }
        }
        outcome.map_err(|error| calls.failure(&error))
    }

    async fn attempt(&self, calls: &Calls, wanted: &Wanted<'_>) -> Result<String, Error> {
        let account = self.accounts.get(calls).await?;
        let (domain, csr) = match *wanted {
            Wanted::Chain { domain, csr } => (domain, csr),
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
                self.withdraw(name).await;
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
            if let Some(dns) = &self.dns {
                proofs.push(name.clone());
                let set = dns.set(&name, &challenge.key_authorization().dns_value()).await;
                set.map_err(|failure| Error::Other(Box::new(failure)))?;
            }
            challenge.set_ready().await?;
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str) {
        if let Some(dns) = &self.dns
            && let Err(error) = dns.clear(name).await
        {
            // Harmless: it proves nothing any more, and the next proof replaces it.
            tracing::warn!(%error, "a proof stays in the DNS");
        }
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
