//! The role by which Organizations works in an account: `AWSServiceRoleForOrganizations`.

use daypass_core::Cx;
use daypass_core::model::AccountId;
use daypass_core::store::records::{Indexed as _, Policies, Role};
use daypass_core::store::{Read as _, StoreError, Tx};

/// The service.
pub(crate) const SERVICE: &str = "organizations.amazonaws.com";
const NAME: &str = "AWSServiceRoleForOrganizations";
const POLICY: &str = "arn:aws:iam::aws:policy/aws-service-role/AWSOrganizationsServiceTrustPolicy";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"organizations.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// The role's ARN in an account.
pub(crate) fn arn(account: &AccountId) -> String {
    format!("arn:aws:iam::{account}:role/aws-service-role/{SERVICE}/{NAME}")
}

/// Makes the role where it is not there.
pub(crate) fn ensure(cx: &Cx, tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    if tx.get::<Role>(&Role::key_of(account, NAME))?.is_some() {
        return Ok(());
    }
    let role = Role {
        account: account.clone(),
        path: format!("/aws-service-role/{SERVICE}/"),
        name: NAME.to_owned(),
        id: cx.ids().unique_id("AROA"),
        created: cx.now().truncated(),
        description: Some(
            "Service-linked role used by AWS Organizations to enable integration of other AWS services with Organizations."
                .to_owned(),
        ),
        trust_policy: TRUST.to_owned(),
        max_session_seconds: 3600,
        policies: Policies { attached: vec![POLICY.to_owned()], ..Policies::default() },
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec![],
    };
    role.save(tx)
}
