//! Which addresses are one client.

use std::net::{IpAddr, Ipv6Addr};

/// The subscriber behind an address. A line gets a whole IPv6 /64 and may use every address in it
/// (RFC 6177, section 2).
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}
