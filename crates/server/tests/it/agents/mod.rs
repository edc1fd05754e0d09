//! Agents: signing on, being alive, taking work, settings.

mod claim;
mod delivery;
mod heartbeat;
mod register;
mod settings;
