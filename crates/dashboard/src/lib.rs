//! The dashboard: pages rendered on the server, over the business layer.
