//! What the layers below answer, in the words of the wire, and requests in the words of the rules. Payloads
//! are passed on as they are: nothing here parses or copies one.

pub mod agent;
pub mod artifact;
pub mod event;
pub mod explain;
pub mod history;
pub mod key;
pub mod metrics;
pub mod operation;
pub mod page;
pub mod pipeline;
pub mod task;
pub mod template;
