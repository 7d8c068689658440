//! From a name to addresses. Tests substitute their own answers here.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// What [`Resolve::resolve`] returns.
pub type ResolveFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name.
///
/// A [`Guard`](crate::Guard) resolves once for each connect, checks every answer and dials only
/// checked addresses. A resolver therefore decides nothing about safety.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, best first.
    ///
    /// `name` is in lower case and without a trailing dot. `port` is the port of the connection,
    /// for resolvers that choose by service.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> ResolveFuture<'a>;
}

/// The system's resolver, `getaddrinfo`.
///
/// It runs on Tokio's blocking threads. When the guard's timeout ends a connect, the thread
/// continues until the system's own timeout (`resolv.conf(5)`: `timeout` times `attempts` for each
/// server).
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
