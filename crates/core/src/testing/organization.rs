//! Accounts in an organization, for the tests of what depends on it.

use daypass_model::AccountId;
use daypass_store::records::{
    ControlPolicyType, MemberAccount, Membership, Organization, OrganizationNode, OrganizationPolicy,
};
use daypass_store::{Read as _, StoreError, TransactError};

use super::TestServer;
use crate::{Clock as _, administrator};

impl TestServer {
    /// Puts accounts into one organization, the first one as its management account, all directly under the root. What it
    /// is otherwise is what `as_is` makes of it.
    pub async fn organize(&self, accounts: &[AccountId], as_is: impl Fn(&mut Organization) + Send + Sync) {
        for account in accounts {
            administrator::prepare(self.gate.state(), account).await.unwrap();
        }
        let id = "o-exampleorgid".to_owned();
        let management_account = accounts.first().unwrap().clone();
        let mut organization = Organization {
            id: id.clone(),
            root_id: "r-root".to_owned(),
            management_account,
            created: self.clock.now(),
            all_features: true,
            policy_types: vec![],
            trusted_services: vec![],
            root_features: vec![],
        };
        as_is(&mut organization);
        let node = |own: &str, account: Option<&AccountId>| OrganizationNode {
            organization: id.clone(),
            id: own.to_owned(),
            parent: account.map(|_| "r-root".to_owned()),
            name: own.to_owned(),
            policies: vec!["p-FullAWSAccess".to_owned(), "p-RCPFullAWSAccess".to_owned()],
            tags: vec![],
            account: account.map(|account| MemberAccount {
                id: account.clone(),
                email: format!("{account}@example.com"),
                joined: self.clock.now(),
                created_here: true,
                closed: None,
                delegated: vec![],
            }),
        };
        let put = self.gate.state().store.transact(|tx| {
            tx.put(&organization)?;
            tx.put(&node("r-root", None))?;
            for account in accounts {
                tx.put(&node(account.as_str(), Some(account)))?;
                tx.put(&Membership { account: account.clone(), organization: id.clone() })?;
            }
            Ok(())
        });
        let put: Result<(), TransactError<StoreError>> = put.await;
        put.unwrap();
    }

    /// Hangs a service control policy on a member account of the organization, and others that are there, in place of what
    /// hung there.
    pub async fn limit(&self, account: &AccountId, id: &str, document: &str, others: &[&str]) {
        let put = self.gate.state().store.transact(|tx| {
            tx.put(&OrganizationPolicy {
                organization: "o-exampleorgid".to_owned(),
                id: id.to_owned(),
                kind: ControlPolicyType::ServiceControlPolicy,
                name: id.to_owned(),
                description: String::new(),
                document: document.to_owned(),
                tags: vec![],
            })?;
            let key = OrganizationNode::key_of("o-exampleorgid", account.as_str());
            let node: OrganizationNode = tx.get(&key)?.unwrap();
            let policies = [&[id], others].concat().into_iter().map(str::to_owned).collect();
            tx.put(&OrganizationNode { policies, ..node })
        });
        let put: Result<(), TransactError<StoreError>> = put.await;
        put.unwrap();
    }

    /// Closes a member account of the organization.
    pub async fn close(&self, account: &AccountId) {
        let key = OrganizationNode::key_of("o-exampleorgid", account.as_str());
        let closed = self.gate.state().store.transact(|tx| {
            let mut node = tx.get::<OrganizationNode>(&key)?.unwrap();
            node.account.as_mut().unwrap().closed = Some(self.clock.now());
            tx.put(&node)
        });
        let closed: Result<(), TransactError<StoreError>> = closed.await;
        closed.unwrap();
    }
}
