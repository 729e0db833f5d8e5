//! What every driver keeps, whatever stands for an instance.

use crate::fixture::{Fixture, spec};
use daypass_compute::memory::Memory;
use daypass_compute::{
    Command, Driver, Error, InstanceId, InstanceSpec, InstanceStatus, ListenerKind, State, Streams,
};
use libtest_mimic::{Failed, Trial};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::Duration;

type Case = (&'static str, fn(&dyn Driver));

const CASES: &[Case] = &[
    ("an_instance_goes_from_start_to_termination", goes_from_start_to_termination),
    ("an_instance_has_one_listener_of_each_kind_and_they_bear_its_id", has_listeners),
    ("listeners_can_be_opened_again_when_the_old_ones_are_closed", attaches_again),
    ("an_instance_that_runs_is_not_started_again", refuses_second_start),
    ("an_address_is_given_once_in_a_vpc", refuses_second_address),
    ("an_address_is_free_again_when_its_instance_is_stopped", frees_address),
    ("the_same_address_may_be_in_two_vpcs", allows_address_in_two_vpcs),
    ("a_vpc_has_one_block", refuses_second_block),
    ("a_specification_that_contradicts_itself_is_refused", refuses_contradiction),
    ("what_is_not_there_is_not_found", finds_nothing),
    ("what_is_not_there_counts_as_terminated", terminates_nothing),
    ("what_is_stopped_stays_stopped", stops_twice),
    ("instances_are_listed_in_the_order_of_their_ids", lists),
    ("nothing_runs_in_an_instance_that_is_stopped", runs_nothing_when_stopped),
    ("a_command_without_a_program_is_refused", refuses_empty_command),
];

/// The suite, for each driver.
pub(crate) fn trials(privileged: bool) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, run) in CASES {
        trials.push(Trial::test(format!("memory::{name}"), move || {
            run(&Memory::new(|_| ()));
            Ok::<(), Failed>(())
        }));
        let namespaces = Trial::test(format!("namespaces::{name}"), move || {
            let fixture = Fixture::new();
            run(fixture.host());
            Ok(())
        });
        trials.push(namespaces.with_ignored_flag(!privileged));
    }
    trials
}

const NO_TIME: Duration = Duration::ZERO;

fn status(driver: &dyn Driver, id: &InstanceId) -> Result<InstanceStatus, Error> {
    driver.inspect(id.clone()).wait()
}

fn null() -> OwnedFd {
    File::options().read(true).write(true).open("/dev/null").unwrap().into()
}

fn goes_from_start_to_termination(driver: &dyn Driver) {
    let spec = spec(1, 5);
    let state = || status(driver, &spec.id).map(|status| status.state);
    assert_eq!(state(), Err(Error::NotFound(spec.id.clone())));
    drop(driver.start(spec.clone()).wait().unwrap());
    let found = status(driver, &spec.id).unwrap();
    assert_eq!((found.state, found.private_ip), (State::Running, spec.network.private_ip));
    assert_eq!((&found.id, &found.vpc), (&spec.id, &spec.vpc.id));
    driver.stop(spec.id.clone(), Duration::from_secs(10)).wait().unwrap();
    assert_eq!(state(), Ok(State::Stopped));
    drop(driver.start(spec.clone()).wait().unwrap());
    assert_eq!(state(), Ok(State::Running));
    driver.terminate(spec.id.clone()).wait().unwrap();
    assert_eq!(state(), Err(Error::NotFound(spec.id.clone())));
}

fn has_listeners(driver: &dyn Driver) {
    let spec = spec(1, 5);
    let instance = driver.start(spec.clone()).wait().unwrap();
    assert_eq!(instance.id, spec.id);
    assert!(instance.listeners.iter().all(|listener| listener.instance == spec.id));
    let mut kinds: Vec<_> = instance.listeners.iter().map(|listener| listener.kind).collect();
    kinds.sort();
    kinds.retain(|kind| {
        *kind != ListenerKind::MetadataIpv6 || std::path::Path::new("/proc/sys/net/ipv6").exists()
    });
    assert!(
        kinds.starts_with(&[ListenerKind::Metadata])
            && kinds.ends_with(&[ListenerKind::Api, ListenerKind::ApiLoopback])
    );
    let before = kinds.len();
    kinds.dedup();
    assert_eq!(kinds.len(), before);
    // Non-blocking: nobody is there, and nobody is waited for.
    for listener in &instance.listeners {
        assert_eq!(listener.socket.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

fn attaches_again(driver: &dyn Driver) {
    let spec = spec(1, 5);
    assert_eq!(driver.attach(spec.id.clone()).wait().unwrap_err(), Error::NotFound(spec.id.clone()));
    let first = driver.start(spec.clone()).wait().unwrap();
    let kinds = |instance: &daypass_compute::Instance| {
        let mut kinds: Vec<_> = instance.listeners.iter().map(|listener| listener.kind).collect();
        kinds.sort();
        kinds
    };
    let before = kinds(&first);
    drop(first);
    let again = driver.attach(spec.id.clone()).wait().unwrap();
    assert_eq!(kinds(&again), before);
    driver.stop(spec.id.clone(), NO_TIME).wait().unwrap();
    assert_eq!(driver.attach(spec.id.clone()).wait().unwrap_err(), Error::NotRunning(spec.id));
}

fn refuses_second_start(driver: &dyn Driver) {
    let spec = spec(1, 5);
    let _running = driver.start(spec.clone()).wait().unwrap();
    assert_eq!(driver.start(spec.clone()).wait().unwrap_err(), Error::NotStopped(spec.id));
}

fn refuses_second_address(driver: &dyn Driver) {
    let (one, two) = (spec(1, 5), spec(1, 5));
    let _running = driver.start(one.clone()).wait().unwrap();
    assert_eq!(driver.start(two.clone()).wait().unwrap_err(), Error::AddressInUse(one.network.private_ip));
    assert_eq!(status(driver, &two.id), Err(Error::NotFound(two.id.clone())));
}

fn frees_address(driver: &dyn Driver) {
    let (one, two) = (spec(1, 5), spec(1, 5));
    drop(driver.start(one.clone()).wait().unwrap());
    driver.stop(one.id.clone(), NO_TIME).wait().unwrap();
    drop(driver.start(two).wait().unwrap());
    assert_eq!(driver.start(one.clone()).wait().unwrap_err(), Error::AddressInUse(one.network.private_ip));
}

fn allows_address_in_two_vpcs(driver: &dyn Driver) {
    for vpc in [1, 2] {
        drop(driver.start(spec(vpc, 5)).wait().unwrap());
    }
}

fn refuses_second_block(driver: &dyn Driver) {
    drop(driver.start(spec(1, 5)).wait().unwrap());
    let mut other = spec(1, 6);
    other.vpc.cidr = "10.0.0.0/17".parse().unwrap();
    assert!(matches!(driver.start(other).wait().unwrap_err(), Error::Invalid(_)));
}

fn refuses_contradiction(driver: &dyn Driver) {
    let changes: [fn(&mut InstanceSpec); 5] = [
        |spec| spec.network.private_ip = [10, 0, 1, 1].into(),
        |spec| spec.network.private_ip = [10, 0, 2, 5].into(),
        |spec| spec.vpc.cidr = "10.1.0.0/16".parse().unwrap(),
        |spec| spec.api_port = 0,
        |spec| spec.limits.memory_mib = 0,
    ];
    for change in changes {
        let mut spec = spec(1, 5);
        change(&mut spec);
        assert!(matches!(driver.start(spec.clone()).wait().unwrap_err(), Error::Invalid(_)));
        assert_eq!(status(driver, &spec.id), Err(Error::NotFound(spec.id.clone())));
    }
}

fn finds_nothing(driver: &dyn Driver) {
    let id = spec(1, 5).id;
    let nothing = Error::NotFound(id.clone());
    assert_eq!(driver.stop(id.clone(), NO_TIME).wait(), Err(nothing.clone()));
    let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
    assert_eq!(driver.exec(id.clone(), Command::new(["true"]), streams).wait().unwrap_err(), nothing);
    assert_eq!(driver.instances().wait(), Ok(vec![]));
}

fn terminates_nothing(driver: &dyn Driver) {
    assert_eq!(driver.terminate(spec(1, 5).id).wait(), Ok(()));
}

fn stops_twice(driver: &dyn Driver) {
    let spec = spec(1, 5);
    drop(driver.start(spec.clone()).wait().unwrap());
    let both = [driver.stop(spec.id.clone(), NO_TIME), driver.stop(spec.id.clone(), NO_TIME)];
    both.into_iter().for_each(|reply| reply.wait().unwrap());
    driver.stop(spec.id, NO_TIME).wait().unwrap();
}

fn lists(driver: &dyn Driver) {
    let specs = [spec(1, 5), spec(1, 6), spec(2, 5)];
    for spec in specs.iter().rev() {
        drop(driver.start(spec.clone()).wait().unwrap());
    }
    driver.stop(specs[1].id.clone(), NO_TIME).wait().unwrap();
    let listed = driver.instances().wait().unwrap();
    let listed: Vec<_> = listed.into_iter().map(|status| (status.id, status.state)).collect();
    let [one, two, three] = specs.map(|spec| spec.id);
    assert_eq!(listed, [(one, State::Running), (two, State::Stopped), (three, State::Running)]);
}

fn runs_nothing_when_stopped(driver: &dyn Driver) {
    let spec = spec(1, 5);
    drop(driver.start(spec.clone()).wait().unwrap());
    driver.stop(spec.id.clone(), NO_TIME).wait().unwrap();
    let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
    let refused = driver.exec(spec.id.clone(), Command::new(["true"]), streams).wait().unwrap_err();
    assert_eq!(refused, Error::NotRunning(spec.id));
}

fn refuses_empty_command(driver: &dyn Driver) {
    let spec = spec(1, 5);
    drop(driver.start(spec.clone()).wait().unwrap());
    let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
    let refused = driver.exec(spec.id, Command::new([""; 0]), streams).wait().unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)));
}
