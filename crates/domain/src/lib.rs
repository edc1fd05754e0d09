//! The rules, pure: ids, states, retry policies, pipeline graphs and decide().
