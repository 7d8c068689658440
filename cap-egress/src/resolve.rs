//! From a name to addresses: the seam at which tests put their own answers.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// What [`Resolve::resolve`] returns.
pub type ResolveFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name.
///
/// A [`Guard`](crate::Guard) asks once per connection, checks every answer and dials only what it checked, so a resolver
/// decides nothing about safety.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, best first. `name` is lower-case and without a trailing dot; `port` is where the
    /// connection will go, for resolvers that choose by service.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> ResolveFuture<'a>;
}

/// The system's resolver, `getaddrinfo`.
///
/// It runs on Tokio's blocking threads. When the guard's timeout ends a connect, the thread goes on until the system's
/// own timeout (`resolv.conf(5)`: `timeout` times `attempts` for each server).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> ResolveFuture<'a> {
        Box::pin(async move {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that resolves names; the guard checks the answers"
            )]
            let answers = tokio::net::lookup_host((name, port)).await?;
            Ok(answers.map(|answer| answer.ip()).collect())
        })
    }
}
