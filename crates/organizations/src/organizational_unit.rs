//! Organizational units: `Create…`, `Describe…`, `Update…`, `DeleteOrganizationalUnit`, `ListOrganizationalUnitsForParent`.

use daypass_core::model::organizations::{
    CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse, DeleteOrganizationalUnitRequest,
    DescribeOrganizationalUnitRequest, DescribeOrganizationalUnitResponse,
    ListOrganizationalUnitsForParentRequest, ListOrganizationalUnitsForParentResponse,
    UpdateOrganizationalUnitRequest, UpdateOrganizationalUnitResponse, ops,
};
use daypass_core::organizations::way_down;
use daypass_core::store::records::{Organization, OrganizationNode};
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::{constraint, no_parent, no_unit, same_unit, unit_not_empty};
use crate::node::{self, Kind};
use crate::paging::page;
use crate::{home, id, policy, tag};

operation!(CREATE_ORGANIZATIONAL_UNIT, ops::CreateOrganizationalUnit, create_checks, create);
operation!(
    DESCRIBE_ORGANIZATIONAL_UNIT,
    ops::DescribeOrganizationalUnit,
    |cx, tx, input| home::checks(cx, tx, &[&input.organizational_unit_id]),
    describe
);
operation!(
    UPDATE_ORGANIZATIONAL_UNIT,
    ops::UpdateOrganizationalUnit,
    |cx, tx, input| home::checks(cx, tx, &[&input.organizational_unit_id]),
    update
);
operation!(
    DELETE_ORGANIZATIONAL_UNIT,
    ops::DeleteOrganizationalUnit,
    |cx, tx, input| home::checks(cx, tx, &[&input.organizational_unit_id]),
    delete
);
operation!(
    LIST_ORGANIZATIONAL_UNITS_FOR_PARENT,
    ops::ListOrganizationalUnitsForParent,
    |cx, tx, input| home::checks(cx, tx, &[&input.parent_id]),
    list
);

/// The most levels of units under a root (Organizations user guide, `orgs_reference_limits`).
const MAX_DEPTH: usize = 5;
/// The most units of an organization (ibid.).
const MAX_UNITS: usize = 2000;

fn create_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &CreateOrganizationalUnitRequest,
) -> Result<Checks, StoreError> {
    tag::creating(cx, tx, &[&input.parent_id], &input.tags)
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateOrganizationalUnitRequest,
) -> Result<CreateOrganizationalUnitResponse, Error> {
    let organization = home::managed(cx, tx)?;
    let tags = tag::read(input.tags)?;
    node::load(tx, &organization, &input.parent_id, &[Kind::Root, Kind::Unit], no_parent)?;
    if way_down(tx, &organization.id, &input.parent_id)?.len() > MAX_DEPTH {
        let words = "You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.";
        return Err(constraint("OU_DEPTH_LIMIT_EXCEEDED", words).into());
    }
    let units = node::all(tx, &organization)?.into_iter().filter(|n| node::kind_of(&n.id) == Kind::Unit);
    if units.count() >= MAX_UNITS {
        let words =
            "You have exceeded the number of organizational units that you can have in an organization.";
        return Err(constraint("OU_NUMBER_LIMIT_EXCEEDED", words).into());
    }
    unused(tx, &organization, &input.parent_id, &input.name, None)?;
    let root = organization.root_id.strip_prefix("r-").unwrap_or_default();
    let unit = OrganizationNode {
        organization: organization.id.clone(),
        id: format!("ou-{root}-{}", id::letters(cx, 8)),
        parent: Some(input.parent_id),
        name: input.name,
        policies: policy::full_access(&organization),
        tags,
        account: None,
    };
    tx.put(&unit)?;
    Ok(CreateOrganizationalUnitResponse { organizational_unit: Some(node::unit(tx, &organization, &unit)?) })
}

/// Whether no other unit under the parent has the name.
///
/// # Errors
/// If one has.
fn unused(
    tx: &Tx<'_>,
    organization: &Organization,
    parent: &str,
    name: &str,
    but: Option<&str>,
) -> Result<(), Error> {
    let units = node::children(tx, organization, parent, Kind::Unit)?;
    let taken = units.iter().any(|unit| unit.name == name && Some(unit.id.as_str()) != but);
    if taken { Err(same_unit().into()) } else { Ok(()) }
}

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeOrganizationalUnitRequest,
) -> Result<DescribeOrganizationalUnitResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.organizational_unit_id])?)?;
    let unit = node::load(tx, &organization, &input.organizational_unit_id, &[Kind::Unit], no_unit)?;
    Ok(DescribeOrganizationalUnitResponse {
        organizational_unit: Some(node::unit(tx, &organization, &unit)?),
    })
}

fn update(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateOrganizationalUnitRequest,
) -> Result<UpdateOrganizationalUnitResponse, Error> {
    let organization = home::managed(cx, tx)?;
    let mut unit = node::load(tx, &organization, &input.organizational_unit_id, &[Kind::Unit], no_unit)?;
    if let Some(name) = input.name {
        let parent = unit.parent.clone().unwrap_or_default();
        unused(tx, &organization, &parent, &name, Some(&unit.id))?;
        unit.name = name;
        tx.put(&unit)?;
    }
    Ok(UpdateOrganizationalUnitResponse { organizational_unit: Some(node::unit(tx, &organization, &unit)?) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteOrganizationalUnitRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let unit = node::load(tx, &organization, &input.organizational_unit_id, &[Kind::Unit], no_unit)?;
    if node::all(tx, &organization)?.iter().any(|node| node.parent.as_deref() == Some(unit.id.as_str())) {
        return Err(unit_not_empty().into());
    }
    tx.delete(&unit.key());
    Ok(())
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListOrganizationalUnitsForParentRequest,
) -> Result<ListOrganizationalUnitsForParentResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.parent_id])?)?;
    node::load(tx, &organization, &input.parent_id, &[Kind::Root, Kind::Unit], no_parent)?;
    let mut units = vec![];
    for unit in node::children(tx, &organization, &input.parent_id, Kind::Unit)? {
        units.push((unit.id.clone(), node::unit(tx, &organization, &unit)?));
    }
    let (units, next_token) = page(cx, units, input.next_token.as_deref(), input.max_results)?;
    Ok(ListOrganizationalUnitsForParentResponse { organizational_units: Some(units), next_token })
}
