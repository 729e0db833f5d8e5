//! A test double: keeps what it is told in memory and runs nothing.
//!
//! It refuses what a real driver would refuse, moves through the same states and hands out listening sockets. These are
//! ordinary sockets of the machine's loopback, one of each kind for each instance, so that a test can play the instance
//! by connecting to them; anybody else on the machine can do the same, so this driver proves nothing about who is
//! asking. No limit is enforced, and it says so. [`Driver::exec`] answers [`Error::NotSupported`].

use crate::specification::Place;
use crate::{
    Command, Controller, Driver, Error, Event, Exec, Instance, InstanceId, InstanceSpec, InstanceStatus,
    Listener, ListenerKind, Reply, State, StopReason, Streams,
};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The test double.
pub struct Memory {
    instances: Mutex<BTreeMap<InstanceId, Kept>>,
    on_event: Box<dyn Fn(Event) + Send + Sync>,
}

/// Nothing runs, so nothing is limited.
const ABSENT: [Controller; 3] = [Controller::Cpu, Controller::Memory, Controller::Pids];

struct Kept {
    spec: InstanceSpec,
    state: State,
}

impl Memory {
    /// A driver without instances. `on_event` is called for what happens without an order, which here is only what a
    /// test makes happen.
    pub fn new(on_event: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self { instances: Mutex::default(), on_event: Box::new(on_event) }
    }

    /// Makes an instance die, as a real one dies when its first process is killed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotRunning`].
    pub fn kill(&self, id: &InstanceId) -> Result<(), Error> {
        let mut instances = self.lock();
        let kept = running(&mut instances, id)?;
        kept.state = State::Stopped;
        drop(instances);
        (self.on_event)(Event::Stopped { id: id.clone(), reason: StopReason::Killed });
        Ok(())
    }

    /// A panic of a thread that held the lock leaves nothing half done in it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Kept>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_start(&self, spec: InstanceSpec) -> Result<Instance, Error> {
        spec.check()?;
        let mut instances = self.lock();
        if instances.get(&spec.id).is_some_and(|kept| kept.state == State::Running) {
            return Err(Error::NotStopped(spec.id));
        }
        spec.check_beside(instances.values().filter(|kept| kept.state == State::Running).map(|kept| {
            Place {
                id: &kept.spec.id,
                vpc: &kept.spec.vpc.id,
                cidr: kept.spec.vpc.cidr,
                private_ip: kept.spec.network.private_ip,
            }
        }))?;
        let instance = listen(&spec.id)?;
        instances.insert(spec.id.clone(), Kept { spec, state: State::Running });
        Ok(instance)
    }
}

impl Driver for Memory {
    fn start(&self, spec: InstanceSpec) -> Reply<Instance> {
        Reply::now(self.try_start(spec))
    }

    fn attach(&self, id: InstanceId) -> Reply<Instance> {
        Reply::now(running(&mut self.lock(), &id).and_then(|_| listen(&id)))
    }

    fn stop(&self, id: InstanceId, _grace: Duration) -> Reply<()> {
        Reply::now(match self.lock().get_mut(&id) {
            Some(kept) => {
                kept.state = State::Stopped;
                Ok(())
            }
            None => Err(Error::NotFound(id)),
        })
    }

    fn terminate(&self, id: InstanceId) -> Reply<()> {
        self.lock().remove(&id);
        Reply::now(Ok(()))
    }

    fn instances(&self) -> Reply<Vec<InstanceStatus>> {
        Reply::now(Ok(self.lock().values().map(status).collect()))
    }

    fn inspect(&self, id: InstanceId) -> Reply<InstanceStatus> {
        Reply::now(self.lock().get(&id).map(status).ok_or(Error::NotFound(id)))
    }

    fn exec(&self, id: InstanceId, command: Command, _streams: Streams) -> Reply<Exec> {
        let refused = running(&mut self.lock(), &id).err().or_else(|| command.check().err());
        Reply::now(Err(refused.unwrap_or_else(|| Error::NotSupported("run commands".to_owned()))))
    }
}

fn running<'a>(
    instances: &'a mut BTreeMap<InstanceId, Kept>,
    id: &InstanceId,
) -> Result<&'a mut Kept, Error> {
    let kept = instances.get_mut(id).ok_or_else(|| Error::NotFound(id.clone()))?;
    if kept.state == State::Running { Ok(kept) } else { Err(Error::NotRunning(id.clone())) }
}

fn status(kept: &Kept) -> InstanceStatus {
    InstanceStatus {
        id: kept.spec.id.clone(),
        vpc: kept.spec.vpc.id.clone(),
        private_ip: kept.spec.network.private_ip,
        state: kept.state,
        absent: ABSENT.to_vec(),
    }
}

fn listen(id: &InstanceId) -> Result<Instance, Error> {
    let kinds =
        [ListenerKind::Metadata, ListenerKind::MetadataIpv6, ListenerKind::Api, ListenerKind::ApiLoopback]
            .into_iter();
    let listeners = kinds.map(|kind| {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| Error::system("listen", e))?;
        socket.set_nonblocking(true).map_err(|e| Error::system("listen", e))?;
        Ok(Listener { instance: id.clone(), kind, socket })
    });
    Ok(Instance {
        id: id.clone(),
        listeners: listeners.collect::<Result<_, Error>>()?,
        absent: ABSENT.to_vec(),
    })
}
