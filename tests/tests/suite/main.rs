//! The demo as a test, the real readers of our output, and the rules of the workspace.

mod acme;
mod alerting;
mod arrows;
mod collector;
mod conformance;
mod correlation;
mod egress;
mod end_to_end;
mod exposition;
mod loss;
mod probe;
mod readers;
mod readme;
mod restarts;
mod rings;
mod settings_page;
mod signatures;
mod tls;
mod whole_spans;
