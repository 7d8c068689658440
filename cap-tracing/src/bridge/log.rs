//! Log lines with the ids of their span.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes `trace_id=… span_id=…` of the current sampled span in front of each line of another
/// format.
///
/// It knows typed spans and those of `tracing`, from the start of the span on.
///
/// ```
/// use cap_tracing::LogFormat;
/// use tracing_subscriber::fmt::format;
/// use tracing_subscriber::prelude::*;
///
/// let lines = tracing_subscriber::fmt::layer().event_format(LogFormat::new(format()));
/// let subscriber = tracing_subscriber::registry().with(lines);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogFormat<F>(F);

impl<F> LogFormat<F> {
    /// Writes the ids in front of what `format` writes.
    pub fn new(format: F) -> Self {
        Self(format)
    }
}

impl<S, N, F> FormatEvent<S, N> for LogFormat<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if let Some(ids) = crate::current_span_ids() {
            let (trace_id, span_id) = (ids.trace_id_hex(), ids.span_id_hex());
            write!(writer, "trace_id={trace_id} span_id={span_id} ")?;
        }
        self.0.format_event(context, writer, event)
    }
}
