//! Content negotiation: `Accept` and `Accept-Encoding`, weighted by `q` (RFC 9110 sections 12.4.2
//! and 12.5).

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};
use http::{HeaderMap, HeaderValue};

use crate::exposition::Format;

/// The content coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

/// The format with the higher weight. It is 0.0.4 when both have the same weight or none: such a
/// client is a person with a browser or curl.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let offers: Vec<_> = offers(headers, &ACCEPT).collect();
    let text = weight(&offers, ["text/plain", "text/*", "*/*"], &["0.0.4"]);
    let open =
        weight(&offers, ["application/openmetrics-text", "application/*", "*/*"], &["1.0.0"]);
    match open > text {
        true => Format::OpenMetrics,
        false => Format::Text,
    }
}

/// gzip, unless the scraper weights it lower than no coding, or refuses it.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let offers: Vec<_> = offers(headers, &ACCEPT_ENCODING).collect();
    let gzip = weight(&offers, ["gzip", "x-gzip", "*"], &[]);
    let identity = offers.iter().find(|offer| offer.is("identity"));
    match gzip > 0.0 && identity.is_none_or(|identity| gzip >= identity.q) {
        true => Coding::Gzip,
        false => Coding::Identity,
    }
}

struct Offer<'a> {
    range: &'a str,
    version: Option<&'a str>,
    q: f64,
}

impl Offer<'_> {
    fn is(&self, range: &str) -> bool {
        self.range.eq_ignore_ascii_case(range)
    }
}

fn offers<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Offer<'a>> {
    let lines = headers.get_all(name).iter().flat_map(HeaderValue::to_str);
    lines.flat_map(|line| line.split(',')).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let mut offer = Offer { range: parts.next().unwrap_or_default(), version: None, q: 1.0 };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            if key.trim().eq_ignore_ascii_case("q") {
                let q = value.parse().ok().filter(|q: &f64| (0.0..=1.0).contains(q));
                offer.q = q.unwrap_or(0.0);
            } else if key.trim().eq_ignore_ascii_case("version") {
                offer.version = Some(value);
            }
        }
        offer
    })
}

/// The weight of a type under these ranges, the most specific first. The first one offered counts.
fn weight(offers: &[Offer<'_>], ranges: [&str; 3], versions: &[&str]) -> f64 {
    let version = |offer: &&Offer<'_>| offer.version.is_none_or(|v| versions.contains(&v));
    ranges
        .iter()
        .find_map(|range| {
            let named = offers.iter().filter(|offer| offer.is(range));
            named.filter(version).map(|offer| offer.q).reduce(f64::max)
        })
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_format_with_the_highest_weight_wins() {
        for (accept, expected) in [
            // Prometheus 2 and 3, curl, a browser.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/openmetrics-text;q=0.4, text/plain; version=0.0.4; q=0.5", Format::Text),
            (
                "text/plain;q=0.5;version=0.0.4, APPLICATION/OpenMetrics-Text; Version=1.0.0",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0, */*;q=0.1", Format::Text),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/*, text/plain;q=0.1", Format::OpenMetrics),
            ("application/openmetrics-text;q=nonsense", Format::Text),
            ("application/json", Format::Text),
            ("", Format::Text),
        ] {
            assert_eq!(format(&headers(ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn gzip_is_used_where_it_is_welcome() {
        for (accept, expected) in [
            ("gzip", Coding::Gzip),
            ("deflate, gzip;q=0.5, *;q=0", Coding::Gzip),
            ("*", Coding::Gzip),
            ("gzip;q=0, *", Coding::Identity),
            ("gzip;q=0.1, identity;q=0.9", Coding::Identity),
            ("br", Coding::Identity),
            ("", Coding::Identity),
        ] {
            assert_eq!(coding(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
    }
}
