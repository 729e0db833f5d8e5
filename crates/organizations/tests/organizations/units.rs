use serde_json::json;

use crate::support::{Organization, each, pages, text};

#[tokio::test]
async fn a_unit_is_made_renamed_and_deleted() {
    let org = Organization::new().await;
    let made = org.ok("CreateOrganizationalUnit", json!({ "ParentId": org.root, "Name": "Prod" })).await;
    let id = text(&made, "/OrganizationalUnit/Id");
    assert_eq!(
        made,
        json!({ "OrganizationalUnit": {
            "Id": id,
            "Arn": format!("arn:aws:organizations::123456789012:ou/{}/{id}", org.id),
            "Name": "Prod",
            "Path": format!("{}/{}/{id}/", org.id, org.root),
        }})
    );
    let again = json!({ "ParentId": org.root, "Name": "Prod" });
    let (code, words) = org.refused("CreateOrganizationalUnit", again).await;
    assert_eq!(code, "DuplicateOrganizationalUnitException");
    assert_eq!(words, "An OU with the same name already exists.");
    let other = org.unit(&org.root, "Test").await;
    let same = json!({ "OrganizationalUnitId": other, "Name": "Prod" });
    assert_eq!(org.refused("UpdateOrganizationalUnit", same).await.0, "DuplicateOrganizationalUnitException");
    org.ok("UpdateOrganizationalUnit", json!({ "OrganizationalUnitId": id, "Name": "Live" })).await;
    let shown = org.ok("DescribeOrganizationalUnit", json!({ "OrganizationalUnitId": id })).await;
    assert_eq!(text(&shown, "/OrganizationalUnit/Name"), "Live");
    let inner = org.unit(&id, "Inner").await;
    let input = json!({ "OrganizationalUnitId": id });
    assert_eq!(
        org.refused("DeleteOrganizationalUnit", input.clone()).await.0,
        "OrganizationalUnitNotEmptyException"
    );
    org.ok("DeleteOrganizationalUnit", json!({ "OrganizationalUnitId": inner })).await;
    org.ok("DeleteOrganizationalUnit", input.clone()).await;
    let (code, words) = org.refused("DescribeOrganizationalUnit", input).await;
    assert_eq!(code, "OrganizationalUnitNotFoundException");
    assert_eq!(words, "You specified an organizational unit that doesn't exist.");
}

#[tokio::test]
async fn units_are_five_deep_at_most() {
    let org = Organization::new().await;
    let mut parent = org.root.clone();
    for level in 0..5 {
        parent = org.unit(&parent, &format!("level {level}")).await;
    }
    let (code, words) =
        org.refused("CreateOrganizationalUnit", json!({ "ParentId": parent, "Name": "six" })).await;
    assert_eq!(code, "ConstraintViolationException");
    assert_eq!(
        words,
        "You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed."
    );
}

#[tokio::test]
async fn the_tree_is_walked_up_and_down_in_pages() {
    let org = Organization::new().await;
    let (a, b) = (org.unit(&org.root, "a").await, org.unit(&org.root, "b").await);
    let mut units = vec![a.clone(), b];
    units.sort();
    let input = json!({ "ParentId": org.root });
    let listed =
        pages(&org.management, "ListOrganizationalUnitsForParent", &input, "OrganizationalUnits", "Id");
    assert_eq!(listed.await, units);
    let input = json!({ "ParentId": org.root, "ChildType": "ORGANIZATIONAL_UNIT" });
    assert_eq!(pages(&org.management, "ListChildren", &input, "Children", "Id").await, units);
    let inner = org.unit(&a, "inner").await;
    let parents = org.ok("ListParents", json!({ "ChildId": inner })).await;
    assert_eq!(parents, json!({ "Parents": [{ "Id": a, "Type": "ORGANIZATIONAL_UNIT" }] }));
    let parents = org.ok("ListParents", json!({ "ChildId": "123456789012" })).await;
    assert_eq!(parents, json!({ "Parents": [{ "Id": org.root, "Type": "ROOT" }] }));
    let accounts = org.ok("ListChildren", json!({ "ParentId": org.root, "ChildType": "ACCOUNT" })).await;
    assert_eq!(each(&accounts, "Children", "Id"), ["123456789012"]);
    let nowhere = json!({ "ParentId": "ou-zzzz-zzzzzzzz" });
    assert_eq!(org.refused("ListOrganizationalUnitsForParent", nowhere).await.0, "ParentNotFoundException");
    let nobody = json!({ "ChildId": "999999999999" });
    assert_eq!(org.refused("ListParents", nobody).await.0, "ChildNotFoundException");
    let token = json!({ "ParentId": org.root, "NextToken": "made up" });
    assert_eq!(org.refused("ListOrganizationalUnitsForParent", token).await.0, "InvalidInputException");
}
