use super::*;

#[test]
fn link_local_addresses_and_those_of_nobody_are_not_asked() {
    for (address, expected) in [
        ("192.0.2.1", true),
        ("127.0.0.1", true),
        ("10.0.0.1", true),
        ("2001:db8::1", true),
        ("169.254.169.254", false),
        ("::ffff:169.254.169.254", false),
        ("fe80::1", false),
        ("fd00:ec2::254", false),
        ("0.0.0.0", false),
        ("::", false),
        ("224.0.0.1", false),
        ("ff02::1", false),
        ("255.255.255.255", false),
    ] {
        assert_eq!(may_be_asked(address.parse().unwrap()), expected, "{address}");
    }
}
