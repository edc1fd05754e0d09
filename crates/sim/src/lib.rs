//! Deterministic simulation of the control layer: one seed drives commands, crashes and clocks.
