//! Up and down the tree: `ListChildren`, `ListParents`.

use daypass_core::model::organizations::{
    Child, ChildType, ListChildrenRequest, ListChildrenResponse, ListParentsRequest, ListParentsResponse,
    Parent, ParentType, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, operation};

use crate::fault::{no_child, no_parent};
use crate::home;
use crate::node::{self, Kind};
use crate::paging::page;

operation!(
    LIST_CHILDREN,
    ops::ListChildren,
    |cx, tx, input| home::checks(cx, tx, &[&input.parent_id]),
    children
);
operation!(LIST_PARENTS, ops::ListParents, |cx, tx, input| home::checks(cx, tx, &[&input.child_id]), parents);

fn children(cx: &Cx, tx: &mut Tx<'_>, input: ListChildrenRequest) -> Result<ListChildrenResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.parent_id])?)?;
    node::load(tx, &organization, &input.parent_id, &[Kind::Root, Kind::Unit], no_parent)?;
    let kind = match input.child_type {
        ChildType::ACCOUNT => Kind::Account,
        ChildType::ORGANIZATIONALUNIT => Kind::Unit,
    };
    let children = node::children(tx, &organization, &input.parent_id, kind)?.into_iter();
    let shown = |id: String| (id.clone(), Child { id: Some(id), type_: Some(input.child_type) });
    let children = children.map(|node| shown(node.id)).collect();
    let (children, next_token) = page(cx, children, input.next_token.as_deref(), input.max_results)?;
    Ok(ListChildrenResponse { children: Some(children), next_token })
}

fn parents(cx: &Cx, tx: &mut Tx<'_>, input: ListParentsRequest) -> Result<ListParentsResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.child_id])?)?;
    let child = node::load(tx, &organization, &input.child_id, &[Kind::Unit, Kind::Account], no_child)?;
    let parents = child.parent.into_iter().map(|id| {
        let kind = match node::kind_of(&id) {
            Kind::Root => ParentType::ROOT,
            _ => ParentType::ORGANIZATIONALUNIT,
        };
        (id.clone(), Parent { id: Some(id), type_: Some(kind) })
    });
    let (parents, next_token) = page(cx, parents.collect(), input.next_token.as_deref(), input.max_results)?;
    Ok(ListParentsResponse { parents: Some(parents), next_token })
}
