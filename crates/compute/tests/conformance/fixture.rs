//! A driver with a directory of its own, and what tests do with it.

use daypass_compute::namespaces::{Configuration, Finding, Host, check};
use daypass_compute::{
    Command, Driver, Environment, Error, Event, Exec, ExitStatus, Image, Instance, InstanceId, InstanceSpec,
    Limits, Network, Privileges, Streams, UserData, Vpc,
};
use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const API_PORT: u16 = 4566;
/// Long enough for anything that does come to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether instances can be made here at all.
pub(crate) fn is_privileged() -> bool {
    findings()
        .is_ok_and(|findings| findings.iter().all(|finding| !finding.required || finding.remedy.is_none()))
}

/// Of these each instance has its own, and sees nothing of the machine's.
const OWN: [&str; 5] = ["/tmp", "/var/tmp", "/var/log", "/run", "/root"];

/// Where the suite's directories are, which instances must be able to see: below the checkout, unless that is where they cannot.
pub(crate) fn places() -> PathBuf {
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if !OWN.iter().any(|own| below.starts_with(own)) {
        return below.to_owned();
    }
    let elsewhere = PathBuf::from("/var/lib/daypass-conformance");
    // Who is no administrator sees no instances either.
    match std::fs::create_dir_all(&elsewhere) {
        Ok(()) => elsewhere,
        Err(_) => below.to_owned(),
    }
}

/// Says what this machine lacks.
pub(crate) fn print_findings() -> ! {
    let _ = writeln!(std::io::stdout(), "{:#?}", findings());
    std::process::exit(0)
}

fn findings() -> Result<Vec<Finding>, Error> {
    let directory = tempfile::tempdir_in(places());
    let directory = directory.map_err(|e| Error::NotSupported(format!("make a directory: {e}")))?;
    check(child(), &configuration(directory.path(), &[]))
}

/// Removes what runs of this suite left that were killed.
pub(crate) fn sweep() -> ! {
    for entry in std::fs::read_dir(places()).unwrap() {
        let place = entry.unwrap().path();
        if let Ok(host) = Host::spawn(child(), configuration(&place, &[]), |_| ()) {
            for status in host.instances().wait().unwrap() {
                let _ = host.terminate(status.id).wait();
            }
            drop(host);
            let _ = std::fs::remove_dir_all(place);
        }
    }
    std::process::exit(0)
}

/// The command that starts the driver's child.
pub(crate) fn child() -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.arg("child");
    command
}

/// The driver below `place`, where images are too.
pub(crate) fn configuration(place: &Path, hidden: &[PathBuf]) -> Configuration {
    Configuration {
        directory: place.join("driver"),
        hidden: hidden.to_vec(),
        images: vec![place.join("images")],
    }
}

/// A driver, a directory for it, and everything undone at the end.
pub(crate) struct Fixture {
    pub(crate) host: Option<Host>,
    pub(crate) events: Receiver<Event>,
    pub(crate) place: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| (child(), Vec::new()))
    }

    /// With another way to start the child, and with directories that instances must not see.
    pub(crate) fn with(how: impl FnOnce(&Path) -> (std::process::Command, Vec<PathBuf>)) -> Self {
        let place = tempfile::tempdir_in(places()).unwrap();
        let (command, hidden) = how(place.path());
        let configuration = configuration(place.path(), &hidden);
        let (events, host) = spawn(command, configuration);
        Self { host: Some(host), events, place }
    }

    pub(crate) fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    pub(crate) fn start(&self, spec: &InstanceSpec) -> Instance {
        self.host().start(spec.clone()).wait().unwrap()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, id: &InstanceId, arguments: &[&str]) -> Output {
        run(self.host(), id, Command::new(arguments.iter().copied()), File::open("/dev/null").unwrap().into())
    }

    /// Runs a line of shell to its end.
    pub(crate) fn shell(&self, id: &InstanceId, line: &str) -> Output {
        self.run(id, &["/bin/sh", "-c", line])
    }

    /// Runs the attackers' tool, which is this binary.
    pub(crate) fn tool(&self, id: &InstanceId, arguments: &[&str]) -> Output {
        let binary = File::open(std::env::current_exe().unwrap()).unwrap();
        let line = "test -x /tmp/tool || { cat >/tmp/new && chmod 755 /tmp/new && mv /tmp/new /tmp/tool; }";
        let installed = run(self.host(), id, Command::new(["/bin/sh", "-c", line]), binary.into());
        assert_eq!(installed.status, 0, "{installed:?}");
        let words = ["/tmp/tool", "tool"].iter().chain(arguments).copied().collect::<Vec<_>>();
        self.run(id, &words)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let host =
            self.host.take().unwrap_or_else(|| spawn(child(), configuration(self.place.path(), &[])).1);
        let found = host.instances().wait().unwrap_or_default();
        let gone: Vec<_> = found.into_iter().map(|status| host.terminate(status.id)).collect();
        gone.into_iter().for_each(|reply| drop(reply.wait()));
    }
}

pub(crate) fn spawn(command: std::process::Command, configuration: Configuration) -> (Receiver<Event>, Host) {
    let (sender, events) = channel();
    let host = Host::spawn(command, configuration, move |event| drop(sender.send(event))).unwrap();
    (events, host)
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    pub(crate) fn line(&self) -> &str {
        self.stdout.trim()
    }
}

/// Runs a command to its end.
pub(crate) fn run(driver: &dyn Driver, id: &InstanceId, command: Command, stdin: OwnedFd) -> Output {
    let (exec, [stdout, stderr]) = begin(driver, id, command, stdin);
    let read = |mut pipe: PipeReader| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let (stdout, stderr) = (read(stdout), read(stderr));
    let ExitStatus(status) = exec.wait().unwrap();
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// Begins to run a command.
pub(crate) fn begin(
    driver: &dyn Driver,
    id: &InstanceId,
    command: Command,
    stdin: OwnedFd,
) -> (Exec, [PipeReader; 2]) {
    let (out_reader, stdout) = std::io::pipe().unwrap();
    let (error_reader, stderr) = std::io::pipe().unwrap();
    let streams = Streams::Files { stdin, stdout: stdout.into(), stderr: stderr.into() };
    (driver.exec(id.clone(), command, streams).wait().unwrap(), [out_reader, error_reader])
}

/// A specification that nothing else has; the `n`th instance of the VPC.
pub(crate) fn spec(vpc: u8, n: u8) -> InstanceSpec {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    InstanceSpec {
        id: format!("i-{:09x}{:08x}", u64::from(process), count).parse().unwrap(),
        vpc: Vpc { id: format!("vpc-{vpc:08x}").parse().unwrap(), cidr: "10.0.0.0/16".parse().unwrap() },
        network: Network {
            private_ip: Ipv4Addr::new(10, 0, 1, n),
            subnet: "10.0.1.0/24".parse().unwrap(),
            mac: [2, 0, 0, vpc, 1, n].try_into().unwrap(),
        },
        image: Image::Host,
        hostname: format!("ip-10-0-1-{n}.ec2.internal").parse().unwrap(),
        limits: Limits { vcpus: 1, memory_mib: 512, processes: 128 },
        user_data: UserData::empty(),
        environment: Environment::try_from([
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ])
        .unwrap(),
        api_port: API_PORT,
        nameservers: vec![],
        privileges: Privileges::default(),
    }
}

/// The same, with a network of its own to manage: the better armed attacker.
pub(crate) fn armed(vpc: u8, n: u8) -> InstanceSpec {
    let mut spec = spec(vpc, n);
    spec.privileges.network_admin = true;
    spec
}

/// Answers every connection with the instance that its listener belongs to, until dropped.
pub(crate) struct Answering(Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>);

impl Answering {
    /// `prepare` may change a connection before it is answered.
    pub(crate) fn with(instance: Instance, prepare: fn(&TcpStream)) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = instance.listeners.into_iter().map(|listener| {
            let over = Arc::clone(&over);
            let words = format!("{} {:?}\n", listener.instance, listener.kind);
            std::thread::spawn(move || answer(&listener.socket, &words, &over, prepare))
        });
        Self(over.clone(), threads.collect())
    }

    pub(crate) fn new(instance: Instance) -> Self {
        Self::with(instance, |_| ())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn answer(listener: &TcpListener, words: &str, over: &AtomicBool, prepare: fn(&TcpStream)) {
    while !over.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((mut connection, _)) => {
                connection.set_nonblocking(false).unwrap();
                let mut question = [0];
                prepare(&connection);
                // A client may change its mind.
                let _ = connection
                    .read_exact(&mut question)
                    .and_then(|()| connection.write_all(words.as_bytes()));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Tries again until it holds. For what another process does in its own time.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not within {PATIENCE:?}");
}
