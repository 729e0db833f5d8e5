//! Who may ask, as far as the policies of a resource can tell principals apart.
//!
//! A `Principal` element names accounts, users, roles, sessions, services, providers and unique ids, without wildcards
//! (`reference_policies_elements_principal`). So principals fall into finitely many kinds: one for each that is named, in
//! all ways in which it may also have the ids that are named, and strangers of each type.

use super::bits::Bits;
use super::budget::{Exhausted, MAX_PRINCIPALS};
use super::set::Source;
use crate::Principal;
use crate::arn::{AccountId, Arn, ArnParts};
use crate::compile::{Name, PrincipalMatch};
use crate::context::{Context, Key, keys};
use std::collections::BTreeSet;

/// The keys that follow from who asks ([`Principal::describe`]).
pub(super) static DESCRIBED: [Key<'static>; 7] = [
    keys::PRINCIPAL_ARN,
    keys::PRINCIPAL_ACCOUNT,
    keys::PRINCIPAL_TYPE,
    keys::USER_ID,
    keys::USERNAME,
    keys::PRINCIPAL_IS_AWS_SERVICE,
    keys::PRINCIPAL_SERVICE_NAME,
];

/// Every kind of principal, and for each statement the kinds that it is about.
#[derive(Debug)]
pub(super) struct Principals {
    pub(super) list: Vec<Principal>,
    pub(super) named: Vec<Bits>,
    /// The kinds that are nobody in particular.
    pub(super) public: Bits,
    /// An account that no policy mentions.
    pub(super) stranger: AccountId,
}

/// What the policies name.
#[derive(Default)]
struct Named<'p> {
    accounts: BTreeSet<AccountId>,
    roles: BTreeSet<(&'p str, &'p str)>,
    arns: BTreeSet<&'p str>,
    unique_ids: BTreeSet<&'p str>,
    services: BTreeSet<&'p str>,
    providers: BTreeSet<&'p str>,
    canonical: BTreeSet<&'p str>,
    /// What conditions compare with, so that strangers can be told from those whom they mean.
    compared: Vec<&'p str>,
}

impl Principals {
    pub(super) fn of(sources: &[Source]) -> Result<Self, Exhausted> {
        let mut named = Named::default();
        for source in sources {
            if let Some(PrincipalMatch::Named { names, .. }) = source.compiled().map(|own| &own.principal) {
                names.iter().for_each(|name| named.take(name));
            }
            let conditions = source.written().into_iter().flat_map(|own| &own.conditions);
            named.compared.extend(conditions.flat_map(|own| &own.values).map(|value| &*value.value));
        }
        let list = named.principals()?;
        let about = |source: &Source| {
            let statement = source.compiled();
            let about = list.iter().enumerate().filter(|(_, principal)| {
                statement.is_some_and(|own| {
                    own.principal.matches(principal, own.effect, false).0.counts_for(own.effect)
                })
            });
            Bits::collect(list.len(), about.map(|(number, _)| number))
        };
        let public = list.iter().enumerate().filter(|(_, principal)| named.is_public(principal));
        let public = Bits::collect(list.len(), public.map(|(number, _)| number));
        Ok(Self { named: sources.iter().map(about).collect(), public, stranger: named.stranger(), list })
    }
}

impl<'p> Named<'p> {
    fn take(&mut self, name: &'p Name) {
        match name {
            Name::Everyone | Name::Unclear => (),
            Name::Account(account) => _ = self.accounts.insert(*account),
            Name::Role { account, name } => _ = self.roles.insert((account, name)),
            Name::Arn(arn) => _ = self.arns.insert(arn),
            Name::UniqueId(id) => _ = self.unique_ids.insert(id),
            Name::Service(name) => _ = self.services.insert(name),
            Name::Provider(name) => _ = self.providers.insert(name),
            Name::CanonicalUser(id) => _ = self.canonical.insert(id),
        }
    }

    fn is_public(&self, principal: &Principal) -> bool {
        use crate::principal::PrincipalKind as K;
        match &principal.kind {
            K::Anonymous => true,
            K::Provider { name } => {
                !self.providers.contains(&**name) || super::trust::PUBLIC_PROVIDERS.contains(&&**name)
            }
            K::Service { .. } | K::CanonicalUser => false,
            _ => {
                let canonical = principal.canonical_user_id().is_some_and(|id| self.canonical.contains(id));
                principal.account() == Some(&self.stranger()) && !canonical && self.unnamed_id(principal)
            }
        }
    }

    fn unnamed_id(&self, principal: &Principal) -> bool {
        let id = principal.user_id();
        let id = id.split_once(':').map_or(id, |(id, _)| id);
        !self.unique_ids.contains(id)
    }

    /// Every account that is named in any way.
    fn all_accounts(&self) -> BTreeSet<AccountId> {
        let of_arns = self.arns.iter().filter_map(|arn| ArnParts::split(arn)?.account().parse().ok());
        let of_roles = self.roles.iter().filter_map(|(account, _)| account.parse().ok());
        self.accounts.iter().copied().chain(of_arns).chain(of_roles).collect()
    }

    /// An account that is not named.
    fn stranger(&self) -> AccountId {
        let named = self.all_accounts();
        let numbers = (0_u64..).map(|n| format!("{:012}", 444_455_556_666 + n));
        let compared = |text: &String| self.compared.iter().any(|value| value.contains(text.as_str()));
        let unnamed = numbers.filter(|text| !compared(text)).filter_map(|text| text.parse().ok());
        let mut free = unnamed.filter(|account| !named.contains(account));
        // There are more accounts than any document can name.
        free.next().unwrap_or(AccountId::ZERO)
    }

    fn principals(&self) -> Result<Vec<Principal>, Exhausted> {
        self.check_size()?;
        let mut list = vec![Principal::anonymous()];
        for account in [self.stranger()].into_iter().chain(self.all_accounts()) {
            list.extend(self.members(account));
        }
        let names = |own: &BTreeSet<&str>, other: &str| {
            own.iter().map(|name| (*name).to_owned()).chain([other.to_owned()]).collect::<Vec<_>>()
        };
        list.extend(
            names(&self.services, "service.amazonaws.com").iter().map(|name| Principal::service(name)),
        );
        list.extend(names(&self.providers, "provider").iter().map(|name| Principal::identity_provider(name)));
        list.extend(names(&self.canonical, "canonical").iter().map(|id| Principal::canonical_user(id)));
        // A canonical user id is that of an account, and anyone of one may have it.
        let mut with_ids = Vec::new();
        for id in &self.canonical {
            let of_accounts = list.iter().filter(|principal| principal.is_of_account());
            with_ids.extend(of_accounts.map(|principal| principal.clone().with_canonical_user(id)));
            if list.len() + with_ids.len() > MAX_PRINCIPALS {
                return Err(Exhausted);
            }
        }
        list.extend(with_ids);
        if list.len() > MAX_PRINCIPALS { Err(Exhausted) } else { Ok(list) }
    }

    /// Whether all of them, in all ways in which they may have the ids that are named, are few enough.
    fn check_size(&self) -> Result<(), Exhausted> {
        let federated = self.arns.iter().filter(|arn| arn.contains(":federated-user/")).count();
        let names = self.arns.len() + self.roles.len() + 3 * self.all_accounts().len() + 3;
        let others = self.services.len() + self.providers.len() + self.canonical.len();
        let own = names.saturating_mul(self.unique_ids.len() + 1).saturating_mul(federated + 2);
        if own.saturating_add(others) > MAX_PRINCIPALS { Err(Exhausted) } else { Ok(()) }
    }

    /// Those of an account: a user and a session of a role that nobody names, those that are named, each also with the
    /// unique ids that are named; the federated users of the users; the root user.
    fn members(&self, account: AccountId) -> Vec<Principal> {
        let own = |arn: &&str| ArnParts::split(arn).is_some_and(|parts| parts.account() == account.as_str());
        let ids = || ["AIDAEXAMPLE"].into_iter().chain(self.unique_ids.iter().copied());
        let mut members = Vec::new();
        let other_user = format!("arn:aws:iam::{account}:user/someone");
        let users = self.arns.iter().copied().filter(own).chain([other_user.as_str()]);
        let mut federated = Vec::new();
        for user in users.filter_map(|arn| arn.parse::<Arn>().ok()) {
            let users = ids().filter_map(|id| Principal::user(&user, id).ok());
            for user in users {
                federated.extend(Principal::federated_user(&user, "federated").ok());
                let named = self.arns.iter().filter(|arn| own(arn));
                let names = named.filter_map(|arn| arn.split_once(":federated-user/"));
                federated.extend(names.filter_map(|(_, name)| Principal::federated_user(&user, name).ok()));
                members.push(user);
            }
        }
        let sessions =
            self.arns.iter().filter(|arn| own(arn)).filter_map(|arn| arn.split_once(":assumed-role/"));
        let sessions = sessions.filter_map(|(_, session)| session.split_once('/'));
        let roles =
            self.roles.iter().filter(|(own, _)| *own == account.as_str()).map(|(_, name)| (*name, "session"));
        for (role, session) in sessions.chain(roles).chain([("somerole", "session")]) {
            let Ok(role) = format!("arn:aws:iam::{account}:role/{role}").parse::<Arn>() else { continue };
            let ids = ["AROAEXAMPLE"].into_iter().chain(self.unique_ids.iter().copied());
            members.extend(ids.filter_map(|id| Principal::role_session(&role, id, session).ok()));
        }
        let root = Principal::root(account);
        federated.extend(Principal::federated_user(&root, "federated").ok());
        members.push(root);
        members.extend(federated);
        members
    }
}

/// Principals whom the keys of a request describe: who could send it.
pub(super) fn described_by(context: &Context<'_>) -> Vec<Principal> {
    let text = |key: &Key<'static>| context.variable(key).map(|value| value.to_string());
    let mut found = Vec::new();
    let nobody = "arn:aws:iam::111122223333:user/someone".to_owned();
    let id = text(&keys::USER_ID).unwrap_or_default();
    let (role_id, session) = id.split_once(':').unwrap_or(("AROAEXAMPLE", "session"));
    let user_id = if id.is_empty() { "AIDAEXAMPLE" } else { &id };
    let account = text(&keys::PRINCIPAL_ACCOUNT).unwrap_or_else(|| "111122223333".into());
    let name = text(&keys::USERNAME);
    let arns = text(&keys::PRINCIPAL_ARN).into_iter().chain([
        format!("arn:aws:iam::{account}:user/{}", name.as_deref().unwrap_or("someone")),
        format!("arn:aws:iam::{account}:role/somerole"),
        // Where the keys describe nobody, someone has to ask all the same.
        nobody,
    ]);
    for arn in arns.filter_map(|arn| arn.parse::<Arn>().ok()) {
        found.extend(Principal::user(&arn, user_id).ok());
        found.extend(Principal::role_session(&arn, role_id, session).ok());
        if arn.parts().resource == "root" {
            found.extend(arn.parts().account().parse().ok().map(Principal::root));
        }
    }
    found
}
