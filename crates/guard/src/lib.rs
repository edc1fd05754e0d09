//! Identity and protection: who calls, and what they may.
//!
//! - [`permission`]: the words that routes ask for and credentials hold
//! - [`principal`]: a caller whose credential was checked
//! - [`role`]: sets of permissions with a word
//! - [`key`]: API keys, shown once and kept as a hash
//! - [`token`]: short-lived JSON Web Tokens, signed with HS256
//! - [`secret`]: values that print as stars, and how strong they are
//! - [`secrets`]: the server's own secrets: from the environment, from files, or made on first start
//!
//! Nothing here reads a clock: the time of judgement comes in as an argument.

mod hs256;
pub mod key;
pub mod permission;
pub mod principal;
pub mod role;
pub mod secret;
pub mod secrets;
pub mod token;

pub use key::{ApiKeySecret, KeyDigest};
pub use permission::{Permission, Permissions};
pub use principal::{Principal, Role};
pub use role::KeyRole;
pub use secret::Secret;
pub use secrets::Secrets;
pub use token::Tokens;
