//! What an instance may use of the machine.

use crate::Case;
use crate::fixture::{Fixture, eventually, spec};
use daypass_compute::{Command, Controller, Driver as _, Streams};
use std::fs::File;

pub(crate) const CASES: &[Case] = &[
    ("an_instance_has_no_more_processes_than_it_may_have", processes),
    ("an_instance_has_no_more_memory_than_it_may_have", memory),
    ("an_instance_has_no_more_processor_time_than_it_may_have", processor),
    ("temporary_files_are_bounded", temporary_files),
    ("files_and_cores_are_bounded", files),
];

fn processes() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.limits.processes = 40;
    let _running = fixture.start(&spec);
    let made: u32 = fixture.tool(&spec.id, &["fork", "200"]).line().parse().unwrap();
    assert!((20..40).contains(&made), "{made}");
    // Those that were killed count until the first process has seen to each of them.
    eventually("a command finds room again", || {
        let null =
            || std::os::fd::OwnedFd::from(File::options().read(true).write(true).open("/dev/null").unwrap());
        let streams = Streams::Files { stdin: null(), stdout: null(), stderr: null() };
        fixture.host().exec(spec.id.clone(), Command::new(["/bin/true"]), streams).wait().is_ok()
    });
    assert_eq!(fixture.shell(&spec.id, "echo well").line(), "well");
}

fn memory() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.limits.memory_mib = 192;
    let running = fixture.start(&spec);
    if running.absent.contains(&Controller::Memory) {
        // The driver says that it cannot, which is all that can be asked of it here.
        return;
    }
    assert_eq!(fixture.tool(&spec.id, &["eat", "32"]).line(), "32 MiB");
    assert_eq!(fixture.tool(&spec.id, &["eat", "512"]).status, 137);
    assert_eq!(fixture.shell(&spec.id, "echo well").line(), "well");
    assert!(fixture.events.try_recv().is_err());
}

fn processor() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.limits.vcpus = 3;
    let running = fixture.start(&spec);
    if running.absent.contains(&Controller::Cpu) {
        return;
    }
    // The first process's group, seen from the host: three times the period, whatever that is.
    let record = fixture.place.path().join("driver/instances").join(spec.id.as_str()).join("record.json");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", record["process"]["pid"])).unwrap();
    let own = groups.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':').unwrap().1.split_once(':').unwrap();
        (controllers.split(',').any(|c| c == "cpu") || controllers.is_empty()).then_some((controllers, group))
    });
    let (controllers, group) = own.unwrap();
    assert!(group.ends_with(spec.id.as_str()), "{groups}");
    let read =
        |file: &str| std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u64>().ok());
    if !controllers.is_empty() {
        let base = format!("/sys/fs/cgroup/{controllers}{group}");
        let (quota, period) =
            (read(&format!("{base}/cpu.cfs_quota_us")), read(&format!("{base}/cpu.cfs_period_us")));
        assert_eq!(quota.unwrap(), 3 * period.unwrap());
    }
}

fn temporary_files() {
    let fixture = Fixture::new();
    let mut spec = spec(1, 5);
    spec.limits.memory_mib = 64;
    let _running = fixture.start(&spec);
    for directory in ["/tmp", "/run", "/dev/shm", "/dev"] {
        let filled = fixture.shell(
            &spec.id,
            &format!("head -c 40M /dev/zero > {directory}/fill; s=$?; rm -f {directory}/fill; exit $s"),
        );
        assert_ne!(filled.status, 0, "{directory}: {filled:?}");
    }
}

fn files() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    let _running = fixture.start(&spec);
    let limits = fixture.shell(&spec.id, "ulimit -n; ulimit -Hc; ulimit -u 2>/dev/null || ulimit -p");
    assert_eq!(limits.stdout.lines().collect::<Vec<_>>(), ["1024", "0", "128"], "{limits:?}");
}
