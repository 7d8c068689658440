//! Functions over a window of one series: `last_over_time`, and `increase` and `rate` with Prometheus' extrapolation.

use std::ops::RangeInclusive;

/// The value of the last sample.
pub(super) fn last(samples: &[(i64, f64)], _: &RangeInclusive<i64>) -> Option<f64> {
    samples.last().map(|(_, value)| *value)
}

/// How much a counter rose, counting on from zero after a reset, extrapolated to the whole window.
pub(super) fn increase(samples: &[(i64, f64)], window: &RangeInclusive<i64>) -> Option<f64> {
    let (rise, factor) = extrapolated(samples, window)?;
    Some(rise * factor)
}

/// [`increase`] per second of the window.
pub(super) fn rate(samples: &[(i64, f64)], window: &RangeInclusive<i64>) -> Option<f64> {
    let (rise, factor) = extrapolated(samples, window)?;
    Some(rise * (factor / seconds(*window.start(), *window.end())))
}

/// What a counter rose between its samples, and by how much more it would have risen in the whole window. The steps are
/// those of Prometheus, so that the result is the same to the last bit.
fn extrapolated(samples: &[(i64, f64)], window: &RangeInclusive<i64>) -> Option<(f64, f64)> {
    let [(first_at, first), .., (last_at, last)] = *samples else {
        return None;
    };
    let resets: f64 = (samples.windows(2))
        .map(|pair| {
            if pair[1].1 < pair[0].1 {
                pair[0].1
            } else {
                0.0
            }
        })
        .sum();
    let rise = last - first + resets;

    let sampled = seconds(first_at, last_at);
    let mut to_start = seconds(*window.start(), first_at);
    let to_end = seconds(last_at, *window.end());
    let between = sampled / (samples.len() - 1) as f64;
    if rise > 0.0 && first >= 0.0 {
        // Not beyond the point where the counter would have been zero.
        to_start = to_start.min(sampled * (first / rise));
    }
    // A gap much longer than usual at an end of the window: the series began or ended there, half a step away.
    let gap = |gap: f64| {
        if gap < between * 1.1 {
            gap
        } else {
            between / 2.0
        }
    };
    Some((rise, (sampled + gap(to_start) + gap(to_end)) / sampled))
}

fn seconds(from: i64, to: i64) -> f64 {
    (to - from) as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increases_are_extrapolated_as_prometheus_does() {
        for (samples, window, expected) in [
            // Too few samples.
            (vec![], 0..=60, None),
            (vec![(30, 5.0)], 0..=60, None),
            // Samples at both ends of the window: no extrapolation.
            (vec![(0, 10.0), (30, 11.0), (60, 12.0)], 0..=60, Some(2.0)),
            // 10 s missing at either end.
            (vec![(10, 10.0), (30, 12.0), (50, 14.0)], 0..=60, Some(6.0)),
            // The counter was zero 5 s before its first sample.
            (vec![(10, 0.5), (30, 2.5), (50, 4.5)], 0..=60, Some(5.5)),
            // Born at zero within the window: half a step at the end at most.
            (vec![(10, 0.0), (20, 1.0)], 0..=60, Some(1.5)),
            // A reset.
            (vec![(0, 10.0), (30, 3.0), (60, 5.0)], 0..=60, Some(5.0)),
            // Never rose.
            (vec![(10, 7.0), (50, 7.0)], 0..=60, Some(0.0)),
        ] {
            let samples: Vec<_> = (samples.iter())
                .map(|(at, value)| (at * 1000, *value))
                .collect();
            let window = window.start() * 1000..=window.end() * 1000;
            assert_eq!(increase(&samples, &window), expected, "{samples:?}");
            let per_second = rate(&samples, &window);
            assert_eq!(
                per_second,
                expected.map(|increase| increase / 60.0),
                "{samples:?}"
            );
        }
    }
}
