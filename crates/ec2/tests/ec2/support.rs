//! A region for a test: a server, its administrator, machines in memory and the reconciler between them.

use std::sync::Arc;
use std::time::Duration;

use daypass_core::store::records::{Indexed as _, Instance, InstanceProfile, Policies, Role, Tag};
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{Client, TestAnswer, TestServer, account};
use daypass_ec2::Reconciler;
use daypass_ec2::machines::Event;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::machines::Fake;

/// Lets EC2 assume a role.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A refusal: status, code and message.
pub(crate) type Refusal = (u16, String, String);

pub(crate) struct Region {
    pub(crate) server: TestServer,
    pub(crate) administrator: Client,
    pub(crate) machines: Arc<Fake>,
    pub(crate) events: UnboundedSender<Event>,
    reconciler: JoinHandle<()>,
}

impl Region {
    pub(crate) async fn new() -> Self {
        let server = TestServer::new(daypass_ec2::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let machines = Arc::new(Fake::default());
        let (events, reconciler) = reconcile(&server, &machines);
        Self { server, administrator, machines, events, reconciler }
    }

    /// The process ends without warning, and another begins.
    pub(crate) async fn restart(&mut self) {
        self.pause().await;
        self.resume();
    }

    /// The process ends without warning.
    pub(crate) async fn pause(&mut self) {
        self.reconciler.abort();
        let _ = (&mut self.reconciler).await;
    }

    /// A process begins.
    pub(crate) fn resume(&mut self) {
        (self.events, self.reconciler) = reconcile(&self.server, &self.machines);
    }

    /// Calls an operation that succeeds.
    pub(crate) async fn ok(&self, action: &str, parameters: &[(&str, &str)]) -> TestAnswer {
        self.administrator.query("ec2", action, parameters).await.ok()
    }

    /// Calls an operation that is refused.
    pub(crate) async fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> Refusal {
        refused(&self.administrator, action, parameters).await
    }

    /// Launches an instance, and waits for it to run.
    pub(crate) async fn running(&self, more: &[(&str, &str)]) -> String {
        let id = self.launch(more).await;
        self.becomes(&id, "running").await;
        id
    }

    /// Launches an instance.
    pub(crate) async fn launch(&self, more: &[(&str, &str)]) -> String {
        let answer = launch(&self.administrator, more).await.ok();
        answer.xml("instanceId").unwrap().to_owned()
    }

    /// The record of an instance.
    pub(crate) fn record(&self, id: &str) -> Option<Instance> {
        let key = Instance::key_of(&account(), "us-east-1", id);
        self.server.gate.state().store.read(|tx| tx.get(&key)).unwrap()
    }

    /// The state of an instance, as it is shown.
    pub(crate) async fn state(&self, id: &str) -> String {
        let answer = self.ok("DescribeInstances", &[("InstanceId.1", id)]).await;
        let (_, rest) = answer.body.split_once("<instanceState>").unwrap();
        let (_, name) = rest.split_once("<name>").unwrap();
        name.split_once('<').unwrap().0.to_owned()
    }

    /// Waits for a state. Time is not real in these tests: it passes when nobody has anything to do.
    pub(crate) async fn becomes(&self, id: &str, state: &str) {
        let mut last = String::new();
        for _ in 0..2000 {
            last = self.state(id).await;
            if last == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{id} is {last} and not {state}");
    }

    /// Waits for something.
    pub(crate) async fn until(&self, what: &str, happened: impl Fn() -> bool) {
        for _ in 0..2000 {
            if happened() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("never: {what}; {:?}", self.machines.orders());
    }

    /// Lets everything happen that is about to.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }

    /// A role that EC2 may assume, in an instance profile of the same name; the profile's ARN.
    pub(crate) async fn profile(&self, name: &str) -> String {
        let (role, profile) = (self.a_role(name), self.a_profile(name, Some(name)));
        self.save(role, profile).await
    }

    /// An instance profile with nothing in it.
    pub(crate) async fn empty_profile(&self, name: &str) -> String {
        let (role, profile) = (self.a_role(&format!("not-in-{name}")), self.a_profile(name, None));
        self.save(role, profile).await
    }

    async fn save(&self, role: Role, profile: InstanceProfile) -> String {
        let saved = self.server.gate.state().store.transact(|tx| {
            role.save(tx)?;
            profile.save(tx)
        });
        let saved: Result<(), TransactError<StoreError>> = saved.await;
        saved.unwrap();
        profile.arn()
    }

    fn a_role(&self, name: &str) -> Role {
        Role {
            account: account(),
            path: "/".to_owned(),
            name: name.to_owned(),
            id: format!("AROA{:Q<17}", name.to_uppercase().replace('-', "X")),
            created: self.server.clock.now(),
            description: None,
            trust_policy: TRUST.to_owned(),
            max_session_seconds: 3600,
            policies: Policies::default(),
            permissions_boundary: None,
            tags: vec![Tag { key: "team".to_owned(), value: name.to_owned() }],
            instance_profiles: vec![],
        }
    }

    fn a_profile(&self, name: &str, role: Option<&str>) -> InstanceProfile {
        InstanceProfile {
            account: account(),
            path: "/app/".to_owned(),
            name: name.to_owned(),
            id: format!("AIPA{:Q<17}", name.to_uppercase().replace('-', "X")),
            created: self.server.clock.now(),
            role: role.map(str::to_owned),
            tags: vec![],
        }
    }
}

use daypass_core::Clock as _;

fn reconcile(server: &TestServer, machines: &Arc<Fake>) -> (UnboundedSender<Event>, JoinHandle<()>) {
    let machines = Arc::clone(machines);
    let (reconciler, events) = Reconciler::new(Arc::clone(server.gate.state()), machines);
    (events, tokio::spawn(async move { reconciler.run().await.unwrap() }))
}

/// The id of an image that can be launched.
pub(crate) fn ami() -> String {
    daypass_core::image::public_images("us-east-1").remove(0).id
}

/// A small type of the host's architecture.
pub(crate) fn small() -> &'static str {
    if cfg!(target_arch = "aarch64") { "t4g.micro" } else { "t3.micro" }
}

/// Asks for one instance of a type that the host can run; what `more` says stands instead.
pub(crate) async fn launch(client: &Client, more: &[(&str, &str)]) -> TestAnswer {
    let ami = ami();
    let plain = [("ImageId", ami.as_str()), ("InstanceType", small()), ("MinCount", "1"), ("MaxCount", "1")];
    let from_template = more.iter().any(|(name, _)| name.starts_with("LaunchTemplate."));
    let plain = plain.into_iter().filter(|(name, _)| {
        let said = more.iter().any(|(other, _)| other == name);
        let of_template = from_template && matches!(*name, "ImageId" | "InstanceType");
        !(said || of_template)
    });
    // An empty value takes a parameter out.
    let all: Vec<_> = plain.chain(more.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    client.query("ec2", "RunInstances", &all).await
}

/// Calls an operation that is refused.
pub(crate) async fn refused(client: &Client, action: &str, parameters: &[(&str, &str)]) -> Refusal {
    let answer = client.query("ec2", action, parameters).await;
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

/// A statement that allows these actions on these resources under this condition (`,"Condition":{…}` or nothing).
pub(crate) fn statement(actions: &str, resource: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":{resource}{condition}}}"#)
}

/// A policy of these statements.
pub(crate) fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}
