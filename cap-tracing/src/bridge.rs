//! Spans of the `tracing` crate among the typed spans, as their children and parents.

mod fields;
mod log;
mod span_filter;

use std::cell::RefCell;

use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context as Tree, Identity, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::span::Span;
use crate::start::SpanSpec;
use crate::tracer::Tracer;
use fields::Fields;
pub use log::LogFormat;
use span_filter::SpanFilter;

impl Tracer {
    /// A layer that makes a span of every span of the `tracing` crate, as a child of the current
    /// span, typed or not.
    ///
    /// The span records the fields and the events in it. The field `otel.kind` sets its kind,
    /// `otel.name` its name, and `#[instrument(err)]` makes it an error.
    ///
    /// Under an unsampled parent, nothing is recorded, and the span carries its parent's context
    /// wherever it is entered. It costs little more than the registry itself. If no other layer
    /// reads spans, [`bridge_exclusive`](Self::bridge_exclusive) saves the registry's cost as well.
    ///
    /// Combine the layer with a filter for what is too much detail in a trace:
    ///
    /// ```
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::prelude::*;
    ///
    /// # let tracer = cap_tracing::Tracer::disabled();
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(LevelFilter::INFO)
    ///     .with(tracer.bridge());
    /// ```
    pub fn bridge<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match self.active() {
            Some(_) => Bridge::new(self, Readers::Others).boxed(),
            // `tracing` caches that no layer wants the callsite.
            None => Identity::new().with_filter(LevelFilter::OFF).boxed(),
        }
    }

    /// The same layer, for a subscriber in which no other layer reads spans.
    ///
    /// Under an unsampled parent it disables the spans of `tracing` for the whole subscriber, and
    /// they cost next to nothing. Log lines are written as before, without the fields of these
    /// spans. A disabled span does not carry its context to another task or thread: use the
    /// [`scope`](crate::Span::scope) of a typed span there.
    pub fn bridge_exclusive<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        Bridge::new(self, Readers::Nobody)
    }
}

struct Bridge {
    tracer: Tracer,
    readers: Readers,
    recorded: SpanFilter,
}

/// Whether other layers of the subscriber read spans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Others,
    Nobody,
}

impl Bridge {
    fn new(tracer: &Tracer, readers: Readers) -> Self {
        Self { tracer: tracer.clone(), readers, recorded: SpanFilter::default() }
    }
}

/// Whether an earlier decision disables recording here.
fn nothing_is_recorded() -> bool {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid() && !ids.is_sampled() || context.is_telemetry_suppressed()
    })
}

/// The extension that the registry stores with a span of `tracing`.
struct Bridged(Span);

thread_local! {
    /// The spans that this thread has entered, innermost last.
    static ENTERED: RefCell<Vec<(Id, ContextGuard)>> = const { RefCell::new(Vec::new()) };
}

impl<S> Layer<S> for Bridge
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.readers {
            Readers::Nobody if metadata.is_span() => match self.tracer.active() {
                Some(_) => Interest::sometimes(),
                None => Interest::never(),
            },
            _ => Interest::always(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Tree<'_, S>) -> bool {
        self.readers == Readers::Others || !metadata.is_span() || !nothing_is_recorded()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, tree: Tree<'_, S>) {
        let named = attributes.parent().and_then(|parent| context_of(parent, &tree));
        let parent = named.unwrap_or_else(|| match attributes.is_root() {
            true => Context::new(),
            false => Context::current(),
        });
        let span = self.tracer.open(parent, || {
            let mut fields = Fields::with_room_for(attributes.values().len());
            attributes.record(&mut fields);
            let called = attributes.metadata().name();
            SpanSpec {
                kind: fields.kind.unwrap_or(SpanKind::Internal),
                name: fields.name.map_or(called.into(), Into::into),
                attributes: fields.attributes,
            }
        });
        if let Some(made) = tree.span(id) {
            if span.is_recorded() {
                self.recorded.add(id);
            }
            made.extensions_mut().insert(Bridged(span));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, tree: Tree<'_, S>) {
        if !self.recorded.may_have(id) {
            return;
        }
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
        let Some(span) = tree.span(id) else {
            return;
        };
        // A future enters its span repeatedly, and finds the context made.
        let context = span.extensions_mut().get_mut::<Bridged>().map(|span| {
            span.0.materialize();
            span.0.context()
        });
        if let Some(context) = context {
            let guard = context.attach();
            ENTERED.with_borrow_mut(|entered| entered.push((id.clone(), guard)));
        }
    }

    fn on_exit(&self, id: &Id, _: Tree<'_, S>) {
        // Dropped outside of the borrow, since the guard may end spans.
        let left = ENTERED.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|(inside, _)| inside == id)?;
            Some(entered.remove(at))
        });
        drop(left);
    }

    fn on_close(&self, id: Id, tree: Tree<'_, S>) {
        // The registry drops the extension of a span that is not recorded.
        if !self.recorded.may_have(&id) {
            return;
        }
        let ended = tree.span(&id).and_then(|span| span.extensions_mut().remove::<Bridged>());
        if let Some(Bridged(span)) = ended
            && span.is_recorded()
        {
            self.recorded.remove(&id);
        }
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
