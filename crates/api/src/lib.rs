//! The wire contract: request and response bodies shared by server and client.
