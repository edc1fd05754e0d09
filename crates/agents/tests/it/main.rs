//! What the crate promises as a whole: the published figures, the sample in `examples/`, and real data.

mod pii_figures;
mod real_data;
mod sample;
