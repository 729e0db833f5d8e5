//! The death of those who know of an instance.

use crate::Case;
use crate::fixture::{Answering, Fixture, PATIENCE, child, configuration, eventually, run, spawn, spec};
use daypass_compute::namespaces::Host;
use daypass_compute::{Command, Driver, Event, InstanceId, InstanceSpec, State, StopReason};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("instances_survive_the_death_of_server_and_child", survives),
    ("instances_survive_the_death_of_the_child_alone", survives_child),
    ("a_command_does_not_survive_the_death_of_the_child", command_dies),
    ("what_died_while_nobody_looked_is_stopped", died_unseen),
    ("what_dies_under_a_new_child_is_reported", dies_adopted),
    ("what_was_left_half_made_is_removed", half_made),
    ("an_instance_whose_record_cannot_be_read_is_left_alone_until_it_is_terminated", unreadable),
    ("two_drivers_do_not_share_a_directory", two_drivers),
    ("a_process_that_took_the_port_of_the_api_keeps_an_instance_from_nothing_else", port_taken),
];

/// A server of its own: starts the instances that it is told of on standard input, says so, and waits to be killed.
pub(crate) fn serve(place: &Path) -> ! {
    let mut say = std::io::stdout();
    let host = Host::spawn(child(), configuration(place, &[]), |_| ()).unwrap();
    writeln!(say, "{}", host.process_id()).unwrap();
    let mut running = Vec::new();
    for line in std::io::stdin().lines() {
        let spec: InstanceSpec = serde_json::from_str(&line.unwrap()).unwrap();
        running.push(host.start(spec).wait().unwrap());
        writeln!(say, "started").unwrap();
    }
    std::process::exit(0)
}

/// A server in a process of its own, with instances.
struct Server {
    process: Child,
    child: i32,
    place: tempfile::TempDir,
}

impl Server {
    fn with(specs: &[InstanceSpec]) -> Self {
        let place = tempfile::tempdir_in(crate::fixture::places()).unwrap();
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.arg("server").arg(place.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let child = lines.next().unwrap().unwrap().parse().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        for spec in specs {
            writeln!(stdin, "{}", serde_json::to_string(spec).unwrap()).unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "started");
        }
        process.stdin = Some(stdin);
        Self { process, child, place }
    }

    /// Kills both halves, the child first, so that it cannot tidy up.
    fn kill(mut self) -> tempfile::TempDir {
        kill(self.child);
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.place
    }
}

fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

/// Takes the place of a server that died.
fn succeed(place: tempfile::TempDir) -> Fixture {
    let (events, host) = spawn(child(), configuration(place.path(), &[]));
    Fixture { host: Some(host), events, place }
}

fn states(fixture: &Fixture) -> Vec<(InstanceId, State)> {
    fixture.host().instances().wait().unwrap().into_iter().map(|status| (status.id, status.state)).collect()
}

fn record(place: &Path, id: &InstanceId) -> serde_json::Value {
    let file = place.join("driver/instances").join(id.as_str()).join("record.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn survives() {
    let specs = [spec(1, 5), spec(1, 6), spec(2, 5)];
    let server = Server::with(&specs);
    let before: Vec<_> = specs.iter().map(|spec| record(server.place.path(), &spec.id)).collect();
    let fixture = succeed(server.kill());
    assert_eq!(states(&fixture), specs.each_ref().map(|spec| (spec.id.clone(), State::Running)));
    let _answering: Vec<_> = specs
        .iter()
        .map(|spec| Answering::new(fixture.host().attach(spec.id.clone()).wait().unwrap()))
        .collect();
    for (spec, before) in specs.iter().zip(before) {
        assert_eq!(record(fixture.place.path(), &spec.id)["process"], before["process"], "the same process");
        for address in ["169.254.169.254:80", "[fd00:ec2::254]:80", "10.0.0.2:4566", "127.0.0.1:4566"] {
            let asked = fixture.tool(&spec.id, &["ask", address]);
            assert!(asked.stdout.starts_with(spec.id.as_str()), "{address}: {asked:?}");
        }
    }
    // Everything that can be done with an instance can be done with these.
    fixture.shell(&specs[0].id, "echo kept > /root/file");
    fixture.host().stop(specs[0].id.clone(), Duration::from_secs(5)).wait().unwrap();
    drop(fixture.start(&specs[0]));
    assert_eq!(fixture.shell(&specs[0].id, "cat /root/file").line(), "kept");
    let newcomer = spec(1, 7);
    let _answering_newcomer = Answering::new(fixture.start(&newcomer));
    assert!(
        fixture.tool(&newcomer.id, &["ask", "169.254.169.254:80"]).stdout.starts_with(newcomer.id.as_str())
    );
    let refused = fixture.host().start(spec(1, 6)).wait();
    assert!(refused.is_err(), "the address is in use");
}

fn survives_child() {
    let mut fixture = Fixture::new();
    let spec = spec(1, 5);
    let running = fixture.start(&spec);
    kill(fixture.host().process_id() as i32);
    assert_eq!(fixture.events.recv_timeout(PATIENCE), Ok(Event::Lost));
    assert_eq!(fixture.host().inspect(spec.id.clone()).wait(), Err(daypass_compute::Error::Lost));
    // The listeners are the server's, and serve on.
    let answering = Answering::new(running);
    fixture.host = None;
    let (events, host) = spawn(child(), configuration(fixture.place.path(), &[]));
    (fixture.host, fixture.events) = (Some(host), events);
    assert!(fixture.tool(&spec.id, &["ask", "169.254.169.254:80"]).stdout.starts_with(spec.id.as_str()));
    assert!(fixture.host().attach(spec.id.clone()).wait().is_err(), "they are still held");
    drop(answering);
    drop(fixture.host().attach(spec.id).wait().unwrap());
}

fn command_dies() {
    let mut fixture = Fixture::new();
    let spec = spec(1, 5);
    drop(fixture.start(&spec));
    let null = || File::open("/dev/null").unwrap().into();
    let (exec, _) = crate::fixture::begin(fixture.host(), &spec.id, Command::new(["sleep", "1000"]), null());
    kill(fixture.host().process_id() as i32);
    assert_eq!(exec.wait(), Err(daypass_compute::Error::Lost));
    let (_events, host) = spawn(child(), configuration(fixture.place.path(), &[]));
    let listing = || run(&host, &spec.id, Command::new(["sh", "-c", "cat /proc/[0-9]*/comm"]), null());
    eventually("no sleeper", || !listing().stdout.contains("sleep"));
    drop(host);
    fixture.host = None;
}

fn died_unseen() {
    let specs = [spec(1, 5), spec(1, 6)];
    let server = Server::with(&specs);
    let pid = record(server.place.path(), &specs[0].id)["process"]["pid"].as_i64().unwrap() as i32;
    let place = server.kill();
    kill(pid);
    // A process that is told to die is there for a moment more, and its instance would be found running until then.
    eventually("it is gone", || fs::metadata(format!("/proc/{pid}/ns/net")).is_err());
    let fixture = succeed(place);
    assert_eq!(
        states(&fixture),
        [(specs[0].id.clone(), State::Stopped), (specs[1].id.clone(), State::Running)]
    );
    drop(fixture.start(&specs[0]));
}

fn dies_adopted() {
    let specs = [spec(1, 5)];
    let server = Server::with(&specs);
    let pid = record(server.place.path(), &specs[0].id)["process"]["pid"].as_i64().unwrap() as i32;
    let fixture = succeed(server.kill());
    kill(pid);
    let event = fixture.events.recv_timeout(PATIENCE);
    assert_eq!(event, Ok(Event::Stopped { id: specs[0].id.clone(), reason: StopReason::Unknown }));
    drop(fixture.start(&specs[0]));
}

fn half_made() {
    let specs = [spec(1, 5)];
    let server = Server::with(&specs);
    let driver = server.place.path().join("driver");
    // A start that came as far as the disk; a removal that began; a child that died while it replaced a record.
    let half = spec(1, 9).id;
    fs::create_dir_all(driver.join("instances").join(half.as_str()).join("disk/root/upper/etc")).unwrap();
    fs::create_dir_all(driver.join("trash").join(format!("{half}.1.1/disk/a/b"))).unwrap();
    fs::write(driver.join("instances").join(specs[0].id.as_str()).join("record.new"), "{").unwrap();
    // And something that is no instance's.
    fs::create_dir(driver.join("instances/lost+found")).unwrap();
    let fixture = succeed(server.kill());
    assert_eq!(states(&fixture), [(specs[0].id.clone(), State::Running)]);
    eventually("the remains are removed", || fs::read_dir(driver.join("trash")).unwrap().count() == 0);
    assert!(!driver.join("instances").join(half.as_str()).exists());
    assert!(driver.join("instances/lost+found").exists());
    assert_eq!(fixture.shell(&specs[0].id, "echo well").line(), "well");
}

fn unreadable() {
    let spec = spec(1, 5);
    let server = Server::with(std::slice::from_ref(&spec));
    let directory = server.place.path().join("driver/instances").join(spec.id.as_str());
    let pid = record(server.place.path(), &spec.id)["process"]["pid"].as_i64().unwrap();
    let place = server.kill();
    fs::write(directory.join("record.json"), "{").unwrap();
    let fixture = succeed(place);
    assert_eq!(states(&fixture), []);
    assert!(directory.join("disk").exists());
    let refused = fixture.host().start(spec.clone()).wait();
    assert!(matches!(refused, Err(daypass_compute::Error::System { .. })), "{refused:?}");
    fixture.host().terminate(spec.id.clone()).wait().unwrap();
    assert!(!directory.exists());
    eventually("nothing of it runs", || !Path::new(&format!("/proc/{pid}")).exists());
    drop(fixture.start(&spec));
}

fn two_drivers() {
    let fixture = Fixture::new();
    let second = Host::spawn(child(), configuration(fixture.place.path(), &[]), |_| ());
    assert!(matches!(second, Err(daypass_compute::Error::System { .. })), "{second:?}");
}

fn port_taken() {
    let specs = [spec(1, 5)];
    let mut fixture = succeed(Server::with(&specs).kill());
    let id = &specs[0].id;
    fixture.tool(id, &["ask", "127.0.0.1:1"]);
    let line = "/tmp/tool tool listen 4566 > /tmp/heard 2>&1 < /dev/null & while ! grep -q listening /tmp/heard; do sleep 0.01; done";
    assert_eq!(fixture.shell(id, line).status, 0);
    fixture.host = None;
    let (events, host) = spawn(child(), configuration(fixture.place.path(), &[]));
    (fixture.host, fixture.events) = (Some(host), events);
    let attached = fixture.host().attach(id.clone()).wait().unwrap();
    let kinds: Vec<_> = attached.listeners.iter().map(|listener| listener.kind).collect();
    assert!(
        !kinds.contains(&daypass_compute::ListenerKind::ApiLoopback)
            && kinds.contains(&daypass_compute::ListenerKind::Api)
    );
}
