//! EC2's machines, on the instance driver; and the doors that each of them gets: its own metadata service, and the API.
//!
//! A door is a listening socket that one instance alone can reach. What comes in by it is from that instance, whatever
//! its packets say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daypass_compute::{
    Driver, Environment, Error, Image, Instance, InstanceId, InstanceSpec, Invalid, Limits, Listener,
    ListenerKind, Network, Privileges, State as DriverState, UserData, Vpc,
};
use daypass_core::PeerInstance;
use daypass_core::store::records;
use daypass_ec2::Machines;
use daypass_ec2::machines::{Launch, Order, OrderError, Presence};
use daypass_imds::Metadata;
use tokio::task::JoinHandle;

use crate::server::Server;
use crate::server::http::{self, Stop};

/// Processes of an instance have this long to end when they are asked to.
const GRACE: Duration = Duration::from_secs(30);
/// Processes and threads of an instance.
const PROCESSES: u32 = 4096;

/// The driver's instances as EC2's machines.
pub(crate) struct DriverMachines {
    driver: Arc<dyn Driver>,
    server: Arc<Server>,
    /// The port of the API, inside as outside.
    api_port: u16,
    stop: Stop,
    doors: Mutex<HashMap<String, Doors>>,
}

/// What serves an instance. Nobody answers it any more once this is closed.
struct Doors(Vec<JoinHandle<()>>);

impl Doors {
    async fn close(self) {
        self.0.iter().for_each(JoinHandle::abort);
        for door in self.0 {
            // Ended because it was aborted; its listener is closed then.
            let _ = door.await;
        }
    }
}

impl DriverMachines {
    pub(crate) fn new(driver: Arc<dyn Driver>, server: Arc<Server>, api_port: u16, stop: Stop) -> Self {
        Self { driver, server, api_port, stop, doors: Mutex::default() }
    }

    /// Has everything that the instance can reach answered.
    fn open(&self, record: &records::Instance, instance: Instance) -> Result<(), OrderError> {
        for controller in &instance.absent {
            tracing::warn!(instance = record.id, ?controller, "a limit cannot be enforced on this machine");
        }
        let metadata = Arc::new(Metadata::new(
            self.server.shared_state(),
            record.account.clone(),
            record.region.clone(),
            record.id.clone(),
        ));
        let peer = PeerInstance { id: record.id.clone(), vpc_id: record.network.vpc_id.clone() };
        let doors: Result<Vec<_>, std::io::Error> =
            instance.listeners.into_iter().map(|listener| self.serve(listener, &metadata, &peer)).collect();
        let doors =
            doors.map_err(|error| OrderError::Failed(format!("a listener cannot be served: {error}")))?;
        let mut all = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(record.id.clone(), Doors(doors));
        Ok(())
    }

    fn serve(
        &self,
        listener: Listener,
        metadata: &Arc<Metadata>,
        peer: &PeerInstance,
    ) -> std::io::Result<JoinHandle<()>> {
        let socket = tokio::net::TcpListener::from_std(listener.socket)?;
        Ok(match listener.kind {
            ListenerKind::Metadata | ListenerKind::MetadataIpv6 => {
                tokio::spawn(daypass_imds::serve(Arc::clone(metadata), socket))
            }
            // The link between an instance and its server never leaves the machine.
            ListenerKind::Api | ListenerKind::ApiLoopback => {
                let (server, peer, stop) = (Arc::clone(&self.server), peer.clone(), self.stop.clone());
                tokio::spawn(http::serve(server, socket, None, Some(peer), stop))
            }
        })
    }

    async fn close(&self, id: &str) {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(doors) = doors {
            doors.close().await;
        }
    }

    /// What the driver is to start.
    fn specification(&self, launch: &Launch) -> Result<InstanceSpec, Invalid> {
        let record = &launch.instance;
        let network = &record.network;
        let vpc = Vpc { id: network.vpc_id.parse()?, cidr: network.vpc_cidr.parse()? };
        let region = record.region.as_str();
        let endpoint = format!("http://{}:{}", vpc.api_address(), self.api_port);
        let environment =
            [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_REGION", region), ("AWS_DEFAULT_REGION", region)];
        Ok(InstanceSpec {
            id: record.id.parse()?,
            vpc,
            network: Network {
                private_ip: launch.private_ip,
                subnet: network.subnet_cidr.parse()?,
                mac: network.mac.parse()?,
            },
            image: Image::Host,
            hostname: launch.hostname.parse()?,
            limits: Limits {
                vcpus: launch.vcpus.try_into().unwrap_or(u16::MAX),
                memory_mib: launch.memory_mib.try_into().unwrap_or(u32::MAX),
                processes: PROCESSES,
            },
            user_data: match &record.user_data {
                Some(text) => UserData::try_from(text.clone())?,
                None => UserData::empty(),
            },
            environment: Environment::try_from(environment)?,
            api_port: self.api_port,
            nameservers: vec![],
            privileges: Privileges::default(),
        })
    }
}

impl Machines for DriverMachines {
    fn start(&self, launch: Launch) -> Order<'_, ()> {
        Box::pin(async move {
            self.close(&launch.instance.id).await;
            let specification =
                self.specification(&launch).map_err(|e| OrderError::Refused(e.to_string()))?;
            let instance = self.driver.start(specification).await.map_err(refused_or_failed)?;
            self.open(&launch.instance, instance)
        })
    }

    fn adopt(&self, launch: Launch) -> Order<'_, ()> {
        Box::pin(async move {
            self.close(&launch.instance.id).await;
            let instance = self.driver.attach(id(&launch.instance.id)?).await.map_err(refused_or_failed)?;
            self.open(&launch.instance, instance)
        })
    }

    fn stop(&self, name: &str, forced: bool) -> Order<'_, ()> {
        let name = name.to_owned();
        Box::pin(async move {
            let grace = if forced { Duration::ZERO } else { GRACE };
            let stopped = self.driver.stop(id(&name)?, grace).await;
            absent_is_done(stopped)?;
            self.close(&name).await;
            Ok(())
        })
    }

    fn terminate(&self, name: &str) -> Order<'_, ()> {
        let name = name.to_owned();
        Box::pin(async move {
            absent_is_done(self.driver.terminate(id(&name)?).await)?;
            self.close(&name).await;
            Ok(())
        })
    }

    fn inspect(&self, name: &str) -> Order<'_, Presence> {
        let name = name.to_owned();
        Box::pin(async move {
            match self.driver.inspect(id(&name)?).await {
                Ok(status) => match status.state {
                    DriverState::Running => Ok(Presence::Running),
                    DriverState::Stopped => Ok(Presence::Stopped),
                    DriverState::Starting | DriverState::Stopping => {
                        Err(OrderError::Failed("an earlier order is still on its way".to_owned()))
                    }
                },
                Err(Error::NotFound(_)) => Ok(Presence::Absent),
                Err(error) => Err(refused_or_failed(error)),
            }
        })
    }
}

fn id(name: &str) -> Result<InstanceId, OrderError> {
    name.parse().map_err(|error: Invalid| OrderError::Refused(error.to_string()))
}

fn absent_is_done(outcome: Result<(), Error>) -> Result<(), OrderError> {
    match outcome {
        Ok(()) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(refused_or_failed(error)),
    }
}

fn refused_or_failed(error: Error) -> OrderError {
    match error {
        Error::Invalid(_) | Error::NotSupported(_) | Error::TooMany(_) => {
            OrderError::Refused(error.to_string())
        }
        _ => OrderError::Failed(error.to_string()),
    }
}
