//! Identity and protection: secrets, tokens, API keys, permissions.
