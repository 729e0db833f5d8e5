//! From start to termination, and what is left.

use crate::Case;
use crate::fixture::{Fixture, PATIENCE, child, eventually, spec};
use daypass_compute::namespaces::check;
use daypass_compute::{Driver, Error, Event, Hostname, StopReason};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("an_instance_knows_its_name_its_addresses_and_its_environment", knows_itself),
    ("user_data_runs_once", user_data_once),
    ("user_data_that_is_no_script_is_only_stored", user_data_stored),
    ("user_data_that_cannot_run_is_reported_where_its_output_would_be", user_data_broken),
    ("processes_are_asked_to_end_before_they_are_killed", graceful_stop),
    ("an_order_to_stop_right_after_the_start_is_not_missed", stops_at_once),
    ("processes_that_do_not_want_to_end_are_killed", forced_stop),
    ("an_instance_can_shut_itself_down", shuts_itself_down),
    ("an_instance_whose_first_process_is_killed_is_reported", killed),
    ("an_instance_that_is_stopped_by_order_is_not_reported", stop_is_no_event),
    ("termination_leaves_nothing", leaves_nothing),
    ("a_start_that_fails_leaves_nothing", failed_start),
    ("twenty_instances_at_once", twenty),
    ("the_check_says_that_instances_run_here", checks),
];

fn knows_itself() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.nameservers = vec!["10.0.0.2".parse().unwrap()];
    let _running = fixture.start(&spec);
    for (line, expected) in [
        ("hostname", "ip-10-0-1-5.ec2.internal"),
        ("cat /etc/hostname", "ip-10-0-1-5.ec2.internal"),
        ("getent hosts ip-10-0-1-5 | cut -d' ' -f1", "10.0.1.5"),
        ("cat /etc/resolv.conf", "nameserver 10.0.0.2"),
        ("cat /sys/class/net/eth0/address", "02:00:00:01:01:05"),
        ("echo $AWS_ENDPOINT_URL $AWS_REGION $HOME", "http://127.0.0.1:4566 us-east-1 /root"),
        ("env -i sh -c '. /etc/profile.d/daypass.sh; echo $AWS_ENDPOINT_URL'", "http://127.0.0.1:4566"),
        ("grep ENDPOINT /etc/environment", "AWS_ENDPOINT_URL=\"http://127.0.0.1:4566\""),
    ] {
        let said = fixture.shell(&spec.id, line);
        assert_eq!(said.line(), expected, "{line}: {said:?}");
    }
    // What changes with a start is changed; what else is in the file stays.
    fixture.shell(&spec.id, "echo EDITOR=vi >> /etc/environment");
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    spec.environment = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9999")].try_into().unwrap();
    spec.hostname = Hostname::try_from("renamed".to_owned()).unwrap();
    let _running = fixture.start(&spec);
    let said = fixture.shell(
        &spec.id,
        "hostname; grep -c ENDPOINT /etc/environment; cat /etc/environment; echo $AWS_REGION",
    );
    let expected =
        ["renamed", "1", "AWS_DEFAULT_REGION=\"us-east-1\"", "AWS_REGION=\"us-east-1\"", "EDITOR=vi"];
    assert_eq!(said.stdout.lines().take(5).collect::<Vec<_>>(), expected);
    assert_eq!(said.stdout.lines().nth(5), Some("AWS_ENDPOINT_URL=\"http://127.0.0.1:9999\""));
}

const LOG: &str = "/var/log/cloud-init-output.log";

fn user_data_once() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    let script =
        "#!/bin/sh\necho ran as $(id -u) in $AWS_REGION\necho oops >&2\necho x >> /root/count\nsleep 1000\n";
    spec.user_data = script.as_bytes().to_vec().try_into().unwrap();
    let _running = fixture.start(&spec);
    let log = || fixture.run(&spec.id, &["cat", LOG]).stdout;
    eventually("the script's output", || log() == "ran as 0 in us-east-1\noops\n");
    for _ in 0..2 {
        fixture.host().stop(spec.id.clone(), Duration::from_secs(5)).wait().unwrap();
        drop(fixture.start(&spec));
    }
    assert_eq!(fixture.run(&spec.id, &["cat", "/root/count"]).stdout, "x\n");
    assert_eq!(log(), "ran as 0 in us-east-1\noops\n");
    let kept = fixture.shell(
        &spec.id,
        "stat -c %a /var/lib/cloud/instance/user-data.txt; cat /var/lib/cloud/instance/user-data.txt",
    );
    assert_eq!(kept.stdout, format!("600\n{script}"));
}

fn user_data_stored() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.user_data = b"#cloud-config\nruncmd: [touch /root/ran]\n".to_vec().try_into().unwrap();
    let _running = fixture.start(&spec);
    let found = fixture.shell(
        &spec.id,
        "head -n 1 /var/lib/cloud/instance/user-data.txt; ls -A /root /var/lib/cloud/instance/scripts",
    );
    assert_eq!(
        found.stdout.lines().collect::<Vec<_>>(),
        ["#cloud-config", "/root:", "", "/var/lib/cloud/instance/scripts:"]
    );
}

fn user_data_broken() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.user_data = b"#!/nonexistent\n".to_vec().try_into().unwrap();
    let _running = fixture.start(&spec);
    let log = || fixture.run(&spec.id, &["cat", LOG]).stdout;
    eventually("a word about it", || log().contains("No such file"));
}

/// Starts an instance whose user data takes note of SIGTERM in its own way.
fn with_trap(fixture: &Fixture, trap: &str) -> daypass_compute::InstanceId {
    let mut spec = spec(1, 5);
    let script = format!("#!/bin/sh\ntrap '{trap}' TERM\ntouch /root/ready\nwhile :; do sleep 0.05; done\n");
    spec.user_data = script.into_bytes().try_into().unwrap();
    drop(fixture.start(&spec));
    eventually("the script", || fixture.run(&spec.id, &["test", "-e", "/root/ready"]).status == 0);
    fixture
        .host()
        .stop(spec.id.clone(), if trap.is_empty() { Duration::from_secs(1) } else { PATIENCE })
        .wait()
        .unwrap();
    drop(fixture.start(&spec));
    spec.id
}

fn graceful_stop() {
    let fixture = Fixture::new();
    let id = with_trap(&fixture, "touch /root/asked; exit 0");
    assert_eq!(fixture.run(&id, &["test", "-e", "/root/asked"]).status, 0);
}

/// With so much grace that a missed order would show.
fn stops_at_once() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    for _ in 0..20 {
        drop(fixture.start(&spec));
        fixture.host().stop(spec.id.clone(), Duration::from_secs(600)).wait().unwrap();
    }
}

fn forced_stop() {
    let fixture = Fixture::new();
    let id = with_trap(&fixture, "");
    assert_eq!(fixture.run(&id, &["test", "-e", "/root/ready"]).status, 0);
}

fn shuts_itself_down() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    fixture.shell(&spec.id, "kill -TERM 1; sleep 100");
    let event = fixture.events.recv_timeout(PATIENCE);
    assert_eq!(event, Ok(Event::Stopped { id: spec.id.clone(), reason: StopReason::Shutdown }));
    drop(fixture.start(&spec));
}

/// The first process of an instance, as the host numbers it.
fn first_process(fixture: &Fixture, id: &daypass_compute::InstanceId) -> i32 {
    let record = fixture.place.path().join("driver/instances").join(id.as_str()).join("record.json");
    let record: serde_json::Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    record["process"]["pid"].as_i64().unwrap() as i32
}

fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

fn killed() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    kill(first_process(&fixture, &spec.id));
    let event = fixture.events.recv_timeout(PATIENCE);
    assert_eq!(event, Ok(Event::Stopped { id: spec.id.clone(), reason: StopReason::Killed }));
    let refused = fixture.host().attach(spec.id.clone()).wait().unwrap_err();
    assert_eq!(refused, Error::NotRunning(spec.id.clone()));
    drop(fixture.start(&spec));
}

fn stop_is_no_event() {
    let fixture = Fixture::new();
    let (one, two) = (spec(1, 5), spec(1, 6));
    let _running = [fixture.start(&one), fixture.start(&two)];
    fixture.host().stop(one.id, Duration::from_secs(1)).wait().unwrap();
    kill(first_process(&fixture, &two.id));
    let event = fixture.events.recv_timeout(PATIENCE);
    assert_eq!(event, Ok(Event::Stopped { id: two.id, reason: StopReason::Killed }));
    assert!(fixture.events.try_recv().is_err());
}

/// What an instance is made of, as far as the host can see it and as far as it belongs to one fixture.
#[derive(Debug, PartialEq, Eq)]
struct Pieces {
    /// Processes whose user is the instance's.
    processes: Vec<String>,
    mounts: Vec<String>,
    control_groups: Vec<String>,
    directories: Vec<String>,
    /// Interfaces of the host's own.
    interfaces: BTreeSet<String>,
}

impl Pieces {
    fn of(fixture: &Fixture, ids: &BTreeSet<u32>) -> Self {
        let place = fixture.place.path().to_str().unwrap();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let directory = fs::metadata(fixture.place.path().join("driver")).unwrap();
        let tag = format!("daypass-{:x}-{:x}", directory.dev(), directory.ino());
        Self {
            processes: names("/proc")
                .into_iter()
                .filter(|pid| owner(pid).is_some_and(|id| ids.contains(&id)))
                .collect(),
            mounts: mounts.lines().filter(|line| line.contains(place)).map(str::to_owned).collect(),
            control_groups: find("/sys/fs/cgroup".as_ref(), &tag, 6),
            directories: ["instances", "trash"]
                .iter()
                .flat_map(|part| names(&format!("{place}/driver/{part}")))
                .collect(),
            interfaces: names("/sys/class/net").into_iter().collect(),
        }
    }
}

/// The range of ids that a process's user is in.
fn owner(pid: &str) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse::<u32>().ok().map(|uid| uid & !0xffff)
}

fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn find(directory: &std::path::Path, name: &str, depth: u32) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found = Vec::new();
    for entry in directories {
        if entry.file_name().to_str().is_some_and(|n| n.contains(name)) {
            found.push(entry.path().display().to_string());
        }
        found.extend(find(&entry.path(), name, depth - 1));
    }
    found
}

/// Inodes of all network namespaces in which something runs.
fn network_namespaces() -> BTreeSet<u64> {
    let of = |pid: String| fs::metadata(format!("/proc/{pid}/ns/net")).ok().map(|found| found.ino());
    names("/proc").into_iter().filter_map(of).collect()
}

fn leaves_nothing() {
    let fixture = Fixture::new();
    let before = Pieces::of(&fixture, &BTreeSet::new());
    let specs = [spec(1, 5), spec(1, 6), spec(2, 5)];
    let running = specs.each_ref().map(|spec| fixture.start(spec));
    let mut ids = BTreeSet::new();
    let (mut namespaces, mut held) = (BTreeSet::new(), vec![]);
    for spec in &specs {
        let map = fixture.shell(
            &spec.id,
            "cat /proc/self/uid_map; mkdir -p /root/a/b/c; touch /root/a/b/c/d; ln -s / /root/a/host",
        );
        ids.insert(map.stdout.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap());
        fixture.shell(&spec.id, "sleep 1000 >/dev/null 2>&1 </dev/null &");
        let file = fs::File::open(format!("/proc/{}/ns/net", first_process(&fixture, &spec.id))).unwrap();
        namespaces.insert(file.metadata().unwrap().ino());
        // As long as one is held open its number is given to no other, as to one of a test that runs beside this.
        held.push(file);
    }
    let during = Pieces::of(&fixture, &ids);
    assert!(
        during.processes.len() >= 6 && during.directories.len() == 3 && !during.control_groups.is_empty()
    );
    assert_eq!(
        (&during.mounts, &during.interfaces),
        (&before.mounts, &before.interfaces),
        "nothing to see on the host"
    );
    drop(running);
    let gone: Vec<_> = specs.iter().map(|spec| fixture.host().terminate(spec.id.clone())).collect();
    gone.into_iter().for_each(|reply| reply.wait().unwrap());
    assert_eq!(Pieces::of(&fixture, &ids), before);
    assert!(network_namespaces().is_disjoint(&namespaces));
    assert_eq!(fixture.host().instances().wait(), Ok(vec![]));
    assert!(fixture.events.try_recv().is_err());
}

fn failed_start() {
    let fixture = Fixture::new();
    let before = Pieces::of(&fixture, &BTreeSet::new());
    let mut spec = spec(1, 5);
    // Refused before there is anything, and when nearly all is there: there is no place for the files of /etc.
    for (image, content) in [("nonexistent", None), ("broken", Some("etc"))] {
        let image = fixture.place.path().join("images").join(image);
        if let Some(file) = content {
            fs::create_dir_all(&image).unwrap();
            fs::write(image.join(file), "").unwrap();
        }
        spec.image = daypass_compute::Image::Directory(image);
        let refused = fixture.host().start(spec.clone()).wait();
        assert!(matches!(refused, Err(Error::System { .. })), "{refused:?}");
    }
    eventually("nothing left", || Pieces::of(&fixture, &BTreeSet::new()) == before);
    assert_eq!(fixture.host().instances().wait(), Ok(vec![]));
}

fn twenty() {
    let fixture = Fixture::new();
    let specs: Vec<_> = (5..25).map(|n| spec(n % 3, n)).collect();
    let replies: Vec<_> = specs.iter().map(|spec| fixture.host().start(spec.clone())).collect();
    let running: Vec<_> = replies.into_iter().map(|reply| reply.wait().unwrap()).collect();
    assert_eq!(running.len(), 20);
    for spec in &specs {
        assert_eq!(fixture.run(&spec.id, &["hostname"]).line(), spec.hostname.as_str());
    }
    let gone: Vec<_> = specs.iter().map(|spec| fixture.host().terminate(spec.id.clone())).collect();
    gone.into_iter().for_each(|reply| reply.wait().unwrap());
}

fn checks() {
    let place = tempfile::tempdir_in(crate::fixture::places()).unwrap();
    let found = check(child(), &crate::fixture::configuration(place.path(), &[])).unwrap();
    assert!(
        found.len() >= 2 && found.iter().all(|finding| !finding.required || finding.remedy.is_none()),
        "{found:?}"
    );
    // Without its privileges it says which.
    let mut poor = std::process::Command::new("setpriv");
    poor.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--"]);
    poor.arg(std::env::current_exe().unwrap()).arg("child");
    let found = check(poor, &crate::fixture::configuration(place.path(), &[])).unwrap();
    let remedies: Vec<_> =
        found.iter().filter(|finding| finding.required).filter_map(|f| f.remedy.clone()).collect();
    assert!(remedies.len() == 1 && remedies[0].contains("CAP_SYS_ADMIN"), "{found:?}");
}
