//! The parts that pages are made of.

pub mod chart;
pub mod command;
pub mod filter;
pub mod icon;
pub mod layout;
pub mod list;
pub mod parts;
pub mod payload;
pub mod status;
pub mod text;
