//! `ec2:DescribeIamInstanceProfileAssociations`.

use daypass_core::model::ec2::{
    DescribeIamInstanceProfileAssociationsRequest, DescribeIamInstanceProfileAssociationsResult,
    IamInstanceProfileAssociationState, ops,
};
use daypass_core::store::records::{Instance, ProfileAssociation, Tag};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{describe, unknown_association};
use crate::filter::{self, Field, Listed, one};
use crate::instance::is_on;
use crate::page::Page;
use crate::resource::{Home, Resource as _, ask_all};

operation!(
    DESCRIBE_IAM_INSTANCE_PROFILE_ASSOCIATIONS,
    ops::DescribeIamInstanceProfileAssociations,
    checks,
    run
);

/// An association, and the instance that has it.
struct Kept {
    instance_id: String,
    association: ProfileAssociation,
}

impl Listed for Kept {
    fn order(&self) -> String {
        self.association.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

const FILTERS: &[Field<Kept>] = &[("instance-id", |k| one(&k.instance_id)), ("state", |_| one("associated"))];

fn checks(
    cx: &Cx,
    _: &Tx<'_>,
    _: &DescribeIamInstanceProfileAssociationsRequest,
) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeIamInstanceProfileAssociations").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeIamInstanceProfileAssociationsRequest,
) -> Result<DescribeIamInstanceProfileAssociationsResult, Error> {
    let instances = Instance::list(tx, &Home::of(cx))?.into_iter().filter(is_on);
    let kept = |i: Instance| Some(Kept { association: i.profile?, instance_id: i.id });
    let mut kept: Vec<Kept> = instances.filter_map(kept).collect();
    if let Some(id) = input.association_ids.iter().find(|id| !kept.iter().any(|k| k.association.id == **id)) {
        return Err(unknown_association(id).into());
    }
    kept.retain(|k| input.association_ids.is_empty() || input.association_ids.contains(&k.association.id));
    let kept = filter::select(kept, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref());
    let (kept, next_token) = page.take(cx, kept)?;
    let state = IamInstanceProfileAssociationState::Associated;
    let associations = kept.iter().map(|k| describe(&k.instance_id, &k.association, state)).collect();
    Ok(DescribeIamInstanceProfileAssociationsResult {
        iam_instance_profile_associations: Some(associations),
        next_token,
    })
}
