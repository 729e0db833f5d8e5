//! Who can reach what, and as whom.

use crate::Case;
use crate::fixture::{API_PORT, Answering, Fixture, Output, armed, spec};
use daypass_compute::{Driver, InstanceId, InstanceSpec};
use std::net::{TcpListener, TcpStream};

pub(crate) const CASES: &[Case] = &[
    ("every_way_to_a_listener_leads_to_the_instances_own", leads_to_its_own),
    ("another_instances_address_gets_an_attacker_nothing", address_theft),
    ("another_instances_address_and_mac_address_get_an_attacker_nothing", mac_theft),
    ("the_api_cannot_be_asked_under_anothers_address", api_address_theft),
    ("instances_of_a_vpc_reach_each_other_under_their_own_addresses", reach_each_other),
    ("instances_of_different_vpcs_do_not_reach_each_other", do_not_reach_other_vpcs),
    ("nothing_of_the_hosts_network_is_there", sees_no_host),
    ("an_instances_api_at_loopback_is_not_reached_from_its_neighbours", loopback_is_its_own),
    ("an_answer_with_a_hop_limit_of_one_reaches_the_instance_itself", hop_limit),
    ("everyone_may_ping", may_ping),
    ("a_stopped_instance_leaves_no_listener_behind_for_its_successor", no_stale_identity),
];

const METADATA: &str = "169.254.169.254:80";
const API: &str = "10.0.0.2:4566";

fn id(output: &Output) -> Option<InstanceId> {
    output.line().split(' ').next().and_then(|word| word.parse().ok())
}

fn leads_to_its_own() {
    let fixture = Fixture::new();
    let specs = [spec(1, 5), spec(1, 6), spec(2, 5)];
    let _answering: Vec<_> = specs.iter().map(|spec| Answering::new(fixture.start(spec))).collect();
    let loopback = format!("127.0.0.1:{API_PORT}");
    for spec in &specs {
        for (address, kind) in [
            (METADATA, "Metadata"),
            ("[fd00:ec2::254]:80", "MetadataIpv6"),
            (API, "Api"),
            (loopback.as_str(), "ApiLoopback"),
        ] {
            let asked = fixture.tool(&spec.id, &["ask", address]);
            assert_eq!(asked.line(), format!("{} {kind}", spec.id), "{asked:?}");
        }
    }
}

/// A victim and an attacker who is root, may change addresses, routes and send what he likes, and announces himself as
/// the victim. Nothing he asks is answered as if the victim asked, and the victim notices nothing.
fn theft(service: &str, also_mac: bool) {
    let fixture = Fixture::new();
    let (victim, attacker) = (spec(1, 5), armed(1, 6));
    let _answering = [Answering::new(fixture.start(&victim)), Answering::new(fixture.start(&attacker))];
    let address = victim.network.private_ip.to_string();
    let attack = |words: &[&str]| fixture.tool(&attacker.id, words);
    assert_eq!(id(&attack(&["ask", service])), Some(attacker.id.clone()));
    if also_mac {
        let taken = attack(&["take-mac", &victim.network.mac.to_string()]);
        assert_eq!(taken.status, 0, "the attack itself must work: {taken:?}");
    }
    for words in [vec!["take-address", &address], vec!["announce", &address, "20"]] {
        let done = attack(&words);
        assert_eq!(done.status, 0, "the attack itself must work: {done:?}");
    }
    let stolen = attack(&["ask-as", service, &address]);
    assert_ne!(id(&stolen), Some(victim.id.clone()), "{stolen:?}");
    assert_ne!(stolen.status, 0, "not even under its own name: {stolen:?}");
    if also_mac {
        attack(&["take-mac", &attacker.network.mac.to_string()]);
    }
    assert_eq!(id(&attack(&["ask", service])), Some(attacker.id.clone()));
    assert_eq!(id(&fixture.tool(&victim.id, &["ask", service])), Some(victim.id.clone()));
}

fn address_theft() {
    theft(METADATA, false);
}

fn mac_theft() {
    theft(METADATA, true);
}

fn api_address_theft() {
    theft(API, true);
}

/// Has one instance listen and the other connect; who did the listener see?
fn connects(fixture: &Fixture, from: &InstanceSpec, to: &InstanceSpec) -> Option<String> {
    let line = "/tmp/tool tool listen 9000 > /tmp/heard 2>&1 < /dev/null & while ! grep -q listening /tmp/heard; do sleep 0.01; done";
    fixture.tool(&to.id, &["ask", "127.0.0.1:1"]);
    assert_eq!(fixture.shell(&to.id, line).status, 0);
    let asked = fixture.tool(&from.id, &["ask", &format!("{}:9000", to.network.private_ip)]);
    (asked.status == 0).then(|| asked.line().to_owned())
}

fn reach_each_other() {
    let fixture = Fixture::new();
    let (one, two) = (spec(1, 5), spec(1, 6));
    let _running = [fixture.start(&one), fixture.start(&two)];
    assert_eq!(connects(&fixture, &one, &two), Some(one.network.private_ip.to_string()));
}

fn do_not_reach_other_vpcs() {
    let fixture = Fixture::new();
    let (one, two) = (spec(1, 5), spec(2, 6));
    let _running = [fixture.start(&one), fixture.start(&two)];
    assert_eq!(connects(&fixture, &one, &two), None);
}

fn sees_no_host() {
    let fixture = Fixture::new();
    let spec = armed(1, 5);
    let _running = fixture.start(&spec);
    let listing = fixture.shell(&spec.id, "ls /sys/class/net; tail -n +3 /proc/net/dev | cut -d: -f1");
    let mut names: Vec<_> = listing.stdout.split_whitespace().collect();
    names.sort_unstable();
    assert_eq!(names, ["eth0", "eth0", "lo", "lo"]);
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap().to_string();
    assert!(TcpStream::connect(&address).is_ok());
    assert_ne!(fixture.tool(&spec.id, &["ask", &address]).status, 0);
}

fn loopback_is_its_own() {
    let fixture = Fixture::new();
    let (one, two) = (armed(1, 5), armed(1, 6));
    let _answering = [Answering::new(fixture.start(&one)), Answering::new(fixture.start(&two))];
    // The neighbour helps: he takes packets for loopback addresses that come in by his wire.
    let opened = fixture.shell(&two.id, "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet");
    assert_eq!(opened.status, 0, "{opened:?}");
    let asked = fixture.tool(&one.id, &["ask", &format!("{}:{API_PORT}", two.network.private_ip)]);
    assert_ne!(asked.status, 0, "{asked:?}");
}

fn hop_limit() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _answering = Answering::with(fixture.start(&spec), |connection| {
        let limit = nix::sys::socket::sockopt::Ipv4Ttl;
        nix::sys::socket::setsockopt(connection, limit, &1).unwrap();
    });
    assert_eq!(id(&fixture.tool(&spec.id, &["ask-from-near", METADATA, "1"])), Some(spec.id.clone()));
    assert_ne!(fixture.tool(&spec.id, &["ask-from-near", METADATA, "2"]).status, 0);
}

fn may_ping() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let tried = fixture.tool(&spec.id, &["call", "ping"]);
    assert_eq!(tried.status, 0, "{tried:?}");
}

fn no_stale_identity() {
    let fixture = Fixture::new();
    let (first, second, neighbour) = (spec(1, 5), spec(1, 5), spec(1, 9));
    // The neighbour keeps the VPC's network alive, and the old listeners are still open.
    let _neighbour = fixture.start(&neighbour);
    let _old = Answering::new(fixture.start(&first));
    fixture.host().terminate(first.id).wait().unwrap();
    let _new = Answering::new(fixture.start(&second));
    for address in [METADATA, API] {
        assert_eq!(id(&fixture.tool(&second.id, &["ask", address])), Some(second.id.clone()));
    }
}
