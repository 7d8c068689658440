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
use crate::spans::Nature;
use fields::Fields;
pub use log::LogFormat;

impl Tracing {
    /// A layer that makes a span of every span of the `tracing` crate, a child of whatever span is current, typed or not; what it
    /// records are the fields, and events that happen in it. A field `otel.kind` says which kind of span it is, `otel.name` what it is
    /// called, and `#[instrument(err)]` makes it fail.
    ///
    /// Under an unsampled parent it wants nothing, and a span costs what the registry itself asks for it, since other layers may want
    /// it; where none does, [`bridge_alone`](Self::bridge_alone) saves that as well. Combine it with a filter of your own for what is
    /// too much detail for a trace:
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
        Bridge(self.clone()).with_filter(Recorded(self.pipe().is_some()))
    }

    /// The same for a subscriber in which no other layer reads spans: under an unsampled parent, the spans of `tracing` are disabled
    /// for everyone, and cost next to nothing. Events are not: log lines are written as before, without the fields of such spans.
    pub fn bridge_alone<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        Alone(Bridge(self.clone()), Recorded(self.pipe().is_some()))
    }
}

/// Lets through what may be recorded where it happens: nothing, where the pipe is off.
struct Recorded(bool);

impl Recorded {
    fn wants(&self) -> bool {
        self.0
            && Context::map_current(|context| {
                let span = context.span();
                let ids = span.span_context();
                !(ids.is_valid() && !ids.is_sampled() || context.is_telemetry_suppressed())
            })
    }

    fn interest(&self) -> Interest {
        if self.0 {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }
}

impl<S> Filter<S> for Recorded {
    fn enabled(&self, _: &Metadata<'_>, _: &Tree<'_, S>) -> bool {
        self.wants()
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        self.interest()
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
        let span = self.0.open_as(parent, || {
            let mut fields = Fields::with_room_for(attributes.values().len());
            attributes.record(&mut fields);
            let called = attributes.metadata().name();
            Nature {
                kind: fields.kind.unwrap_or(SpanKind::Internal),
                name: fields.name.map_or(called.into(), Into::into),
                attributes: fields.attributes,
            }
        });
        if let Some(made) = tree.span(id) {
            made.extensions_mut().insert(Bridged(span.settled()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, tree: Tree<'_, S>) {
        let Some(span) = tree.span(id) else {
            return;
        };
        let extensions = span.extensions();
        if let Some(Bridged(span)) = extensions.get::<Bridged>()
            && span.is_recorded()
        {
            let mut fields = Fields::default();
            values.record(&mut fields);
            span.update(fields.name, fields.attributes);
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

/// The layer of a subscriber in which nobody else reads spans.
struct Alone(Bridge, Recorded);

impl<S> Layer<S> for Alone
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.is_span() {
            true => self.1.interest(),
            false => Interest::always(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Tree<'_, S>) -> bool {
        !metadata.is_span() || self.1.wants()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, tree: Tree<'_, S>) {
        self.0.on_new_span(attributes, id, tree);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, tree: Tree<'_, S>) {
        self.0.on_record(id, values, tree);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, tree: Tree<'_, S>) {
        self.0.on_follows_from(id, follows, tree);
    }

    fn on_event(&self, event: &Event<'_>, tree: Tree<'_, S>) {
        self.0.on_event(event, tree);
    }

    fn on_enter(&self, id: &Id, tree: Tree<'_, S>) {
        self.0.on_enter(id, tree);
    }

    fn on_exit(&self, id: &Id, tree: Tree<'_, S>) {
        self.0.on_exit(id, tree);
    }

    fn on_close(&self, id: Id, tree: Tree<'_, S>) {
        self.0.on_close(id, tree);
    }
}

fn context_of<S>(id: &Id, tree: &Tree<'_, S>) -> Option<Context>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let span = tree.span(id)?;
    let extensions = span.extensions();
    let Bridged(span) = extensions.get::<Bridged>()?;
    Some(span.context())
}
