//! Groups, as answers show them.

use daypass_core::model::iam::Group as ApiGroup;
use daypass_core::store::records::Group;

/// The group; there is nothing else to show of one.
pub(crate) fn listed(group: &Group) -> ApiGroup {
    ApiGroup {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn(),
        create_date: group.created,
    }
}
