//! The samples of a series, minute by minute.

/// What becomes of a series.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A gauge at a value.
    At(f64),
    /// A counter that grows by so much every minute.
    Grows(u32),
    /// No series.
    Absent,
}

impl Shape {
    /// The value that a counter has reached.
    pub(super) fn reached(self, minutes: u32) -> u32 {
        match self {
            Shape::Grows(by) => by * minutes,
            Shape::At(_) | Shape::Absent => 0,
        }
    }

    /// So many samples, a counter's from the value it has.
    pub(super) fn samples(self, from: u32, minutes: u32) -> String {
        match self {
            Shape::At(value) => format!("{value}x{}", minutes - 1),
            Shape::Grows(by) => format!("{from}+{by}x{}", minutes - 1),
            Shape::Absent => format!("_x{minutes}"),
        }
    }
}
