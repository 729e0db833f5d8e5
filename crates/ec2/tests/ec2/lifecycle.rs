//! What may be asked of an instance in which state.

use crate::support::Region;

/// An instance for every state that lasts as long as no machine does anything.
async fn in_every_state() -> (Region, Vec<(&'static str, String)>) {
    let mut region = Region::new().await;
    let mut ids = vec![];
    for _ in 0..5 {
        ids.push(region.running(&[]).await);
    }
    region.ok("StopInstances", &[("InstanceId.1", &ids[0])]).await;
    region.becomes(&ids[0], "stopped").await;
    region.ok("TerminateInstances", &[("InstanceId.1", &ids[1])]).await;
    region.becomes(&ids[1], "terminated").await;
    region.pause().await;
    region.ok("StopInstances", &[("InstanceId.1", &ids[2])]).await;
    region.ok("TerminateInstances", &[("InstanceId.1", &ids[3])]).await;
    let pending = region.launch(&[]).await;
    let states = ["stopped", "terminated", "stopping", "shutting-down", "running"];
    let mut all: Vec<_> = states.into_iter().zip(ids).collect();
    all.push(("pending", pending));
    (region, all)
}

#[tokio::test(start_paused = true)]
async fn every_order_in_every_state() {
    const WRONG: &str = "IncorrectInstanceState";
    for (action, expected) in [
        (
            "StartInstances",
            [
                ("stopped", Ok("pending")),
                ("terminated", Err(WRONG)),
                ("stopping", Err(WRONG)),
                ("shutting-down", Err(WRONG)),
                ("running", Ok("running")),
                ("pending", Ok("pending")),
            ],
        ),
        (
            "StopInstances",
            [
                ("stopped", Ok("stopped")),
                ("terminated", Err(WRONG)),
                ("stopping", Ok("stopping")),
                ("shutting-down", Err(WRONG)),
                ("running", Ok("stopping")),
                ("pending", Err(WRONG)),
            ],
        ),
        (
            "TerminateInstances",
            [
                ("stopped", Ok("shutting-down")),
                ("terminated", Ok("terminated")),
                ("stopping", Ok("shutting-down")),
                ("shutting-down", Ok("shutting-down")),
                ("running", Ok("shutting-down")),
                ("pending", Ok("shutting-down")),
            ],
        ),
        (
            "RebootInstances",
            [
                ("stopped", Err(WRONG)),
                ("terminated", Err(WRONG)),
                ("stopping", Err(WRONG)),
                ("shutting-down", Err(WRONG)),
                ("running", Ok("running")),
                ("pending", Ok("pending")),
            ],
        ),
    ] {
        let (region, ids) = in_every_state().await;
        for ((state, outcome), (is, id)) in expected.into_iter().zip(&ids) {
            assert_eq!(state, *is);
            match outcome {
                Ok(after) => {
                    region.ok(action, &[("InstanceId.1", id)]).await;
                    assert_eq!(region.state(id).await, after, "{action} {state}");
                }
                Err(code) => {
                    let refused = region.refused(action, &[("InstanceId.1", id)]).await;
                    assert_eq!(
                        (refused.0, refused.1.as_str()),
                        (400, code),
                        "{action} {state}: {}",
                        refused.2
                    );
                    assert_eq!(region.state(id).await, state, "{action} {state}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_are_ordered_together_or_none() {
    let region = Region::new().await;
    let (one, two) = (region.running(&[]).await, region.running(&[]).await);
    let protect = [("InstanceId", two.as_str()), ("DisableApiTermination.Value", "true")];
    region.ok("ModifyInstanceAttribute", &protect).await;
    let both = [("InstanceId.1", one.as_str()), ("InstanceId.2", two.as_str())];
    let (status, code, message) = region.refused("TerminateInstances", &both).await;
    assert_eq!((status, code.as_str()), (400, "OperationNotPermitted"));
    assert_eq!(
        message,
        format!(
            "The instance '{two}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
        )
    );
    region.settle().await;
    assert_eq!(region.state(&one).await, "running");
    let stopped = region.ok("StopInstances", &both).await;
    assert_eq!(stopped.xml_all("name"), ["stopping", "running", "stopping", "running"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_protected_from_stops_is_not_stopped() {
    let region = Region::new().await;
    let id = region.running(&[("DisableApiStop", "true")]).await;
    let (_, code, _) = region.refused("StopInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(code, "OperationNotPermitted");
    region.ok("ModifyInstanceAttribute", &[("InstanceId", &id), ("DisableApiStop.Value", "false")]).await;
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_that_nobody_has_is_refused_in_aws_s_words() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    for action in
        ["StartInstances", "StopInstances", "RebootInstances", "TerminateInstances", "DescribeInstances"]
    {
        for (asked, code, message) in [
            (
                vec![("InstanceId.1", "i-0123456789abcdef0")],
                "InvalidInstanceID.NotFound",
                "The instance ID 'i-0123456789abcdef0' does not exist",
            ),
            (
                vec![
                    ("InstanceId.1", id.as_str()),
                    ("InstanceId.2", "i-0123456789abcdef0"),
                    ("InstanceId.3", "i-01234567"),
                ],
                "InvalidInstanceID.NotFound",
                "The instance IDs 'i-0123456789abcdef0, i-01234567' do not exist",
            ),
            (
                vec![("InstanceId.1", "i-xyz")],
                "InvalidInstanceID.Malformed",
                "Invalid id: \"i-xyz\" (expecting \"i-...\")",
            ),
            (
                vec![("InstanceId.1", "vpc-01234567")],
                "InvalidInstanceID.Malformed",
                "Invalid id: \"vpc-01234567\" (expecting \"i-...\")",
            ),
        ] {
            let refused = region.refused(action, &asked).await;
            assert_eq!(refused, (400, code.to_owned(), message.to_owned()), "{action}");
        }
    }
    assert_eq!(region.state(&id).await, "running");
}

#[tokio::test(start_paused = true)]
async fn without_a_driver_nothing_is_recorded_that_cannot_be_done() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    region.server.gate.state().instances.set(Err("there are no user namespaces".to_owned()));
    let refused = crate::support::launch(&region.administrator, &[]).await.refused();
    assert_eq!(refused.0, "Unsupported");
    assert!(refused.1.contains("there are no user namespaces"), "{}", refused.1);
    let (_, code, _) = region.refused("StartInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(code, "Unsupported");
    assert_eq!(region.state(&id).await, "stopped");
}
