//! Starts instances one after another, runs a command in each, removes them, and says how long each step took.
//!
//! As root: `cargo run --release -p daypass-compute --example instances -- 50`. It is its own child, as every program is
//! that uses this driver.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own: it reads the clock to measure, and talks to whoever started it"
)]

use daypass_compute::namespaces::{Configuration, Host, child};
use daypass_compute::{
    Command, Driver, Environment, Error, Image, InstanceSpec, Limits, Network, Privileges, Streams, UserData,
    Vpc,
};
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("child") {
        child::main(0)
    }
    let count: u16 = argument.map_or(Ok(20), |count| count.parse())?;
    let place = std::env::temp_dir().join(format!("daypass-instances-{}", std::process::id()));
    let configuration = Configuration { directory: place.clone(), hidden: Vec::new(), images: Vec::new() };
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg("child");
    let host = Host::spawn(command, configuration, |event| println!("{event:?}"))?;
    let measured = (0..count).map(|n| measure(&host, n)).collect::<Result<Vec<_>, _>>()?;
    drop(host);
    std::fs::remove_dir_all(place)?;
    let steps = ["start (new disk)", "command", "stop", "start (old disk)", "terminate"];
    for (step, name) in steps.iter().enumerate() {
        let mut times: Vec<Duration> = measured.iter().filter_map(|times| times.get(step).copied()).collect();
        times.sort_unstable();
        if let (Some(least), Some(most)) = (times.first(), times.last()) {
            let middle = times.get(times.len() / 2).unwrap_or(most);
            println!("{name:18} least {least:9.1?}, median {middle:9.1?}, most {most:9.1?}");
        }
    }
    Ok(())
}

fn measure(host: &Host, n: u16) -> Result<[Duration; 5], Box<dyn std::error::Error>> {
    let spec = specification(n)?;
    let id = spec.id.clone();
    let mut began = Instant::now();
    let mut lap = || std::mem::replace(&mut began, Instant::now()).elapsed();
    drop(host.start(spec.clone()).wait()?);
    let start = lap();
    let null = || io::Result::Ok(File::options().read(true).write(true).open("/dev/null")?.into());
    let streams = Streams::Files { stdin: null()?, stdout: null()?, stderr: null()? };
    host.exec(id.clone(), Command::new(["true"]), streams).wait()?.wait()?;
    let exec = lap();
    host.stop(id.clone(), Duration::from_secs(10)).wait()?;
    let stop = lap();
    drop(host.start(spec).wait()?);
    let again = lap();
    host.terminate(id).wait()?;
    Ok([start, exec, stop, again, lap()])
}

fn specification(n: u16) -> Result<InstanceSpec, Error> {
    let [high, low] = n.to_be_bytes();
    Ok(InstanceSpec {
        id: format!("i-{n:017x}").parse()?,
        vpc: Vpc { id: "vpc-00000000".parse()?, cidr: "10.0.0.0/16".parse()? },
        network: Network {
            private_ip: [10, 0, high.wrapping_add(1), low.clamp(4, 254)].into(),
            subnet: format!("10.0.{}.0/24", high.wrapping_add(1)).parse()?,
            mac: [2, 0, 0, 0, high, low].try_into()?,
        },
        image: Image::Host,
        hostname: format!("ip-10-0-{high}-{low}").parse()?,
        limits: Limits { vcpus: 1, memory_mib: 256, processes: 64 },
        user_data: UserData::empty(),
        environment: Environment::default(),
        api_port: 4566,
        nameservers: Vec::new(),
        privileges: Privileges::default(),
    })
}
