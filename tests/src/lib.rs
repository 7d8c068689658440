//! End-to-end tests over real protocols, and the programs `demo`, `loss`, `soak` and `conformance`.

pub mod audit;
pub mod cef;
mod client;
pub mod command;
pub mod conformance;
pub mod demo;
pub mod fleet;
pub mod load;
pub mod loss;
pub mod scrape;
mod service;
pub mod soak;

pub use cap_testkit::*;
pub use scrape::{Scrape, ScrapeError, Scraper, Scraping};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
