//! Root inside against the host.

use crate::Case;
use crate::fixture::{Fixture, Output, child, spec};
use daypass_compute::{Command, Driver, Error, InstanceId, Streams};
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub(crate) const CASES: &[Case] = &[
    ("the_hosts_secrets_cannot_be_read", secrets),
    ("the_servers_data_cannot_be_seen_even_where_everyone_may_read_it", data_directory),
    ("what_is_hidden_stays_hidden_when_root_inside_rearranges_the_directories", stays_hidden),
    ("processes_of_the_host_and_of_neighbours_are_not_there", processes),
    ("the_first_process_cannot_be_looked_into", first_process),
    ("the_kernel_cannot_be_changed_by_its_files", kernel_files),
    ("system_calls_that_have_no_place_in_an_instance_are_refused", calls),
    ("root_inside_has_the_capabilities_that_are_documented_and_no_others", capabilities),
    ("nested_namespaces_are_there_only_for_who_may_have_them", nesting),
    ("raw_packets_are_there_only_for_who_may_send_them", raw_packets),
    ("no_descriptor_of_the_driver_reaches_a_command", descriptors),
    ("a_directory_is_not_taken_as_a_stream", directory_as_stream),
    ("sockets_and_pipes_of_the_hosts_lead_nowhere", sockets),
    ("every_instance_has_ids_of_its_own", ids),
    ("a_crash_inside_does_not_run_anything_on_the_host", cores),
];

fn refused(output: &Output) {
    assert_ne!(output.status, 0, "{output:?}");
}

fn secrets() {
    let fixture = Fixture::new();
    let secret = fixture.place.path().join("secret");
    fs::write(&secret, "hunter2").unwrap();
    fs::set_permissions(fixture.place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let open = fixture.place.path().join("open");
    fs::write(&open, "everyone's").unwrap();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    for mode in [0o600, 0o640] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        let read = fixture.run(&spec.id, &["cat", secret.to_str().unwrap()]);
        refused(&read);
        assert!(!read.stdout.contains("hunter2"));
        for line in ["chmod 644 F", "cp F /tmp/x", "mv F /root/x", "ln F /root/x", "ln F /tmp/x", "chown 0 F"]
        {
            refused(&fixture.shell(&spec.id, &line.replace('F', secret.to_str().unwrap())));
        }
    }
    assert_eq!(fixture.run(&spec.id, &["cat", open.to_str().unwrap()]).line(), "everyone's");
    refused(&fixture.run(&spec.id, &["cat", "/etc/shadow"]));
    // Root's home is there and is the instance's own.
    let home = fixture.shell(&spec.id, "ls -A /root && touch /root/mine && ls -A /root");
    assert_eq!(home.line(), "mine", "{home:?}");
    assert!(!std::path::Path::new("/root/mine").exists());
}

fn data_directory() {
    let fixture = Fixture::with(|place| {
        let data = place.join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("keys"), "hunter2").unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
        (child(), vec![data])
    });
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let place = fixture.place.path().display().to_string();
    let listing = fixture.run(&spec.id, &["ls", &place]);
    assert!(
        listing.status == 0 && !listing.stdout.contains("data") && !listing.stdout.contains("driver"),
        "{listing:?}"
    );
    refused(&fixture.run(&spec.id, &["cat", &format!("{place}/data/keys")]));
    refused(&fixture.run(&spec.id, &["ls", &format!("{place}/driver")]));
}

/// The directory is below one that belongs to root inside, who may make and remove things there.
fn stays_hidden() {
    let data = tempfile::tempdir_in("/var/lib").unwrap();
    fs::write(data.path().join("keys"), "hunter2").unwrap();
    fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let fixture = Fixture::with(|_| (child(), vec![data.path().to_owned()]));
    let spec = spec(1, 5);
    drop(fixture.start(&spec));
    let hidden = data.path().display().to_string();
    let lines = [
        "cat D/keys",
        "mkdir D && cat D/keys",
        "rmdir D; cat D/keys",
        "touch D && rm D; cat D/keys",
        "mkdir D && mv D /var/lib/moved; cat D/keys /var/lib/moved/keys",
        "ln -s /var/lib/moved D; cat D/keys",
    ];
    for line in lines {
        let tried = fixture.shell(&spec.id, &line.replace('D', &hidden));
        assert!(!tried.stdout.contains("hunter2"), "{line}: {tried:?}");
    }
    let moved = fixture.tool(&spec.id, &["rename", "/var/lib", "/var/elsewhere"]);
    refused(&moved);
    for _ in 0..2 {
        fixture.host().stop(spec.id.clone(), std::time::Duration::ZERO).wait().unwrap();
        drop(fixture.start(&spec));
        let tried = fixture.shell(
            &spec.id,
            &format!("cat {hidden}/keys; rm -rf {hidden}; mkdir {hidden}; cat {hidden}/keys"),
        );
        assert!(!tried.stdout.contains("hunter2"), "{tried:?}");
    }
}

fn processes() {
    let fixture = Fixture::new();
    let (one, two) = (spec(1, 5), spec(1, 6));
    let _running = [fixture.start(&one), fixture.start(&two)];
    let (_sleeping, _) = crate::fixture::begin(
        fixture.host(),
        &two.id,
        Command::new(["sleep", "1000"]),
        fs::File::open("/dev/null").unwrap().into(),
    );
    let listing =
        fixture.shell(&one.id, "cd /proc; for p in [0-9]*; do echo $p $(cat $p/comm 2>/dev/null); done");
    assert!(listing.stdout.starts_with("1 init\n") && listing.stdout.lines().count() <= 4, "{listing:?}");
    refused(&fixture.shell(&one.id, &format!("kill -0 {}", std::process::id())));
    // Signals to the first process that it does not ask for do nothing, from inside.
    fixture.shell(&one.id, "kill -9 1; kill -STOP 1; kill -SEGV 1");
    assert_eq!(fixture.shell(&one.id, "echo alive").line(), "alive");
}

fn first_process() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    for line in [
        "ls /proc/1/root/",
        "ls /proc/1/fd",
        "readlink /proc/1/exe",
        "readlink /proc/1/cwd",
        "readlink /proc/1/ns/net",
        "cat /proc/1/environ",
        "cat /proc/1/maps",
        "head -c 1 /proc/1/mem",
        "cat /proc/1/fd/3",
    ] {
        refused(&fixture.shell(&spec.id, line));
    }
    for call in ["ptrace-first", "seize-first", "setns-first", "steal-first-fd"] {
        refused(&fixture.tool(&spec.id, &["call", call]));
    }
}

fn kernel_files() {
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    for line in [
        "echo b > /proc/sysrq-trigger",
        "echo /tmp/x > /proc/sys/kernel/core_pattern",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
        "echo x > /proc/sys/kernel/hostname",
        "echo 100000 > /proc/sys/user/max_user_namespaces",
        "echo x > /sys/class/net/eth0/ifalias",
        "echo 1 > /sys/kernel/uevent_helper",
        "mkdir /sys/fs/cgroup/x",
        "test -e /sys/fs/cgroup/memory",
        "head -c 1 /proc/kcore",
        "cat /proc/keys | grep .",
        "head -c 1 /dev/mem",
        "head -c 1 /dev/vda",
        "mount -o remount,rw /proc/sys",
        "umount /proc/sys",
        "mount -t tmpfs none /mnt",
        "mknod /root/disk b 254 0 && head -c 1 /root/disk",
        "dmesg",
    ] {
        refused(&fixture.shell(&spec.id, line));
    }
    assert_eq!(fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

fn call(fixture: &Fixture, id: &InstanceId, name: &str) -> i32 {
    fixture.tool(id, &["call", name]).status.into()
}

fn calls() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    for (name, expected) in [
        ("keyctl", libc::EPERM),
        ("bpf", libc::EPERM),
        ("perf_event_open", libc::EPERM),
        ("userfaultfd", libc::EPERM),
        ("io_uring_setup", libc::ENOSYS),
        ("kexec_load", libc::EPERM),
        ("finit_module", libc::EPERM),
        ("open_by_handle_at", libc::EPERM),
        ("reboot", libc::EPERM),
        ("mount", libc::EPERM),
        ("umount", libc::EPERM),
        ("fsopen", libc::EPERM),
        ("clone3", libc::ENOSYS),
        ("mknod", libc::EPERM),
        ("settime", libc::EPERM),
        ("vsock", libc::EAFNOSUPPORT),
        ("alg", libc::EAFNOSUPPORT),
        ("raise-core", libc::EPERM),
        ("chroot", 0),
    ] {
        assert_eq!(call(&fixture, &spec.id, name), expected, "{name}");
    }
}

fn capabilities() {
    let fixture = Fixture::new();
    let (plain, mut more) = (spec(1, 5), spec(1, 6));
    more.privileges.network_admin = true;
    let _running = [fixture.start(&plain), fixture.start(&more)];
    for (id, expected) in [(&plain.id, "00000000800405fb"), (&more.id, "00000000800435fb")] {
        // The same for a command and for what the first process starts.
        let status =
            fixture.shell(id, "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status; grep ^CapBnd /proc/1/status");
        let sets: Vec<_> = status.stdout.split_whitespace().filter(|word| word.len() == 16).collect();
        assert_eq!(sets, [expected; 4], "{status:?}");
        let inherited = fixture.shell(id, "grep -E '^Cap(Inh|Amb)' /proc/self/status");
        assert!(
            inherited
                .stdout
                .split_whitespace()
                .filter(|word| word.len() == 16)
                .all(|set| set == "0000000000000000")
        );
    }
}

fn nesting() {
    let fixture = Fixture::new();
    let (plain, mut nested) = (spec(1, 5), spec(1, 6));
    nested.privileges.nested_namespaces = true;
    let _running = [fixture.start(&plain), fixture.start(&nested)];
    for name in ["unshare-user", "unshare-mount", "unshare-network", "clone-user"] {
        assert_eq!(call(&fixture, &plain.id, name), libc::EPERM, "{name}");
    }
    assert_eq!(call(&fixture, &nested.id, "unshare-user"), 0);
    assert_eq!(
        call(&fixture, &nested.id, "unshare-mount"),
        libc::EPERM,
        "only in a user namespace of its own"
    );
    // In there it has every capability, and the kernel's files are as read-only as outside.
    let inside = fixture.shell(&nested.id, "unshare -Urmpf sh -c 'umount /proc/sys; mount -o remount,rw /proc/sys; echo x > /proc/sys/kernel/core_pattern'");
    refused(&inside);
    refused(&fixture.shell(&nested.id, "unshare -Urmpf --mount-proc true"));
    refused(&fixture.shell(&nested.id, "unshare -Ur cat /etc/shadow"));
}

fn raw_packets() {
    let fixture = Fixture::new();
    let (plain, mut armed) = (spec(1, 5), spec(1, 6));
    armed.privileges.network_admin = true;
    let _running = [fixture.start(&plain), fixture.start(&armed)];
    for (name, expected) in
        [("packet", libc::EAFNOSUPPORT), ("raw", libc::EPERM), ("netfilter", libc::EPROTONOSUPPORT)]
    {
        assert_eq!(call(&fixture, &plain.id, name), expected, "{name}");
        assert_eq!(call(&fixture, &armed.id, name), 0, "{name}");
    }
}

fn descriptors() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.user_data = b"#!/bin/sh\nls /proc/self/fd | sort -n | tr '\\n' ' '\n".to_vec().try_into().unwrap();
    let _running = fixture.start(&spec);
    // The last one is the directory that is being listed.
    let listing = fixture.shell(&spec.id, "ls /proc/self/fd | sort -n | tr '\\n' ' '");
    assert_eq!(listing.stdout, "0 1 2 3 ");
    crate::fixture::eventually("the user data's own", || {
        fixture.run(&spec.id, &["cat", "/var/log/cloud-init-output.log"]).stdout == "0 1 2 3 "
    });
}

fn directory_as_stream() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let null = || fs::File::options().read(true).write(true).open("/dev/null").unwrap().into();
    let directory = fs::File::open("/").unwrap().into();
    let streams = Streams::Files { stdin: directory, stdout: null(), stderr: null() };
    let tried = fixture.host().exec(spec.id, Command::new(["ls", "/proc/self/fd/0/"]), streams).wait();
    assert!(matches!(tried, Err(Error::System { .. })), "{tried:?}");
}

/// In the host's own image there are the host's sockets and named pipes too, those that everyone may use.
fn sockets() {
    let fixture = Fixture::new();
    let open = |name: &str, mode| {
        fs::set_permissions(fixture.place.path().join(name), fs::Permissions::from_mode(mode))
    };
    open("", 0o755).unwrap();
    let socket = fixture.place.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let pipe = fixture.place.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    open("socket", 0o777).unwrap();
    open("pipe", 0o777).unwrap();
    let _reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    refused(&fixture.tool(&spec.id, &["knock", socket.to_str().unwrap()]));
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    // With a reader on the other side this would be written at once; nobody is on this pipe's other side.
    refused(&fixture.tool(&spec.id, &["knock-pipe", pipe.to_str().unwrap()]));
}

fn ids() {
    let fixture = Fixture::new();
    let specs = [spec(1, 5), spec(1, 6)];
    let _running = specs.each_ref().map(|spec| fixture.start(spec));
    let [one, two] = specs.map(|spec| {
        let map = fixture.shell(&spec.id, "cat /proc/self/uid_map /proc/self/gid_map");
        let numbers: Vec<u32> = map.stdout.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!((numbers[0], numbers[2], &numbers[..3]), (0, 65536, &numbers[3..]));
        numbers[1]
    });
    assert!(one.abs_diff(two) >= 65536 && one >= 0x1000_0000 && two >= 0x1000_0000);
}

fn cores() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let crashed =
        fixture.shell(&spec.id, "cd /tmp; ulimit -H -c; sh -c 'kill -SEGV $$'; echo $?; ls -A /tmp");
    // One: too short for a core, and what keeps the host's handler from being run.
    assert_eq!(crashed.stdout.split_whitespace().collect::<Vec<_>>(), ["0", "139"], "{crashed:?}");
}
