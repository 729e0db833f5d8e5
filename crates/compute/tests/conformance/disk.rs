//! What an instance writes, and what it starts from.

use crate::Case;
use crate::fixture::{Fixture, child, spec};
use daypass_compute::{Driver, Error, Image, InstanceSpec, User};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("what_an_instance_writes_is_its_own", private),
    ("what_an_instance_writes_is_there_after_a_stop", kept),
    ("file_systems_that_the_hosts_programs_need_are_there", separate_mounts),
    ("what_is_hidden_is_hidden_under_its_other_paths_too", hidden_by_any_path),
    ("root_inside_owns_an_image_of_its_own", image_of_its_own),
    ("an_image_is_not_written_to", image_unchanged),
    ("set_user_id_programs_work_in_an_image_of_its_own", setuid),
    ("only_directories_of_images_are_images", only_images),
    ("an_instance_keeps_its_image", same_image),
    ("an_instance_that_put_traps_into_its_places_starts_again_and_the_host_is_untouched", traps),
];

fn private() {
    let fixture = Fixture::new();
    let specs = [spec(1, 5), spec(1, 6)];
    let _running = specs.each_ref().map(|spec| fixture.start(spec));
    let [one, two] = specs.map(|spec| spec.id);
    let name = format!("daypass-test-{}", std::process::id());
    for directory in [
        "/",
        "/etc",
        "/opt",
        "/root",
        "/srv",
        "/tmp",
        "/run",
        "/usr/local/bin",
        "/var/lib",
        "/var/log",
        "/var/tmp",
        "/dev/shm",
    ] {
        let file = format!("{directory}/{name}");
        assert_eq!(
            fixture.shell(&one, &format!("echo mine > {file} && cat {file}")).line(),
            "mine",
            "{directory}"
        );
        assert_ne!(fixture.run(&two, &["cat", &file]).status, 0, "{directory}");
        assert!(!Path::new(&file).exists(), "{directory}");
    }
    for file in ["/etc/passwd", "/usr/bin/env", "/bin/sh"] {
        let tried = fixture.shell(&one, &format!("echo x >> {file}"));
        assert_ne!(tried.status, 0, "{tried:?}");
    }
}

fn kept() {
    let fixture = Fixture::new();
    let spec = spec(1, 5);
    drop(fixture.start(&spec));
    let before = fixture.shell(
        &spec.id,
        "echo kept > /root/file; rm /etc/hosts; echo gone > /tmp/file; cat /proc/self/uid_map",
    );
    assert_eq!(before.status, 0);
    fixture.host().stop(spec.id.clone(), Duration::from_secs(5)).wait().unwrap();
    drop(fixture.start(&spec));
    assert_eq!(fixture.run(&spec.id, &["cat", "/root/file"]).line(), "kept");
    assert_ne!(fixture.run(&spec.id, &["cat", "/etc/hosts"]).status, 0);
    assert_ne!(fixture.run(&spec.id, &["cat", "/tmp/file"]).status, 0);
    assert_eq!(
        fixture.run(&spec.id, &["cat", "/proc/self/uid_map"]).stdout,
        before.stdout,
        "or it would not own its files"
    );
}

/// The driver's child, on a host on which something else is mounted.
fn child_with_mounts(script: &str) -> std::process::Command {
    let mut command = std::process::Command::new("/usr/bin/unshare");
    let line = format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; set -e; {script}; exec \"$0\" child");
    command.args(["--mount", "--propagation", "private", "/bin/sh", "-c", &line]);
    command.arg(std::env::current_exe().unwrap());
    command
}

fn separate_mounts() {
    let fixture = Fixture::with(|_| {
        let script = "mount -t tmpfs t /opt; echo program > /opt/file; mkdir -m 700 /opt/secret; echo x > /opt/secret/file
            mount -t tmpfs t /srv; echo data > /srv/other";
        (child_with_mounts(script), vec![])
    });
    let spec = spec(1, 5);
    drop(fixture.start(&spec));
    assert_eq!(
        fixture.shell(&spec.id, "cat /opt/file; echo mine > /opt/mine; ls /opt; cat /opt/secret/file").stdout,
        "program\nfile\nmine\nsecret\n"
    );
    assert_eq!(fixture.shell(&spec.id, "ls /srv").stdout, "", "not needed to run programs");
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    drop(fixture.start(&spec));
    assert_eq!(fixture.shell(&spec.id, "cat /opt/mine").line(), "mine");
}

/// Part of the root file system is mounted a second time where an instance sees it, and holds what must be hidden.
fn hidden_by_any_path() {
    let fixture = Fixture::with(|place| {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(place.join("a/data")).unwrap();
        fs::write(place.join("a/data/keys"), "hunter2").unwrap();
        fs::write(place.join("a/plain"), "everyone's").unwrap();
        (child_with_mounts(&format!("mount --bind {}/a /opt", place.display())), vec![place.join("a/data")])
    });
    let spec = spec(1, 5);
    drop(fixture.start(&spec));
    let place = fixture.place.path().display();
    let read = fixture.shell(
        &spec.id,
        &format!("cat /opt/plain /opt/data/keys {place}/a/plain {place}/a/data/keys; ls /opt {place}/a"),
    );
    assert!(read.stdout.starts_with("everyone'severyone's") && !read.stdout.contains("hunter2"), "{read:?}");
    assert!(!read.stdout.contains("data\n"), "{read:?}");
}

/// A root file system with a shell, a few programs, and the attackers' tool.
fn image(fixture: &Fixture, name: &str) -> PathBuf {
    let image = fixture.place.path().join("images").join(name);
    let tool = std::env::current_exe().unwrap();
    for directory in ["bin", "etc", "tmp", "root"] {
        fs::create_dir_all(image.join(directory)).unwrap();
    }
    let programs = [
        "/bin/sh",
        "/bin/cat",
        "/bin/ls",
        "/usr/bin/id",
        "/usr/bin/stat",
        "/usr/bin/touch",
        "/bin/ln",
        "/bin/rm",
        "/bin/mv",
        "/bin/mkdir",
        "/bin/chown",
        "/usr/bin/mkfifo",
    ];
    for program in programs.iter().map(Path::new).chain([tool.as_path()]) {
        let name = if program == tool { "tool".as_ref() } else { program.file_name().unwrap() };
        fs::copy(program, image.join("bin").join(name)).unwrap();
        let needed = std::process::Command::new("ldd").arg(program).output().unwrap();
        for library in
            String::from_utf8(needed.stdout).unwrap().split_whitespace().filter(|word| word.starts_with('/'))
        {
            let target = image.join(library.trim_start_matches('/'));
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(library, target).unwrap();
        }
    }
    fs::set_permissions(image.join("bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::write(image.join("etc/secret"), "root's").unwrap();
    fs::set_permissions(image.join("etc/secret"), fs::Permissions::from_mode(0o600)).unwrap();
    image
}

fn of_image(image: &Path) -> InstanceSpec {
    let mut spec = spec(1, 5);
    spec.image = Image::Directory(image.to_owned());
    spec
}

fn image_of_its_own() {
    let fixture = Fixture::new();
    let spec = of_image(&image(&fixture, "one"));
    let _running = fixture.start(&spec);
    let seen = fixture.shell(&spec.id, "id -u; stat -c '%u %g' /bin/sh /etc/secret; cat /etc/secret");
    assert_eq!(seen.stdout, "0\n0 0\n0 0\nroot's", "{seen:?}");
    let changed = fixture.shell(
        &spec.id,
        "echo new > /etc/secret && chown 1000:1000 /etc/secret && stat -c %u /etc/secret && rm /bin/touch",
    );
    assert_eq!((changed.status, changed.line()), (0, "1000"), "{changed:?}");
    let mut other = daypass_compute::Command::new(["cat", "/root/x"]);
    other.user = User { uid: 1000, gid: 1000 };
    let null = fs::File::open("/dev/null").unwrap().into();
    assert_ne!(crate::fixture::run(fixture.host(), &spec.id, other, null).status, 0, "root's home is root's");
}

fn image_unchanged() {
    let fixture = Fixture::new();
    let image = image(&fixture, "one");
    let spec = of_image(&image);
    drop(fixture.start(&spec));
    assert_eq!(fixture.shell(&spec.id, "echo new > /etc/secret; rm /bin/touch; echo x > /added").status, 0);
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    assert_eq!(fs::read_to_string(image.join("etc/secret")).unwrap(), "root's");
    assert!(image.join("bin/touch").exists() && !image.join("added").exists());
    drop(fixture.start(&spec));
    assert_eq!(fixture.shell(&spec.id, "cat /etc/secret; ls /bin/touch /added").stdout, "new\n/added\n");
}

fn setuid() {
    let fixture = Fixture::new();
    let spec = of_image(&image(&fixture, "one"));
    let _running = fixture.start(&spec);
    let mut command = daypass_compute::Command::new(["/bin/tool", "tool", "setuid-root"]);
    command.user = User { uid: 1000, gid: 1000 };
    let null = fs::File::open("/dev/null").unwrap().into();
    assert_eq!(crate::fixture::run(fixture.host(), &spec.id, command, null).line(), "1000 0");
}

fn only_images() {
    let fixture = Fixture::new();
    let images = fixture.place.path().join("images");
    fs::create_dir_all(&images).unwrap();
    symlink("/etc", images.join("etc")).unwrap();
    symlink("/", images.join("host")).unwrap();
    symlink("../driver", images.join("driver")).unwrap();
    fs::write(images.join("file"), "").unwrap();
    for path in [
        PathBuf::from("/"),
        PathBuf::from("/etc"),
        images.clone(),
        images.join("../driver"),
        images.join("etc"),
        images.join("host"),
        images.join("host/etc"),
        images.join("driver"),
        images.join("file"),
        images.join("nothing"),
    ] {
        let spec = of_image(&path);
        let refused = fixture.host().start(spec.clone()).wait();
        assert!(matches!(refused, Err(Error::Invalid(_) | Error::System { .. })), "{path:?}: {refused:?}");
        assert_eq!(fixture.host().inspect(spec.id.clone()).wait(), Err(Error::NotFound(spec.id)));
    }
}

fn same_image() {
    let fixture = Fixture::new();
    let mut spec = of_image(&image(&fixture, "one"));
    drop(fixture.start(&spec));
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    spec.image = Image::Host;
    assert!(matches!(fixture.host().start(spec).wait(), Err(Error::Invalid(_))));
}

fn traps() {
    let fixture = Fixture::with(|_| (child(), vec![]));
    let outside = fixture.place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o777)).unwrap();
    let spec = of_image(&image(&fixture, "one"));
    drop(fixture.start(&spec));
    let upper = fixture.place.path().join("driver/instances").join(spec.id.as_str()).join("disk/root/upper");
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    // What root inside cannot do while it runs, because these are mounted, is done for him.
    for name in ["proc", "sys", "dev", "tmp", "run", "etc", "root", "var"] {
        let _ = fs::remove_dir_all(upper.join(name));
        symlink(&outside, upper.join(name)).unwrap();
    }
    drop(fixture.start(&spec));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let seen = fixture.shell(&spec.id, "cat /proc/self/uid_map; ls /dev/null; echo x > /proc/sys/kernel/core_pattern; touch /tmp/x /run/x; ls /tmp");
    assert!(
        seen.stdout.contains("65536") && seen.stdout.contains("/dev/null") && seen.stdout.ends_with("x\n"),
        "{seen:?}"
    );
    fixture.host().stop(spec.id.clone(), Duration::ZERO).wait().unwrap();
    // And things that would hold up who opens them.
    let _ = fs::remove_file(upper.join("etc"));
    fs::create_dir(upper.join("etc")).unwrap();
    for name in ["environment", "hostname", "profile.d"] {
        nix::unistd::mkfifo(&upper.join("etc").join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    drop(fixture.start(&spec));
    assert_eq!(fixture.shell(&spec.id, "echo up").line(), "up");
}
