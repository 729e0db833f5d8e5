//! Commands inside an instance.

use crate::Case;
use crate::fixture::{Fixture, begin, eventually, run, spec};
use daypass_compute::{Command, Driver, Error, ExitStatus, InstanceId, Signal, Streams, TerminalSize, User};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

pub(crate) const CASES: &[Case] = &[
    ("the_exit_status_is_that_of_the_command", exit_status),
    ("what_is_written_to_a_command_it_reads", standard_input),
    ("a_command_that_cannot_be_run_is_told_from_one_that_fails", not_run),
    ("a_command_runs_where_as_whom_and_with_what_it_is_told", as_told),
    ("a_command_is_signalled_with_what_it_started", signals),
    ("a_command_is_killed_with_its_client", dies_with_client),
    ("a_command_ends_with_its_instance", dies_with_instance),
    ("a_terminal_is_the_instances_own", terminal),
    ("what_was_left_behind_by_a_command_runs_on", left_behind),
    ("many_commands_at_once", many),
    ("long_arguments_pass_through", long_arguments),
];

fn null() -> OwnedFd {
    File::options().read(true).write(true).open("/dev/null").unwrap().into()
}

fn exit_status() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    for (line, status) in
        [("true", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
    {
        assert_eq!(fixture.shell(&spec.id, line).status, status, "{line}");
    }
}

fn standard_input() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let (stdin, mut writer) = std::io::pipe().unwrap();
    let text = "line\n".repeat(100_000);
    let sent = text.clone();
    let feeder = std::thread::spawn(move || writer.write_all(sent.as_bytes()).unwrap());
    let output = run(fixture.host(), &spec.id, Command::new(["sh", "-c", "cat; echo end >&2"]), stdin.into());
    feeder.join().unwrap();
    assert!(output.stdout == text && output.stderr == "end\n");
}

fn not_run() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    fixture.shell(&spec.id, "echo text > /tmp/text; echo '#!/nowhere' > /tmp/broken; chmod 755 /tmp/broken");
    for (program, is_there) in [
        ("nonexistent", false),
        ("/nonexistent", false),
        ("/tmp/text", true),
        ("/tmp", true),
        ("/tmp/broken", false),
    ] {
        let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
        match fixture.host().exec(spec.id.clone(), Command::new([program]), streams).wait() {
            Err(Error::Command { found, .. }) => assert_eq!(found, is_there, "{program}"),
            other => panic!("{program}: {other:?}"),
        }
    }
}

fn as_told() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let told = |change: fn(&mut Command)| {
        let mut command = Command::new([
            "sh",
            "-c",
            "id -u; id -g; id -G; pwd; echo $HOME $AWS_REGION $EXTRA; grep ^CapEff /proc/self/status",
        ]);
        change(&mut command);
        run(fixture.host(), &spec.id, command, null()).stdout
    };
    assert_eq!(told(|_| ()), "0\n0\n0\n/root\n/root us-east-1\nCapEff:\t00000000800405fb\n");
    let other = told(|command| {
        command.user = User { uid: 1000, gid: 1001 };
        command.directory = Some("/usr".to_owned());
        command.environment = vec![
            ("EXTRA".to_owned(), "$x 'y'".to_owned()),
            ("AWS_REGION".to_owned(), "eu-west-1".to_owned()),
        ];
    });
    assert_eq!(other, "1000\n1001\n1001\n/usr\n/ eu-west-1 $x 'y'\nCapEff:\t0000000000000000\n");
    let mut command = Command::new(["true"]);
    command.directory = Some("/nonexistent".to_owned());
    let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
    assert!(matches!(
        fixture.host().exec(spec.id.clone(), command, streams).wait(),
        Err(Error::System { .. })
    ));
}

/// How many processes of that name run inside.
fn count(fixture: &Fixture, id: &InstanceId, name: &str) -> usize {
    let listing = fixture.shell(id, "cat /proc/[0-9]*/comm");
    listing.stdout.lines().filter(|line| *line == name).count()
}

const SLEEPERS: &str = "sleep 1000 & sleep 1000 & echo there; wait";

fn begin_sleepers(fixture: &Fixture, id: &InstanceId) -> daypass_compute::Exec {
    let (exec, [mut stdout, _]) = begin(fixture.host(), id, Command::new(["sh", "-c", SLEEPERS]), null());
    stdout.read_exact(&mut [0; 6]).unwrap();
    assert_eq!(count(fixture, id, "sleep"), 2);
    exec
}

fn signals() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let exec = begin_sleepers(&fixture, &spec.id);
    exec.signaller().send(Signal::TERMINATE);
    assert_eq!(exec.wait(), Ok(ExitStatus(143)));
    eventually("no sleepers", || count(&fixture, &spec.id, "sleep") == 0);
}

fn dies_with_client() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    drop(begin_sleepers(&fixture, &spec.id));
    eventually("no sleepers", || count(&fixture, &spec.id, "sleep") == 0);
}

fn dies_with_instance() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let exec = begin_sleepers(&fixture, &spec.id);
    fixture.host().stop(spec.id, std::time::Duration::ZERO).wait().unwrap();
    assert_eq!(exec.wait(), Ok(ExitStatus(137)));
}

fn terminal() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let open = |line: &str, user: User| {
        let mut command = Command::new(["sh", "-c", line]);
        command.user = user;
        let size = TerminalSize { rows: 41, columns: 97 };
        let mut exec = fixture.host().exec(spec.id.clone(), command, Streams::Terminal(size)).wait().unwrap();
        let near = File::from(exec.take_terminal().unwrap());
        (exec, near)
    };
    let read = |near: &mut File| {
        let mut text = String::new();
        // The far end's end is an error here.
        let _ = near.read_to_string(&mut text);
        text.replace("\r\n", "\n")
    };
    let (exec, mut near) =
        open("tty; stty size; read line; echo got $line; test -t 2; exit $?", User::default());
    let mut start = [0; 19];
    near.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"/dev/pts/0\r\n41 97\r\n");
    near.write_all(b"hello\n").unwrap();
    assert_eq!(read(&mut near), "hello\ngot hello\n");
    assert_eq!(exec.wait(), Ok(ExitStatus(0)));
    // Another user can open what is his, and the keys for signals reach what runs in the foreground.
    let (exec, mut near) = open("echo x > $(tty) && echo $TERM && sleep 1000", User { uid: 1000, gid: 1000 });
    let mut start = [0; 19];
    near.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"x\r\nxterm-256color\r\n");
    // A shell that is just making a process may lose the signal.
    eventually("the sleeper", || count(&fixture, &spec.id, "sleep") == 1);
    near.write_all(&[3]).unwrap();
    assert_eq!(exec.wait(), Ok(ExitStatus(130)));
    // The operator's own terminal is not there to be typed into.
    let pushed = fixture.tool(&spec.id, &["call", "push-input"]);
    assert_eq!(i32::from(pushed.status), libc::EPERM);
}

fn left_behind() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    assert_eq!(fixture.shell(&spec.id, "sleep 1000 >/dev/null 2>&1 </dev/null &").status, 0);
    assert_eq!(count(&fixture, &spec.id, "sleep"), 1);
    // Its end is taken note of by the first process.
    fixture.shell(
        &spec.id,
        "for p in /proc/[0-9]*; do case $(cat $p/comm) in sleep) kill ${p#/proc/};; esac; done",
    );
    eventually("no remains", || count(&fixture, &spec.id, "sleep") == 0);
}

fn many() {
    let fixture = Fixture::new();
    let specs = [spec(1, 5), spec(1, 6)];
    let _running = specs.each_ref().map(|spec| fixture.start(spec));
    std::thread::scope(|scope| {
        for n in 0..50_u8 {
            let (host, id) = (fixture.host(), &specs[usize::from(n % 2)].id);
            scope.spawn(move || {
                let output =
                    run(host, id, Command::new(["sh", "-c", &format!("echo {n}; exit {n}")]), null());
                assert_eq!((output.status, output.line()), (n, n.to_string().as_str()));
            });
        }
    });
}

fn long_arguments() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let long = "\"\n".repeat(40_000);
    assert_eq!(fixture.run(&spec.id, &["printf", "%s", &long]).stdout, long);
    // One that no message holds is refused, and nothing else suffers.
    let longer = "\u{1}".repeat(90_000);
    let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
    let refused = fixture.host().exec(spec.id.clone(), Command::new(["true", &longer]), streams).wait();
    assert!(matches!(refused, Err(Error::System { .. })), "{refused:?}");
    assert_eq!(fixture.shell(&spec.id, "echo well").line(), "well");
}
