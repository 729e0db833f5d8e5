//! What the machine lacks, found out by starting an instance and looking at what came of it.

use super::super::channel::Channel;
use super::super::protocol::Order;
use super::super::protocol::{Configuration, Finding, Message, Outcome, Request, VERSION};
use super::super::sys::SingleThreaded;
use super::machine::Machine;
use super::privileges;
use crate::{
    Controller, Environment, Error, Image, InstanceSpec, Limits, Network, Privileges, UserData, Vpc,
};
use std::io;
use std::path::Path;

/// Looks at everything that an instance needs.
pub(super) fn check(process: SingleThreaded, configuration: &Configuration) -> Vec<Finding> {
    let missing = privileges::missing().unwrap_or_else(|_| vec!["what /proc/self/status says"]);
    let remedy = (!missing.is_empty()).then(|| format!("run as root, or with {}", missing.join(", ")));
    let mut findings = vec![Finding { need: "privileges".to_owned(), required: true, remedy }];
    if missing.is_empty() {
        findings.extend(try_one(process, configuration));
    }
    findings
}

/// Starts an instance in a directory of its own and takes it away again.
fn try_one(process: SingleThreaded, configuration: &Configuration) -> Vec<Finding> {
    let directory = configuration.directory.join(format!("trash/check-{}", std::process::id()));
    let own = Configuration { directory: directory.clone(), ..configuration.clone() };
    let tried = super::begin(process, own).and_then(|mut machine| run(&mut machine));
    // What is left of it is empty, or is swept when the driver next looks.
    let _ = std::fs::remove_dir_all(&directory);
    let found = |need: &str, required, remedy| Finding { need: need.to_owned(), required, remedy };
    match tried {
        Err(e) => vec![found("an instance that starts", true, Some(remedy(&e, &configuration.directory)))],
        Ok(absent) => {
            let limit = |(controller, name): (Controller, &str)| {
                let remedy = absent.contains(&controller).then(|| {
                    format!("the `{name}` controller of control groups is not there or cannot be used: this limit is not enforced")
                });
                found(&format!("limits on {name}"), false, remedy)
            };
            let limits =
                [(Controller::Cpu, "cpu"), (Controller::Memory, "memory"), (Controller::Pids, "pids")];
            std::iter::once(found("an instance that starts", true, None)).chain(limits.map(limit)).collect()
        }
    }
}

fn remedy(error: &Error, directory: &Path) -> String {
    format!("{error} (in `{}`)", directory.display())
}

/// Starts an instance and terminates it; says which limits could not be set.
fn run(machine: &mut Machine) -> Result<Vec<Controller>, Error> {
    let spec = specimen().map_err(Error::from)?;
    let id = spec.id.clone();
    let absent = match order(machine, Order::Start(Box::new(spec)))? {
        Outcome::Instance { absent, .. } => absent,
        _ => Vec::new(),
    };
    order(machine, Order::Terminate { id })?;
    Ok(absent)
}

/// Gives an order and waits until it is answered.
fn order(machine: &mut Machine, order: Order) -> Result<Outcome, Error> {
    let wait = || -> io::Result<Result<Outcome, Error>> {
        let (own, _parent) = Channel::pair()?;
        machine.obey(Request { version: VERSION, number: 1, order }, Vec::new());
        loop {
            for message in machine.take_said() {
                if let Message::Answer { outcome, .. } = message {
                    return Ok(outcome);
                }
            }
            machine.turn(&own)?;
        }
    };
    wait().map_err(|e| Error::system("wait", e))?
}

fn specimen() -> Result<InstanceSpec, crate::Invalid> {
    Ok(InstanceSpec {
        id: "i-00000000".parse()?,
        vpc: Vpc { id: "vpc-00000000".parse()?, cidr: "10.255.255.0/28".parse()? },
        network: Network {
            private_ip: [10, 255, 255, 4].into(),
            subnet: "10.255.255.0/28".parse()?,
            mac: "02:00:00:00:00:01".parse()?,
        },
        image: Image::Host,
        hostname: "check".parse()?,
        limits: Limits { vcpus: 1, memory_mib: 64, processes: 16 },
        user_data: UserData::empty(),
        environment: Environment::default(),
        api_port: 4566,
        nameservers: Vec::new(),
        privileges: Privileges::default(),
    })
}
