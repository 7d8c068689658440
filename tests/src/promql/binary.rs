//! Binary operators: arithmetic and comparison with a scalar, and the set operators.

use super::{Error, Labels, NAME, Value, Vector, without_names};
use promql_parser::parser::token::{
    T_ADD, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MOD, T_MUL,
    T_NEQ, T_POW, T_SUB, TokenId,
};
use promql_parser::parser::{BinaryExpr, LabelModifier};
use std::collections::BTreeSet;

pub(super) fn binary(expr: &BinaryExpr, lhs: Value, rhs: Value) -> Result<Value, Error> {
    let modifier = expr.modifier.as_ref();
    if modifier.is_some_and(|modifier| modifier.return_bool) {
        return Err(Error::Unsupported("the modifier bool".to_owned()));
    }
    let operator = expr.op.id();
    if expr.op.is_set_operator() {
        let (Value::Vector(lhs), Value::Vector(rhs)) = (lhs, rhs) else {
            return Err(Error::Evaluation(format!("{} of a scalar", expr.op)));
        };
        let matching = modifier.and_then(|modifier| modifier.matching.as_ref());
        return Ok(Value::Vector(set(operator, lhs, rhs, matching)));
    }
    let unsupported = || Error::Unsupported(format!("the operator {}", expr.op));
    if let Some(compare) = comparison(operator) {
        let kept = match (lhs, rhs) {
            (Value::Vector(vector), Value::Scalar(scalar)) => {
                keep(vector, |value| compare(value, scalar))
            }
            (Value::Scalar(scalar), Value::Vector(vector)) => {
                keep(vector, |value| compare(scalar, value))
            }
            _ => return Err(not_with_a_scalar(expr)),
        };
        return Ok(Value::Vector(kept));
    }
    let compute = arithmetic(operator).ok_or_else(unsupported)?;
    match (lhs, rhs) {
        (Value::Scalar(a), Value::Scalar(b)) => Ok(Value::Scalar(compute(a, b))),
        (Value::Vector(vector), Value::Scalar(scalar)) => {
            map(vector, |value| compute(value, scalar))
        }
        (Value::Scalar(scalar), Value::Vector(vector)) => {
            map(vector, |value| compute(scalar, value))
        }
        (Value::Vector(_), Value::Vector(_)) => Err(not_with_a_scalar(expr)),
    }
}

fn not_with_a_scalar(expr: &BinaryExpr) -> Error {
    Error::Unsupported(format!("{}, except between a vector and a scalar", expr.op))
}

fn keep(mut vector: Vector, kept: impl Fn(f64) -> bool) -> Vector {
    vector.retain(|_, value| kept(*value));
    vector
}

fn map(mut vector: Vector, compute: impl Fn(f64) -> f64) -> Result<Value, Error> {
    vector
        .values_mut()
        .for_each(|value| *value = compute(*value));
    without_names(vector).map(Value::Vector)
}

fn set(
    operator: TokenId,
    mut lhs: Vector,
    rhs: Vector,
    matching: Option<&LabelModifier>,
) -> Vector {
    let signatures = |vector: &Vector| -> BTreeSet<Labels> {
        vector
            .keys()
            .map(|labels| signature(labels, matching))
            .collect()
    };
    if operator == T_LOR {
        let there = signatures(&lhs);
        let others =
            (rhs.into_iter()).filter(|(labels, _)| !there.contains(&signature(labels, matching)));
        lhs.extend(others);
    } else {
        let there = signatures(&rhs);
        let wanted = operator == T_LAND;
        debug_assert!(wanted || operator == T_LUNLESS);
        lhs.retain(|labels, _| there.contains(&signature(labels, matching)) == wanted);
    }
    lhs
}

/// The labels that have to be equal for two series to match.
fn signature(labels: &Labels, matching: Option<&LabelModifier>) -> Labels {
    let mut signature = labels.clone();
    match matching {
        None => {
            signature.remove(NAME);
        }
        Some(LabelModifier::Include(on)) => {
            signature.retain(|name, _| on.labels.contains(name));
        }
        Some(LabelModifier::Exclude(ignoring)) => {
            signature.retain(|name, _| name != NAME && !ignoring.labels.contains(name));
        }
    }
    signature
}

#[expect(clippy::float_cmp, reason = "PromQL's == is exact")]
fn comparison(operator: TokenId) -> Option<fn(f64, f64) -> bool> {
    Some(match operator {
        T_EQLC => |a, b| a == b,
        T_NEQ => |a, b| a != b,
        T_GTR => |a, b| a > b,
        T_GTE => |a, b| a >= b,
        T_LSS => |a, b| a < b,
        T_LTE => |a, b| a <= b,
        _ => return None,
    })
}

fn arithmetic(operator: TokenId) -> Option<fn(f64, f64) -> f64> {
    Some(match operator {
        T_ADD => |a, b| a + b,
        T_SUB => |a, b| a - b,
        T_MUL => |a, b| a * b,
        T_DIV => |a, b| a / b,
        T_MOD => |a, b| a % b,
        T_POW => f64::powf,
        _ => return None,
    })
}
