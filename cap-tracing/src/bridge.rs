//! Spans of the `tracing` crate among the typed ones: children of those, and parents of those.

mod fields;
mod log;

use std::cell::RefCell;

use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context as Tree, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::pipe::Tracing;
use crate::span::Span;
use fields::Fields;
pub use log::LogFormat;

impl Tracing {
    /// A layer that makes a span of every span of the `tracing` crate, a child of whatever span is current, typed or not; what it
    /// records are the fields, and events that happen in it. A field `otel.kind` says which kind of span it is, `otel.name` what it is
    /// called, and `#[instrument(err)]` makes it fail.
    ///
    /// Under an unsampled parent it wants nothing, and a span costs what the registry itself asks for it. Combine it with a filter of your own for what is too much detail for a trace:
    ///
    /// ```
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::prelude::*;
    ///
    /// # let tracing = cap_tracing::Tracing::disabled();
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(LevelFilter::INFO)
    ///     .with(tracing.bridge());
    /// ```
    pub fn bridge<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let on = self.pipe().is_some();
        Bridge(self.clone()).with_filter(Recorded { on })
    }
}

/// Lets through what may be recorded where it happens.
struct Recorded {
    on: bool,
}

impl Recorded {
    fn wants(&self) -> bool {
        self.on
            && Context::map_current(|context| {
                let span = context.span();
                let ids = span.span_context();
                !(ids.is_valid() && !ids.is_sampled() || context.is_telemetry_suppressed())
            })
    }
}

impl<S> Filter<S> for Recorded {
    fn enabled(&self, _: &Metadata<'_>, _: &Tree<'_, S>) -> bool {
        self.wants()
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        if self.on {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }
}

struct Bridge(Tracing);

/// What the registry keeps with a span of `tracing`.
struct Bridged(Span);

thread_local! {
    /// The spans that this thread is in, innermost last.
    static ENTERED: RefCell<Vec<(Id, ContextGuard)>> = const { RefCell::new(Vec::new()) };
}

impl<S> Layer<S> for Bridge
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, tree: Tree<'_, S>) {
        let named = attributes
            .parent()
            .and_then(|parent| context_of(parent, &tree));
        let parent = named.unwrap_or_else(|| match attributes.is_root() {
            true => Context::new(),
            false => Context::current(),
        });
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let kind = fields.kind.take().unwrap_or(SpanKind::Internal);
        let called = fields.name.take();
        let name = || called.map_or(attributes.metadata().name().into(), Into::into);
        let span = self.0.open(parent, kind, name, || fields.attributes);
        if let Some(made) = tree.span(id) {
            made.extensions_mut().insert(Bridged(span));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, tree: Tree<'_, S>) {
        let Some(context) = context_of(id, &tree) else {
            return;
        };
        let span = context.span();
        if span.is_recording() {
            let mut fields = Fields::default();
            values.record(&mut fields);
            if let Some(name) = fields.name {
                span.update_name(name);
            }
            span.set_attributes(fields.attributes);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, tree: Tree<'_, S>) {
        if let (Some(context), Some(before)) = (context_of(id, &tree), context_of(follows, &tree)) {
            let link = before.span().span_context().clone();
            context.span().add_link(link, Vec::new());
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Tree<'_, S>) {
        Context::map_current(|context| {
            let span = context.span();
            if !span.is_recording() {
                return;
            }
            let mut fields = Fields::default();
            event.record(&mut fields);
            let level = *event.metadata().level();
            fields.describe(level, event.metadata().target());
            if level == tracing::Level::ERROR
                && let Some(error) = &fields.error
            {
                span.set_status(opentelemetry::trace::Status::error(error.clone()));
            }
            let name = fields.message.take();
            let name = name.unwrap_or_else(|| event.metadata().name().to_owned());
            span.add_event(name, fields.attributes);
        });
    }

    fn on_enter(&self, id: &Id, tree: Tree<'_, S>) {
        if let Some(context) = context_of(id, &tree) {
            let guard = context.attach();
            ENTERED.with_borrow_mut(|entered| entered.push((id.clone(), guard)));
        }
    }

    fn on_exit(&self, id: &Id, _: Tree<'_, S>) {
        // The guard is dropped outside of the borrow: what it drops may end spans.
        let left = ENTERED.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|(inside, _)| inside == id)?;
            Some(entered.remove(at))
        });
        drop(left);
    }

    fn on_close(&self, id: Id, tree: Tree<'_, S>) {
        let ended = tree
            .span(&id)
            .and_then(|span| span.extensions_mut().remove::<Bridged>());
        drop(ended);
    }
}

fn context_of<S>(id: &Id, tree: &Tree<'_, S>) -> Option<Context>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let span = tree.span(id)?;
    let extensions = span.extensions();
    let Bridged(span) = extensions.get::<Bridged>()?;
    Some(span.context.clone())
}
