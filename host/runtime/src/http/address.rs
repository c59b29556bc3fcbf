//! Which addresses a name may resolve to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who can be reached at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anybody's server.
    Public,
    /// This machine or its own network: only where the grant allows private addresses.
    Private(&'static str),
    /// Nothing that a name has to point at. A cloud's metadata service is of this kind: it hands out credentials.
    Never(&'static str),
}

/// Services that hand out the credentials of the machine they run on: AWS, Azure and Google; AWS for containers and pods;
/// Azure's wire server and Oracle; Alibaba.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
];
/// The same over IPv6: AWS, also for pods; Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// True for addresses that no server can have, whoever names them.
pub(crate) fn is_no_server(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Who can be reached at an address; of an address inside another, who can be reached at the inner one.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => inner(address).map_or_else(|| reach_v6(address), reach_v4),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Never("the metadata service of a cloud");
    }
    match address.octets() {
        [0, ..] => Reach::Never("no address of a server"),
        [127, ..] => Reach::Private("this machine itself"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private("a private network"),
        [169, 254, ..] => Reach::Private("the local link"),
        [100, 64..=127, ..] => Reach::Private("a carrier's shared network"),
        [198, 18..=19, ..] => Reach::Private("a network for measurements"),
        [192, 0, 0, _] | [192, 88, 99, _] => Reach::Never("an address for protocols"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Never("an address for documentation"),
        [224..=239, ..] => Reach::Never("a group of machines"),
        [240..=255, ..] => Reach::Never("a reserved address"),
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if METADATA_V6.contains(&address) {
        return Reach::Never("the metadata service of a cloud");
    }
    if address.is_loopback() {
        return Reach::Private("this machine itself");
    }
    match address.segments() {
        [0xfc00..=0xfdff, ..] => Reach::Private("a private network"),
        [0xfe80..=0xfebf, ..] => Reach::Private("the local link"),
        [0xfec0..=0xfeff, ..] => Reach::Private("a private network"),
        [0xff00..=0xffff, ..] => Reach::Never("a group of machines"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Never("an address for documentation"),
        // NAT64 for local use: where in it the other address stands, its operator decides (RFC 8215).
        [0x64, 0xff9b, 1, ..] => Reach::Never("an address of a translator"),
        // Among them Teredo, which hides another address.
        [0x2001, 0..=0x01ff, ..] => Reach::Never("an address for protocols"),
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never("a reserved address"),
    }
}

/// The IPv4 address that a machine or a gateway would take out of an IPv6 address.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        // IPv4-compatible, except for :: and ::1.
        [0, 0, 0, 0, 0, 0] if g != 0 || h > 1 => v4(g, h),
        // IPv4-mapped; IPv4-translated.
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] => v4(g, h),
        // NAT64.
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        // 6to4.
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use super::*;

    #[track_caller]
    fn of(address: &str) -> Reach {
        reach(address.parse().unwrap())
    }

    #[test]
    fn servers_of_the_world_are_public() {
        for address in [
            "1.1.1.1",
            "20.190.128.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a01:4f8::1",
            "2603:1026::1",
        ] {
            assert_eq!(of(address), Reach::Public, "{address}");
        }
    }

    #[test]
    fn loopback_private_link_local_and_shared_networks_are_private() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "198.18.0.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
        ] {
            assert!(matches!(of(address), Reach::Private(_)), "{address}: {:?}", of(address));
        }
    }

    #[test]
    fn metadata_services_are_never_reached() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "192.0.0.192",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ] {
            assert_eq!(of(address), Reach::Never("the metadata service of a cloud"), "{address}");
        }
    }

    #[test]
    fn unspecified_multicast_documentation_and_reserved_addresses_are_never_reached() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.88.99.1",
            "::",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001::1",
            "100::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(matches!(of(address), Reach::Never(_)), "{address}: {:?}", of(address));
        }
    }

    #[test]
    fn an_address_inside_another_counts() {
        for (form, address) in [
            ("IPv4-mapped", "::ffff:127.0.0.1"),
            ("IPv4-compatible", "::127.0.0.1"),
            ("IPv4-translated", "::ffff:0:127.0.0.1"),
            ("NAT64", "64:ff9b::127.0.0.1"),
            ("6to4", "2002:7f00:1::1"),
        ] {
            assert_eq!(of(address), Reach::Private("this machine itself"), "{form}");
        }
        for (form, address) in
            [("IPv4-mapped", "::ffff:169.254.169.254"), ("NAT64", "64:ff9b::a9fe:a9fe"), ("6to4", "2002:a9fe:a9fe::1")]
        {
            assert_eq!(of(address), Reach::Never("the metadata service of a cloud"), "{form}");
        }
        assert_eq!(of("64:ff9b::1.1.1.1"), Reach::Public);
        for (form, address) in [
            ("behind 96 bits", "64:ff9b:1::7f00:1"),
            ("behind 48 bits", "64:ff9b:1:a9fe:a9:fe00::"),
            ("behind 64 bits", "64:ff9b:1:0:a9:fea9:fe00:0"),
        ] {
            assert!(matches!(of(address), Reach::Never(_)), "NAT64 for local use, {form}");
        }
        assert!(matches!(of("2001:0:4136:e378:8000:63bf:3fff:fdd2"), Reach::Never(_)), "Teredo");
    }
}
