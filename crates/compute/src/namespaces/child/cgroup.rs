//! Limits, by control groups of either version, where the machine has them.

use super::mounts::Mounts;
use crate::{Controller, Limits};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where groups of this driver are, one place for each hierarchy.
pub(super) struct Cgroups {
    places: Vec<Place>,
}

struct Place {
    /// The directory that holds the groups of this driver's instances.
    base: PathBuf,
    version: Version,
    controllers: Vec<Controller>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

const ALL: [Controller; 3] = [Controller::Cpu, Controller::Memory, Controller::Pids];
const PERIOD_MICROSECONDS: u64 = 100_000;
/// How often a group is tried again that the kernel says is in use; its last process may not be gone altogether.
const REMOVE_TRIES: u32 = 100;

impl Cgroups {
    /// Finds the hierarchies, and this driver's place in each.
    pub(super) fn find(mounts: &Mounts, tag: &str) -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        Ok(Self { places: places(mounts, &own, tag) })
    }

    /// Makes the groups of an instance, with its limits, and says which limits cannot be enforced here.
    pub(super) fn create(&self, name: &str, limits: Limits) -> io::Result<Vec<Controller>> {
        self.remove(name)?;
        let enforced: Vec<_> = self.places.iter().flat_map(|place| place.create(name, limits)).collect();
        Ok(ALL.into_iter().filter(|controller| !enforced.contains(controller)).collect())
    }

    /// The files to which a process writes its number to join the groups of an instance.
    pub(super) fn doors(&self, name: &str) -> Vec<PathBuf> {
        let groups = self.places.iter().map(|place| place.base.join(name)).filter(|group| group.exists());
        groups.map(|group| group.join("cgroup.procs")).collect()
    }

    /// Puts a process into the groups.
    pub(super) fn join(&self, name: &str, pid: Pid) -> io::Result<()> {
        self.doors(name).iter().try_for_each(|door| fs::write(door, pid.to_string()))
    }

    /// Removes the groups of an instance, of which nothing runs any more, and this driver's places if they were the
    /// last in them.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        for place in &self.places {
            remove(&place.base.join(name))?;
            // In use or not there at all, there is nothing to be done about it.
            let _ = fs::remove_dir(&place.base);
        }
        Ok(())
    }

    /// Kills what runs in groups that no instance known to us has, and removes them.
    pub(super) fn sweep(&self, is_known: impl Fn(&str) -> bool) -> io::Result<()> {
        for place in &self.places {
            let Ok(entries) = fs::read_dir(&place.base) else { continue };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                if entry.file_type()?.is_dir() && !name.to_str().is_some_and(&is_known) {
                    kill(&entry.path())?;
                    remove(&entry.path())?;
                }
            }
            let _ = fs::remove_dir(&place.base);
        }
        Ok(())
    }
}

impl Place {
    /// Makes a group with limits, and says which of them hold. A hierarchy that cannot be used enforces none.
    fn create(&self, name: &str, limits: Limits) -> Vec<Controller> {
        let group = self.base.join(name);
        let made = make_directory(&self.base).and_then(|()| match self.version {
            Version::One => Ok(()),
            Version::Two => self.controllers.iter().try_for_each(|controller| self.hand_down(*controller)),
        });
        if made.and_then(|()| fs::create_dir(&group)).is_err() {
            return Vec::new();
        }
        let set = |controller: &Controller| limit(&group, self.version, *controller, limits).is_ok();
        self.controllers.iter().copied().filter(set).collect()
    }

    /// Lets the groups below have a controller: each group on the way must hand it down.
    fn hand_down(&self, controller: Controller) -> io::Result<()> {
        let order = format!("+{}", name(controller));
        let mut way = self.base.parent().into_iter().chain([self.base.as_path()]);
        way.try_for_each(|group| fs::write(group.join("cgroup.subtree_control"), &order))
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Version 1: below the group that this process is in. Version 2: at the top of what is mounted, because a group that
/// holds processes, such as this one's, cannot hand controllers down.
fn places(mounts: &Mounts, own: &str, tag: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for mount in mounts.iter() {
        match mount.kind.as_str() {
            "cgroup" => {
                let has = |controller: &Controller| mount.options.split(',').any(|o| o == name(*controller));
                let controllers: Vec<_> = ALL.into_iter().filter(has).collect();
                let Some(group) = controllers.first().and_then(|first| own_group(own, name(*first))) else {
                    continue;
                };
                if let Ok(group) = Path::new(group).strip_prefix(&mount.root) {
                    let base = mount.point.join(group).join(tag);
                    places.push(Place { base, version: Version::One, controllers });
                }
            }
            "cgroup2" => {
                let offered = fs::read_to_string(mount.point.join("cgroup.controllers")).unwrap_or_default();
                let has = |controller: &Controller| {
                    offered.split_ascii_whitespace().any(|o| o == name(*controller))
                };
                let controllers: Vec<_> = ALL.into_iter().filter(has).collect();
                if !controllers.is_empty() {
                    places.push(Place { base: mount.point.join(tag), version: Version::Two, controllers });
                }
            }
            _ => {}
        }
    }
    places
}

/// This process's group in the hierarchy of a controller: a line is `number:controller,controller:/group`.
fn own_group<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|c| c == controller).then_some(group)
    })
}

fn name(controller: Controller) -> &'static str {
    match controller {
        Controller::Cpu => "cpu",
        Controller::Memory => "memory",
        Controller::Pids => "pids",
    }
}

/// Sets a limit (cgroups(7), and the kernel's admin-guide on cgroup-v1 and cgroup-v2).
fn limit(group: &Path, version: Version, controller: Controller, limits: Limits) -> io::Result<()> {
    let set = |file: &str, value: String| fs::write(group.join(file), value);
    let quota = u64::from(limits.vcpus) * PERIOD_MICROSECONDS;
    let bytes = u64::from(limits.memory_mib) << 20;
    match (controller, version) {
        (Controller::Pids, _) => set("pids.max", limits.processes.to_string()),
        (Controller::Cpu, Version::One) => {
            set("cpu.cfs_period_us", PERIOD_MICROSECONDS.to_string())?;
            set("cpu.cfs_quota_us", quota.to_string())
        }
        (Controller::Cpu, Version::Two) => set("cpu.max", format!("{quota} {PERIOD_MICROSECONDS}")),
        (Controller::Memory, Version::One) => {
            set("memory.limit_in_bytes", bytes.to_string())?;
            // Swap is not accounted for everywhere; where it is, the instance gets none.
            without_swap(set("memory.memsw.limit_in_bytes", bytes.to_string()))
        }
        (Controller::Memory, Version::Two) => {
            set("memory.max", bytes.to_string())?;
            without_swap(set("memory.swap.max", "0".to_owned()))
        }
    }
}

fn without_swap(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(()),
        other => other,
    }
}

fn kill(group: &Path) -> io::Result<()> {
    let processes = fs::read_to_string(group.join("cgroup.procs"))?;
    for pid in processes.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 1) {
        // It may have ended by itself.
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
    Ok(())
}

fn remove(group: &Path) -> io::Result<()> {
    for _ in 0..REMOVE_TRIES {
        match fs::remove_dir(group) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(Duration::from_millis(1)),
            other => return other,
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, format!("{} stays in use", group.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "8:pids:/\n4:memory:/session/abc\n1:cpu,cpuacct:/x\n0::/user.slice\n";

    #[test]
    fn the_group_of_a_controller_is_found_also_among_several() {
        assert_eq!(own_group(OWN, "memory"), Some("/session/abc"));
        assert_eq!(own_group(OWN, "cpu"), Some("/x"));
        assert_eq!(own_group(OWN, "io"), None);
    }

    #[test]
    fn in_version_two_every_group_on_the_way_hands_its_controllers_down() {
        let top = tempfile::tempdir().unwrap();
        let base = top.path().join("daypass-1-2");
        let place = Place { base: base.clone(), version: Version::Two, controllers: ALL.to_vec() };
        let limits = Limits { vcpus: 1, memory_mib: 64, processes: 10 };
        assert_eq!(place.create("i-01234567", limits), ALL);
        for group in [top.path(), &base] {
            assert_eq!(fs::read_to_string(group.join("cgroup.subtree_control")).unwrap(), "+pids");
        }
        assert_eq!(fs::read_to_string(base.join("i-01234567/pids.max")).unwrap(), "10");
    }

    #[test]
    fn a_hierarchy_that_cannot_be_used_enforces_nothing() {
        let place =
            Place { base: "/nonexistent/daypass".into(), version: Version::One, controllers: ALL.to_vec() };
        let cgroups = Cgroups { places: vec![place] };
        let absent = cgroups.create("i-01234567", Limits { vcpus: 1, memory_mib: 64, processes: 10 });
        assert_eq!(absent.unwrap(), ALL);
        assert!(cgroups.doors("i-01234567").is_empty());
    }

    #[test]
    fn limits_of_both_versions_are_written_as_their_kernel_reads_them() {
        let limits = Limits { vcpus: 2, memory_mib: 512, processes: 100 };
        let cases: [(Version, &[(&str, &str)]); 2] = [
            (
                Version::One,
                &[
                    ("cpu.cfs_quota_us", "200000"),
                    ("cpu.cfs_period_us", "100000"),
                    ("memory.limit_in_bytes", "536870912"),
                    ("pids.max", "100"),
                ],
            ),
            (
                Version::Two,
                &[
                    ("cpu.max", "200000 100000"),
                    ("memory.max", "536870912"),
                    ("memory.swap.max", "0"),
                    ("pids.max", "100"),
                ],
            ),
        ];
        for (version, files) in cases {
            let group = tempfile::tempdir().unwrap();
            for controller in ALL {
                limit(group.path(), version, controller, limits).unwrap();
            }
            for (file, content) in files {
                assert_eq!(fs::read_to_string(group.path().join(file)).unwrap(), *content, "{file}");
            }
        }
    }
}
