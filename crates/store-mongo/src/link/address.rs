//! Where Redis is, as `REDIS_URL` says it.
//!
//! ```text
//! redis://[user:password@]host:port[/db]        one server
//! rediss://…                                    the same over TLS
//! redis+cluster://[user:password@]a:1,b:2,c:3   a cluster, found from any of these nodes
//! rediss+cluster://…                            the same over TLS
//! redis://a:1,redis://b:2                       a cluster too: more than one node was named
//! ```

use std::fmt;

/// Where Redis is.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    nodes: Vec<String>,
    cluster: bool,
}

/// A text that is no address of Redis. It does not hold the text, in which there may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Another scheme, or none.
    #[error("must begin with `redis://`, `rediss://`, `redis+cluster://` or `rediss+cluster://`")]
    Scheme,
    /// The driver does not understand it.
    #[error("node {number} is not an address of the form `redis://[user:password@]host:port`")]
    Node {
        /// Which one, from 1.
        number: usize,
    },
    /// Redis Cluster has database 0 alone.
    #[error("node {number} names a database; a cluster has none to choose from")]
    Database {
        /// Which one, from 1.
        number: usize,
    },
}

impl Address {
    /// Reads the text of `REDIS_URL`.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(InvalidAddress::Scheme)?;
        let (plain, named_cluster) = match scheme {
            "redis" => ("redis", false),
            "rediss" => ("rediss", false),
            "redis+cluster" => ("redis", true),
            "rediss+cluster" => ("rediss", true),
            _ => return Err(InvalidAddress::Scheme),
        };
        let mut credentials = None;
        let mut nodes = Vec::new();
        for part in rest
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let part = part.split_once("://").map_or(part, |(_, rest)| rest);
            // The credentials of the first node are those of all that bring none.
            let node = match part.rsplit_once('@') {
                Some((found, _)) => {
                    credentials.get_or_insert_with(|| found.to_owned());
                    format!("{plain}://{part}")
                }
                None => match &credentials {
                    Some(known) => format!("{plain}://{known}@{part}"),
                    None => format!("{plain}://{part}"),
                },
            };
            nodes.push(node);
        }
        let cluster = named_cluster || nodes.len() > 1;
        if nodes.is_empty() {
            return Err(InvalidAddress::Node { number: 1 });
        }
        for (at, node) in nodes.iter().enumerate() {
            let number = at + 1;
            let client =
                redis::Client::open(node.as_str()).map_err(|_| InvalidAddress::Node { number })?;
            if cluster && client.get_connection_info().redis_settings().db() != 0 {
                return Err(InvalidAddress::Database { number });
            }
        }
        Ok(Self { nodes, cluster })
    }

    /// Whether it is a cluster.
    pub fn is_cluster(&self) -> bool {
        self.cluster
    }

    /// Each node that was named, as a URL of its own.
    pub(crate) fn nodes(&self) -> &[String] {
        &self.nodes
    }
}

/// Where a node is, without its credentials.
pub(super) fn place(node: &str) -> &str {
    let place = node.split_once("://").map_or("", |(_, rest)| rest);
    place.rsplit_once('@').map_or(place, |(_, place)| place)
}

impl fmt::Display for Address {
    /// Without credentials: it ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cluster {
            f.write_str("cluster ")?;
        }
        for (at, node) in self.nodes.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { "," }, place(node))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
