//! Permissions boundaries: `Put…PermissionsBoundary` and `Delete…PermissionsBoundary` for users and roles.

use daypass_core::delegation::PartnerBoundary;
use daypass_core::model::iam::{AttachedPermissionsBoundary, PermissionsBoundaryAttachmentType, ops};
use daypass_core::store::records::{Role, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Cx, Error, operation};

use crate::entity::{Bounded, check_identity};
use crate::policy_arn::{PolicyArn, bounding};

/// `boundaries!(record, member that names it: two entries);`
macro_rules! boundaries {
    ($record:ty, $handle:ident: $put:ident = $Put:ident, $delete:ident = $Delete:ident) => {
        operation!(
            $put,
            ops::$Put,
            |cx, tx, input| {
                Ok(put_check::<$record>(cx, tx, &input.$handle, &input.permissions_boundary)?.into())
            },
            |cx, tx, input| put::<$record>(cx, tx, &input.$handle, input.permissions_boundary)
        );
        operation!(
            $delete,
            ops::$Delete,
            |cx, tx, input| Ok(check_identity::<$record>(cx, tx, &input.$handle)?.into()),
            |cx, tx, input| delete::<$record>(cx, tx, &input.$handle)
        );
    };
}

boundaries!(User, user_name:
    PUT_USER_PERMISSIONS_BOUNDARY = PutUserPermissionsBoundary,
    DELETE_USER_PERMISSIONS_BOUNDARY = DeleteUserPermissionsBoundary);
boundaries!(Role, role_name:
    PUT_ROLE_PERMISSIONS_BOUNDARY = PutRolePermissionsBoundary,
    DELETE_ROLE_PERMISSIONS_BOUNDARY = DeleteRolePermissionsBoundary);

/// Here the key is the boundary that is to be set, not the one that there is.
fn put_check<B: Bounded>(cx: &Cx, tx: &Tx<'_>, handle: &str, arn: &str) -> Result<Check, StoreError> {
    Ok(B::check(cx, tx, handle)?.with("iam:PermissionsBoundary", arn))
}

fn put<B: Bounded>(cx: &Cx, tx: &mut Tx<'_>, handle: &str, arn: String) -> Result<(), Error> {
    if PartnerBoundary::place_of(&arn).is_none() {
        PolicyArn::parse(&arn)?;
    }
    let mut bounded = B::load(cx, tx, handle)?;
    bounded.boundary_mut()?;
    bounding(cx, tx, &arn)?;
    *bounded.boundary_mut()? = Some(arn);
    Ok(bounded.save(tx)?)
}

/// Of what has no boundary, none is left: that is no error.
fn delete<B: Bounded>(cx: &Cx, tx: &mut Tx<'_>, handle: &str) -> Result<(), Error> {
    let mut bounded = B::load(cx, tx, handle)?;
    *bounded.boundary_mut()? = None;
    Ok(bounded.save(tx)?)
}

/// A boundary as answers have it.
pub(crate) fn shown(arn: Option<&str>) -> Option<AttachedPermissionsBoundary> {
    arn.map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(arn.to_owned()),
    })
}
