//! The generated files as their readers see them, and the checker on many expressions.

mod corpus;
mod deploy;
mod helm;
mod kubernetes;
mod peers;
mod promtool;
