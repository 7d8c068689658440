//! `sum`, `max` and `min`, `by` or `without` labels.

use super::{Error, Labels, NAME, Vector};
use promql_parser::parser::token::{T_MAX, T_MIN, T_SUM};
use promql_parser::parser::{AggregateExpr, LabelModifier};

pub(super) fn aggregate(aggregation: &AggregateExpr, vector: Vector) -> Result<Vector, Error> {
    // NaN is no maximum and no minimum unless there is nothing else.
    let combine: fn(f64, f64) -> f64 = match aggregation.op.id() {
        T_SUM => |sum, value| sum + value,
        T_MAX => f64::max,
        T_MIN => f64::min,
        _ => {
            return Err(Error::Unsupported(format!(
                "the aggregation {}",
                aggregation.op
            )));
        }
    };
    let mut groups = Vector::new();
    for (labels, value) in vector {
        (groups.entry(group(labels, aggregation.modifier.as_ref())))
            .and_modify(|all| *all = combine(*all, value))
            .or_insert(value);
    }
    Ok(groups)
}

fn group(mut labels: Labels, modifier: Option<&LabelModifier>) -> Labels {
    match modifier {
        None => labels.clear(),
        Some(LabelModifier::Include(by)) => labels.retain(|name, _| by.labels.contains(name)),
        Some(LabelModifier::Exclude(without)) => {
            labels.retain(|name, _| name != NAME && !without.labels.contains(name));
        }
    }
    labels
}
