//! The instruments of the catalogue, a field for every declaration.

use std::sync::Arc;

use crate::catalogue::{METRICS, labels, metrics};
use crate::storage::{Absolute, Counters, Exposed, Gauge, Histograms, Inventory, Words};

macro_rules! instrument {
    (counter $($label:ident)*) => { Counters<($(labels::$label,)*)> };
    (histogram $($label:ident)*) => { Histograms<($(labels::$label,)*)> };
    (gauge) => { Gauge };
    (inventory) => { Absolute };
    (inventory $($label:ident)+) => { Inventory };
    (mirror) => { Absolute };
    (mirror $($label:ident)+) => { Inventory };
}

macro_rules! families {
    ($(
        $(#[$group_meta:meta])*
        $group:ident $Group:ident = $group_name:literal {$(
            $instrument:ident $field:ident = $name:literal {$($label:tt: $Label:ident),*}
                $(in $buckets:ident)? $help:literal;
        )*}
    )*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $Group {
                $(pub(crate) $field: instrument!($instrument $($Label)*),)*
            }
        )*

        /// The instruments of one `Metrics`.
        #[derive(Debug)]
        pub(crate) struct Families {
            $(pub(crate) $group: $Group,)*
        }

        impl Families {
            pub(crate) fn new(words: &Arc<Words>, limit: usize) -> Self {
                // Fields are evaluated as they are written, which is the order of METRICS.
                let mut metrics = METRICS.iter();
                let mut next = || metrics.next().expect("a family for every declaration");
                Self {
                    $($group: $Group {
                        $($field: <instrument!($instrument $($Label)*)>::new(next(), words, limit),)*
                    },)*
                }
            }

            pub(crate) fn all(&self) -> [&dyn Exposed; METRICS.len()] {
                [$($(&self.$group.$field,)*)*]
            }
        }
    };
}

metrics!(families);
