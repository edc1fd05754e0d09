//! Where servers listen, as it is typed.

use std::net::SocketAddr;

/// Reads an address to listen at: that of an interface of this machine, and a port.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an IP address and a port, such as `127.0.0.1:8080`, or `0.0.0.0:8080` for every network of this machine"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_and_port_is_told_how_one_looks() {
        assert_eq!(parse("127.0.0.1:80").unwrap().port(), 80);
        assert!(parse("[::1]:80").unwrap().is_ipv6());
        for text in [
            "8080",
            "localhost:8080",
            "127.0.0.1",
            ":8080",
            "127.0.0.1:99999",
            "",
        ] {
            assert!(
                parse(text).unwrap_err().contains("`127.0.0.1:8080`"),
                "{text}"
            );
        }
    }
}
