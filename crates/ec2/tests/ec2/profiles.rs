//! Roles on instances: put, replaced, taken away.

use crate::support::{Region, launch};

#[tokio::test(start_paused = true)]
async fn a_profile_is_put_on_replaced_and_taken_away() {
    let region = Region::new().await;
    let (app, other) = (region.profile("app").await, region.profile("other").await);
    let id = region.running(&[]).await;
    let put = region
        .ok("AssociateIamInstanceProfile", &[("InstanceId", &id), ("IamInstanceProfile.Name", "app")])
        .await;
    assert_eq!((put.xml("state"), put.xml("arn")), (Some("associating"), Some(app.as_str())));
    assert_eq!(put.xml("instanceId"), Some(id.as_str()));
    let association = put.xml("associationId").unwrap();
    assert!(association.starts_with("iip-assoc-0"), "{association}");
    // The record says it before the answer does: the metadata service reads nothing else.
    assert_eq!(region.record(&id).unwrap().profile.unwrap().profile_name, "app");
    let again = [("InstanceId", id.as_str()), ("IamInstanceProfile.Arn", other.as_str())];
    let refused = region.refused("AssociateIamInstanceProfile", &again).await;
    let words = format!("There is an existing association for instance {id}");
    assert_eq!(refused, (400, "IncorrectState".to_owned(), words));

    let replace = [("AssociationId", association), ("IamInstanceProfile.Arn", other.as_str())];
    let replaced = region.ok("ReplaceIamInstanceProfileAssociation", &replace).await;
    assert_eq!(replaced.xml("arn"), Some(other.as_str()));
    let new = replaced.xml("associationId").unwrap();
    assert_ne!(new, association);
    let shown = region.ok("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert!(shown.body.contains(&format!("<iamInstanceProfile><arn>{other}</arn>")), "{}", shown.body);
    for (filter, value, found) in [
        ("instance-id", id.as_str(), true),
        ("state", "associated", true),
        ("state", "disassociated", false),
        ("instance-id", "i-0123456789abcdef0", false),
    ] {
        let ask = [("Filter.1.Name", filter), ("Filter.1.Value.1", value)];
        let listed = region.ok("DescribeIamInstanceProfileAssociations", &ask).await;
        assert_eq!(listed.xml("associationId"), found.then_some(new), "{filter} {value}");
        assert_eq!(listed.xml("state"), found.then_some("associated"));
    }

    let gone = region.ok("DisassociateIamInstanceProfile", &[("AssociationId", new)]).await;
    assert_eq!(gone.xml("state"), Some("disassociating"));
    assert!(region.record(&id).unwrap().profile.is_none());
    let shown = region.ok("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert!(!shown.body.contains("iamInstanceProfile"));
    let (_, code, _) = region.refused("DisassociateIamInstanceProfile", &[("AssociationId", new)]).await;
    assert_eq!(code, "InvalidAssociationID.NotFound");
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_named_by_what_it_is() {
    let region = Region::new().await;
    let arn = region.profile("app").await;
    let empty = region.empty_profile("empty").await;
    let foreign = arn.replace("123456789012", "210987654321");
    let flat = arn.replace("/app/app", "/app");
    let id = region.running(&[]).await;
    for (name, value, message) in [
        ("Name", "nope", "Value (nope) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name".to_owned()),
        ("Arn", foreign.as_str(), format!("Value ({foreign}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN")),
        ("Arn", flat.as_str(), format!("Value ({flat}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN")),
        ("Name", "empty", format!("IAM Instance Profile \"{empty}\" has no associated IAM Roles")),
    ] {
        let parameter = format!("IamInstanceProfile.{name}");
        let refused = launch(&region.administrator, &[(parameter.as_str(), value)]).await.refused();
        assert_eq!(refused, ("InvalidParameterValue".to_owned(), message.clone()));
        let ask = [("InstanceId", id.as_str()), (parameter.as_str(), value)];
        let refused = region.refused("AssociateIamInstanceProfile", &ask).await;
        assert_eq!(refused, (400, "InvalidParameterValue".to_owned(), message));
    }
    for (parameter, value) in [("IamInstanceProfile.Name", "app"), ("IamInstanceProfile.Arn", arn.as_str())] {
        let launched = launch(&region.administrator, &[(parameter, value)]).await.ok();
        assert!(
            launched.body.contains(&format!("<iamInstanceProfile><arn>{arn}</arn>")),
            "{}",
            launched.body
        );
    }
    let both = [("IamInstanceProfile.Name", "app"), ("IamInstanceProfile.Arn", arn.as_str())];
    let (code, _) = launch(&region.administrator, &both).await.refused();
    assert_eq!(code, "InvalidParameterCombination");
}

#[tokio::test(start_paused = true)]
async fn a_profile_goes_on_stopped_instances_and_not_on_dead_ones() {
    let mut region = Region::new().await;
    region.profile("app").await;
    let id = region.running(&[]).await;
    let ask = [("InstanceId", id.as_str()), ("IamInstanceProfile.Name", "app")];
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    region.ok("AssociateIamInstanceProfile", &ask).await;
    region.pause().await;
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    let association = region.record(&id).unwrap().profile.unwrap().id;
    let replace = [("AssociationId", association.as_str()), ("IamInstanceProfile.Name", "app")];
    let (_, code, _) = region.refused("ReplaceIamInstanceProfileAssociation", &replace).await;
    assert_eq!(code, "IncorrectInstanceState");
    region.resume();
    region.becomes(&id, "terminated").await;
    assert!(region.record(&id).unwrap().profile.is_none());
    let (_, code, _) = region.refused("AssociateIamInstanceProfile", &ask).await;
    assert_eq!(code, "IncorrectInstanceState");
}
