//! The renewal that met two 503 and then succeeded, as one trace: the request, the attempts, the
//! calls, and the provider's own spans, which another process sent.

use std::collections::BTreeSet;

use certautopilot::acme_server::{Call, SERVICE_NAME};

use crate::ReceivedSpan;

/// Where the trace is not that story; empty when it is.
pub(super) fn faults(spans: &[ReceivedSpan], calls: &[Call], trace: &str) -> Vec<String> {
    let spans: Vec<_> = (spans.iter()).filter(|span| span.trace_id == trace).collect();
    let story = Story { spans, calls };
    match story.told() {
        Ok(()) => Vec::new(),
        Err(fault) => vec![fault],
    }
}

/// Whether the provider made it, and not the service.
pub(super) fn is_the_providers(span: &ReceivedSpan) -> bool {
    span.resource.get("service.name").map(String::as_str) == Some(SERVICE_NAME)
}

struct Story<'a> {
    spans: Vec<&'a ReceivedSpan>,
    calls: &'a [Call],
}

impl Story<'_> {
    fn told(&self) -> Result<(), String> {
        self.each_span_has_its_parent()?;
        let request = self.only(|span| {
            span.kind == "server" && span.name.starts_with("POST ") && span.name.ends_with("/renew")
        })?;
        let enqueued = self.only(|span| span.name == "enqueue renew")?;
        holds(self.is_below(enqueued, request), "the job was enqueued by the request")?;
        let mut previous: Option<&ReceivedSpan> = None;
        for attempt in ["1", "2", "3"] {
            let job = self.only(|span| {
                span.name == "job renew" && span.attribute("cap.job.attempt") == Some(attempt)
            })?;
            let parent = job.parent_span_id.as_deref();
            let about = |what| format!("attempt {attempt} {what}");
            holds(parent == Some(&enqueued.span_id), &about("is a child of the enqueuing"))?;
            let links = job.links.iter().map(|link| &*link.span_id);
            let expected = previous.map(|previous| &*previous.span_id);
            holds(links.eq(expected), &about("links to the attempt before"))?;
            let finalize = self.only(|span| {
                span.name == "acme finalize" && span.parent_span_id.as_ref() == Some(&job.span_id)
            })?;
            let (status, class) = match attempt {
                "3" => ("200", None),
                _ => ("503", Some("io_transient")),
            };
            for span in [job, finalize] {
                let failed = span.error.is_some();
                holds(failed == class.is_some(), &about("fails where it should"))?;
                holds(span.attribute("cap.error.class") == class, &about("has its class"))?;
            }
            let answered = finalize.attribute("http.response.status_code");
            holds(answered == Some(status), &about("has its answer"))?;
            previous = Some(job);
        }
        self.the_provider_was_told()?;
        self.the_provider_tells_the_same()
    }

    /// Every call of the trace, and no other, reached the provider with the context of that call.
    fn the_provider_was_told(&self) -> Result<(), String> {
        let sent: BTreeSet<_> = self
            .calls_of_acme()
            .map(|span| {
                let status = span.attribute("http.response.status_code");
                (
                    format!("{}-{}", span.trace_id, span.span_id),
                    status.unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let trace = self.spans.first().map_or("", |span| &span.trace_id);
        let received = self.calls.iter().filter_map(|call| {
            // version-traceid-parentid-flags
            let traceparent = call.traceparent.as_deref()?;
            let ids = traceparent.get(3..)?.rsplit_once('-')?.0;
            ids.starts_with(trace).then(|| (ids.to_owned(), call.status.to_string()))
        });
        let received: BTreeSet<_> = received.collect();
        // The protocol decides how many calls there are beside the three that finalize.
        holds(sent.len() >= 3, "the calls are in it")?;
        holds(sent == received, "what the provider was told is what was called")
    }

    /// Below each call stands the provider's span of it. The trace has no other span of the
    /// provider.
    fn the_provider_tells_the_same(&self) -> Result<(), String> {
        let calls: Vec<_> = self.calls_of_acme().collect();
        let answers: Vec<_> = (self.spans.iter()).filter(|span| is_the_providers(span)).collect();
        holds(answers.len() == calls.len(), "the provider has a span for each call")?;
        for call in calls {
            let mut below =
                (answers.iter()).filter(|span| span.parent_span_id.as_ref() == Some(&call.span_id));
            let answer = below.next().ok_or("an answer of the provider's has no call")?;
            holds(below.next().is_none(), "a call is answered once")?;
            let same = |key| answer.attribute(key) == call.attribute(key);
            let status = call.attribute("http.response.status_code");
            let refused = status.is_some_and(|status| status.starts_with('5'));
            holds(
                answer.kind == "server"
                    && answer.error.is_some() == refused
                    && same("http.request.method")
                    && same("http.response.status_code")
                    && (!refused || same("cap.error.class")),
                "the provider says of a call what the caller says",
            )?;
            holds(
                call.start_nanos <= answer.start_nanos && answer.end_nanos <= call.end_nanos,
                "the provider answers while it is called",
            )?;
        }
        Ok(())
    }

    fn calls_of_acme(&self) -> impl Iterator<Item = &&ReceivedSpan> {
        self.spans.iter().filter(|span| {
            span.kind == "client" && span.attribute("cap.external.provider") == Some("acme")
        })
    }

    fn each_span_has_its_parent(&self) -> Result<(), String> {
        let ids: BTreeSet<_> = self.spans.iter().map(|span| &span.span_id).collect();
        let roots = self.spans.iter().filter(|span| span.parent_span_id.is_none());
        holds(roots.count() == 1, "one span begins the trace")?;
        let mut parents = self.spans.iter().filter_map(|span| span.parent_span_id.as_ref());
        holds(parents.all(|parent| ids.contains(parent)), "every other has its parent there")
    }

    fn only(&self, wanted: impl Fn(&ReceivedSpan) -> bool) -> Result<&ReceivedSpan, String> {
        let mut found = self.spans.iter().filter(|span| wanted(span));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (first, _) => {
                let how_many = if first.is_none() { "none" } else { "several" };
                let names: Vec<_> = self.spans.iter().map(|span| &*span.name).collect();
                Err(format!("one span of a kind is expected, {how_many} found among {names:?}"))
            }
        }
    }

    fn is_below(&self, span: &ReceivedSpan, above: &ReceivedSpan) -> bool {
        let mut span = Some(span);
        while let Some(here) = span {
            if here.span_id == above.span_id {
                return true;
            }
            let parent = here.parent_span_id.as_ref();
            span = (self.spans.iter().copied()).find(|it| Some(&it.span_id) == parent);
        }
        false
    }
}

fn holds(holds: bool, what: &str) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(format!("the trace of the renewal does not hold: {what}")),
    }
}
