//! The files of `deploy/` as their readers see them, and the checker on many expressions.

mod checkout;
mod corpus;
mod dashboard;
mod deploy;
mod helm;
mod kubernetes;
mod promtool;
