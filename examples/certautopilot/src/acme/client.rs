//! The client: an attempt is one pass through the protocol, and is not repeated here; that is the queue's work.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use instant_acme::{
    AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy, RevocationRequest,
};

use super::calls::Calls;
use super::dns::Proof;
use super::{Accounts, Dns, leaf};
use crate::failure::Failure;
use crate::outbound::Outbound;

/// The label of the `provider` and the `issuer_type` that this client stands for.
pub(crate) const PROVIDER: &str = "acme";

const ALREADY_REVOKED: &str = "urn:ietf:params:acme:error:alreadyRevoked";
const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How soon a provider that is validating or signing is asked again, and how long it may take.
const WAITING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(50))
    .backoff(1.5)
    .timeout(Duration::from_secs(30));

/// A client of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Acme {
    outbound: Outbound,
    directory: String,
    accounts: Arc<Accounts>,
    dns: Option<Dns>,
}

impl Acme {
    /// A client of the provider whose directory is here. Without a DNS provider no proof is put anywhere, which is enough where the
    /// provider takes anybody's word or knows the account to hold the names.
    pub(crate) fn new(
        outbound: Outbound,
        directory: &Uri,
        accounts: Accounts,
        dns: Option<Dns>,
    ) -> Self {
        Acme {
            outbound,
            directory: directory.to_string(),
            accounts: Arc::new(accounts),
            dns,
        }
    }

    /// Gets the certificate chain for a host name and a signing request (PKCS #10, in DER), in PEM.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub(crate) async fn obtain(&self, domain: &str, csr: &[u8]) -> Result<String, Failure> {
        let calls = self.calls();
        let mut outcome = self.try_obtain(&calls, domain, csr).await;
        if self.account_is_gone(&outcome).await {
            outcome = self.try_obtain(&calls, domain, csr).await;
        }
        outcome.map_err(|error| calls.failure(&error))
    }

    /// Revokes a certificate.
    ///
    /// # Errors
    /// Of the first call that fails. An account that was made after the certificate is not allowed to.
    pub(crate) async fn revoke(&self, pem: &str) -> Result<(), Failure> {
        let certificate = leaf(pem).ok_or_else(|| Failure::invalid("not a certificate"))?;
        let calls = self.calls();
        let mut outcome = self.try_revoke(&calls, &certificate).await;
        if self.account_is_gone(&outcome).await {
            outcome = self.try_revoke(&calls, &certificate).await;
        }
        match outcome.map_err(|error| calls.failure(&error)) {
            // Whoever asked before was cut off, and asks again.
            Err(failure) if failure.problem.as_deref() == Some(ALREADY_REVOKED) => Ok(()),
            answer => answer,
        }
    }

    async fn try_obtain(&self, calls: &Calls, domain: &str, csr: &[u8]) -> Result<String, Error> {
        let account = self.accounts.get(calls).await?;
        let identifiers = [Identifier::Dns(domain.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        if order.state().status == OrderStatus::Pending {
            let mut proofs = Vec::new();
            let mut proven = self.prove(&mut order, &mut proofs).await;
            if proven.is_ok() {
                proven = ready(&mut order).await;
            }
            for proof in &proofs {
                self.withdraw(proof).await;
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

    async fn try_revoke(&self, calls: &Calls, certificate: &[u8]) -> Result<(), Error> {
        let account = self.accounts.get(calls).await?;
        let request = RevocationRequest {
            certificate: &certificate.into(),
            reason: None,
        };
        account.revoke(&request).await
    }

    /// Answers what the provider wants to see proven. What was put into the DNS is in `proofs`, however it ends.
    async fn prove(&self, order: &mut Order, proofs: &mut Vec<Proof>) -> Result<(), Error> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let Identifier::Dns(name) = authorization.identifier().identifier.clone() else {
                return Err(Error::Unsupported("an order for host names alone"));
            };
            let challenge = authorization.challenge(ChallengeType::Dns01);
            let mut challenge = challenge.ok_or(Error::Unsupported("DNS-01"))?;
            if let Some(dns) = &self.dns {
                let proof = Proof::new(&name, challenge.key_authorization().dns_value());
                let set = dns.set(&proof).await;
                proofs.push(proof);
                set.map_err(|failure| Error::Other(Box::new(failure)))?;
            }
            challenge.set_ready().await?;
        }
        Ok(())
    }

    async fn withdraw(&self, proof: &Proof) {
        if let Some(dns) = &self.dns
            && let Err(error) = dns.clear(proof).await
        {
            // It proves nothing any more, and the next one takes its place.
            tracing::warn!(%error, "a proof stays in the DNS");
        }
    }

    /// Whether the provider does not know the account any more; the next attempt makes another one.
    async fn account_is_gone<T>(&self, outcome: &Result<T, Error>) -> bool {
        let Err(Error::Api(problem)) = outcome else {
            return false;
        };
        if problem.r#type.as_deref() != Some(UNKNOWN_ACCOUNT) {
            return false;
        }
        let forgotten = self.accounts.forget().await;
        forgotten
            .inspect_err(|error| tracing::warn!(%error, "the ACME account cannot be replaced"))
            .is_ok()
    }

    fn calls(&self) -> Calls {
        Calls::new(self.outbound.clone(), self.directory.clone())
    }
}

/// Waits until the order can be finalised.
async fn ready(order: &mut Order) -> Result<(), Error> {
    let mut status = order.refresh().await?.status;
    if matches!(status, OrderStatus::Pending | OrderStatus::Processing) {
        status = order.poll_ready(&WAITING).await?;
    }
    if status != OrderStatus::Invalid {
        return Ok(());
    }
    // Why is written at the challenge.
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let challenges = &authorization.refresh().await?.challenges;
        if let Some(problem) = challenges.iter().find_map(|it| it.error.clone()) {
            return Err(problem.into());
        }
    }
    Err(Error::Str(
        "the provider did not say why the order is invalid",
    ))
}
