//! `CreateAccount`, `DescribeCreateAccountStatus`, `ListCreateAccountStatus`.
//!
//! AWS answers that the account is on its way, and tells by the status when it is there. Here it is there with the answer;
//! the answer is AWS's all the same, and so is what clients do with it.

use daypass_core::model::organizations::{
    CreateAccountFailureReason, CreateAccountRequest, CreateAccountResponse, CreateAccountState,
    CreateAccountStatus, DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
    ListCreateAccountStatusRequest, ListCreateAccountStatusResponse, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{
    Account, Indexed as _, Membership, Organization, OrganizationNode, Policies, Role,
};
use daypass_core::store::{Key, Prefix, Read as _, Record, Tx};
use daypass_core::{Cx, Error, Quota, operation};
use serde::{Deserialize, Serialize};

use crate::fault::{constraint, invalid, no_status};
use crate::paging::page;
use crate::{home, id, node, service_linked_role, tag};

operation!(
    CREATE_ACCOUNT,
    ops::CreateAccount,
    |cx, tx, input| tag::creating(cx, tx, &[], &input.tags),
    create
);
operation!(
    DESCRIBE_CREATE_ACCOUNT_STATUS,
    ops::DescribeCreateAccountStatus,
    |cx, tx, _| home::checks(cx, tx, &[]),
    describe
);
operation!(
    LIST_CREATE_ACCOUNT_STATUS,
    ops::ListCreateAccountStatus,
    |cx, tx, _| home::checks(cx, tx, &[]),
    list
);

/// The role of a new account by which the management account administers it (API reference, CreateAccount).
const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// What came of an account is told for ninety days, and of the last so many. AWS documents no bound.
const KEPT_SECONDS: i64 = 90 * 86_400;
const MAX_KEPT: usize = 1000;

/// That an account was asked for, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountCreation {
    organization: String,
    id: String,
    name: String,
    requested: Timestamp,
    /// The account; none where another one has its address.
    account: Option<AccountId>,
}

impl AccountCreation {
    fn key_of(organization: &str, id: &str) -> Key {
        Key::new(&["organization-creation", organization, id])
    }

    /// Where all of an organization's stand.
    pub(crate) fn all(organization: &str) -> Prefix {
        Prefix::new(&["organization-creation", organization])
    }

    fn state(&self) -> CreateAccountState {
        if self.account.is_some() { CreateAccountState::SUCCEEDED } else { CreateAccountState::FAILED }
    }

    fn shown(&self) -> CreateAccountStatus {
        let failed = || CreateAccountFailureReason::EMAILALREADYEXISTS;
        CreateAccountStatus {
            id: Some(self.id.clone()),
            account_name: Some(self.name.clone()),
            state: Some(self.state()),
            requested_timestamp: Some(self.requested),
            completed_timestamp: Some(self.requested),
            account_id: self.account.as_ref().map(|id| id.as_str().to_owned()),
            failure_reason: self.account.is_none().then(failed),
            ..CreateAccountStatus::default()
        }
    }
}

impl Record for AccountCreation {
    fn key(&self) -> Key {
        Self::key_of(&self.organization, &self.id)
    }
}

fn create(cx: &Cx, tx: &mut Tx<'_>, input: CreateAccountRequest) -> Result<CreateAccountResponse, Error> {
    let organization = home::managed(cx, tx)?;
    let tags = tag::read(input.tags)?;
    if input.role_name.as_deref().is_some_and(|name| name.starts_with("AWSServiceRoleFor")) {
        let words = "You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor.";
        return Err(invalid("INVALID_ROLE_NAME", words).into());
    }
    room_for_one(cx, tx, &organization)?;
    purge(cx, tx, &organization)?;
    // Addresses of closed accounts stay taken: they name them for as long as there is a record of them.
    let taken = is_taken(tx, &organization, &input.email)?;
    let account = if taken { None } else { Some(id::account(cx, tx)?) };
    if let Some(account) = &account {
        let (name, email) = (input.account_name.clone(), input.email.clone());
        let mut node = node::of_account(cx, &organization, (account.clone(), name, email), true);
        node.tags = tags;
        tx.put(&node)?;
        let role = input.role_name.as_deref().unwrap_or(ACCESS_ROLE);
        furnish(cx, tx, &organization, &node, role)?;
    }
    let creation = AccountCreation {
        organization: organization.id,
        id: format!("car-{}", id::letters(cx, 32)),
        name: input.account_name,
        requested: cx.now(),
        account,
    };
    tx.put(&creation)?;
    // What CreateAccount answers is the beginning of it; the end is for DescribeCreateAccountStatus.
    let status = CreateAccountStatus {
        state: Some(CreateAccountState::INPROGRESS),
        completed_timestamp: None,
        account_id: None,
        failure_reason: None,
        ..creation.shown()
    };
    Ok(CreateAccountResponse { create_account_status: Some(status) })
}

/// What was asked long ago goes, and then what was asked first.
fn purge(cx: &Cx, tx: &mut Tx<'_>, organization: &Organization) -> Result<(), Error> {
    let mut all = tx.all::<AccountCreation>(&AccountCreation::all(&organization.id))?;
    all.sort_by_key(|creation| creation.requested);
    let old = all.iter().take_while(|creation| creation.requested.plus_seconds(KEPT_SECONDS) <= cx.now());
    let gone = old.count().max((all.len() + 1).saturating_sub(MAX_KEPT));
    all.iter().take(gone).for_each(|creation| tx.delete(&creation.key()));
    Ok(())
}

/// Whether the organization can have another account.
///
/// # Errors
/// If it has all that it can have.
pub(crate) fn room_for_one(cx: &Cx, tx: &Tx<'_>, organization: &Organization) -> Result<(), Error> {
    let accounts = node::all(tx, organization)?.into_iter().filter(|node| node.account.is_some()).count();
    if accounts < cx.state().quotas.of(Quota::AccountsPerOrganization) {
        return Ok(());
    }
    let words = "You have exceeded the allowed number of AWS accounts.";
    Err(constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", words).into())
}

fn is_taken(tx: &Tx<'_>, organization: &Organization, email: &str) -> Result<bool, Error> {
    let accounts = tx.all::<Account>(&Account::all())?;
    let nodes = node::all(tx, organization)?;
    let known = accounts.iter().map(Account::email);
    let named = nodes.iter().filter_map(|node| node.account.as_ref()).map(|account| account.email.clone());
    Ok(known.chain(named).any(|known| known.eq_ignore_ascii_case(email)))
}

/// Makes the account itself, with the role by which the management account gets into it.
fn furnish(
    cx: &Cx,
    tx: &mut Tx<'_>,
    organization: &Organization,
    node: &OrganizationNode,
    role: &str,
) -> Result<(), Error> {
    let Some(member) = &node.account else { return Ok(()) };
    let canonical: String = cx.ids().id_bytes().iter().map(|b| format!("{b:02x}")).collect();
    tx.put(&Account {
        id: member.id.clone(),
        created: cx.now().truncated(),
        alias: None,
        canonical_user_id: canonical,
        name: Some(node.name.clone()),
        email: Some(member.email.clone()),
    })?;
    tx.put(&Membership { account: member.id.clone(), organization: organization.id.clone() })?;
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Action":"sts:AssumeRole"}}]}}"#,
        organization.management_account
    );
    let role = Role {
        account: member.id.clone(),
        path: "/".to_owned(),
        name: role.to_owned(),
        id: cx.ids().unique_id("AROA"),
        created: cx.now().truncated(),
        description: None,
        trust_policy: trust,
        max_session_seconds: 3600,
        policies: Policies { attached: vec![ADMINISTRATOR.to_owned()], ..Policies::default() },
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec![],
    };
    role.save(tx)?;
    if organization.all_features {
        service_linked_role::ensure(cx, tx, &member.id)?;
    }
    Ok(())
}

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeCreateAccountStatusRequest,
) -> Result<DescribeCreateAccountStatusResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let key = AccountCreation::key_of(&organization.id, &input.create_account_request_id);
    let creation = tx.get::<AccountCreation>(&key)?.ok_or_else(no_status)?;
    Ok(DescribeCreateAccountStatusResponse { create_account_status: Some(creation.shown()) })
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListCreateAccountStatusRequest,
) -> Result<ListCreateAccountStatusResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let mut creations = tx.all::<AccountCreation>(&AccountCreation::all(&organization.id))?;
    creations.retain(|creation| input.states.is_empty() || input.states.contains(&creation.state()));
    let shown = creations.iter().map(|creation| (creation.id.clone(), creation.shown())).collect();
    let (statuses, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListCreateAccountStatusResponse { create_account_statuses: Some(statuses), next_token })
}
