//! Records become machines, whatever happens in between.

use daypass_ec2::machines::{Event, OrderError};

use crate::support::Region;

fn failed() -> OrderError {
    OrderError::Failed("not now".to_owned())
}

#[tokio::test(start_paused = true)]
async fn an_instance_lives_as_it_is_ordered_to() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    region.ok("RebootInstances", &[("InstanceId.1", &id)]).await;
    region.until("rebooted", || region.machines.count(&format!("start {id}")) == 2).await;
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    region.ok("StartInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "running").await;
    region.ok("StopInstances", &[("InstanceId.1", &id), ("Force", "true")]).await;
    region.becomes(&id, "stopped").await;
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    let orders = ["start", "stop", "start", "stop", "start", "kill", "terminate"];
    let orders: Vec<String> = orders.iter().map(|order| format!("{order} {id}")).collect();
    assert_eq!(region.machines.orders(), orders);
    assert!(!region.machines.has(&id));
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_started_from_what_the_record_says() {
    let region = Region::new().await;
    let id = region.running(&[("UserData", "IyEvYmluL3NoCg==")]).await;
    let launches = region.machines.launches();
    let [launch] = launches.as_slice() else { panic!("{launches:?}") };
    assert_eq!(launch.instance.id, id);
    assert_eq!((launch.vcpus, launch.memory_mib), (2, 1024));
    assert_eq!(launch.instance.user_data.as_deref(), Some("IyEvYmluL3NoCg=="));
    let address = launch.private_ip.to_string();
    assert_eq!(launch.hostname, format!("ip-{}.ec2.internal", address.replace('.', "-")));
    assert!(address.starts_with("172.31."), "{address}");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_runs_is_adopted_and_nothing_is_started_twice() {
    let mut region = Region::new().await;
    let (one, two) = (region.running(&[]).await, region.running(&[]).await);
    region.ok("StopInstances", &[("InstanceId.1", &two)]).await;
    region.becomes(&two, "stopped").await;
    let before = region.machines.orders().len();
    region.restart().await;
    region.settle().await;
    assert_eq!(region.machines.orders().get(before..), Some([format!("adopt {one}")].as_slice()));
    assert_eq!(
        (region.state(&one).await.as_str(), region.state(&two).await.as_str()),
        ("running", "stopped")
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_should_run_and_does_not_is_started() {
    let mut region = Region::new().await;
    let id = region.running(&[]).await;
    region.pause().await;
    region.machines.kill_all();
    region.resume();
    region.until("it runs again", || region.machines.runs(&id)).await;
    region.settle().await;
    assert_eq!(region.state(&id).await, "running");
    assert_eq!(region.machines.count(&format!("start {id}")), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_was_asked_for_meanwhile_is_done() {
    let mut region = Region::new().await;
    let mut ids = vec![];
    for _ in 0..3 {
        ids.push(region.running(&[]).await);
    }
    region.pause().await;
    region.ok("StopInstances", &[("InstanceId.1", &ids[0])]).await;
    region.ok("TerminateInstances", &[("InstanceId.1", &ids[1])]).await;
    region.ok("RebootInstances", &[("InstanceId.1", &ids[2])]).await;
    let new = region.launch(&[]).await;
    for (id, state) in [(&ids[0], "stopping"), (&ids[1], "shutting-down"), (&new, "pending")] {
        assert_eq!(region.state(id).await, state);
    }
    region.resume();
    for (id, state) in
        [(&ids[0], "stopped"), (&ids[1], "terminated"), (&ids[2], "running"), (&new, "running")]
    {
        region.becomes(id, state).await;
    }
    region.until("rebooted", || region.machines.count(&format!("start {}", ids[2])) == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_carried_out_but_not_recorded_is_adopted() {
    let mut region = Region::new().await;
    region.pause().await;
    let id = region.launch(&[]).await;
    // The machine came up, and the process ended before it could say so.
    let machines: &dyn daypass_ec2::Machines = &*region.machines;
    let record = region.record(&id).unwrap();
    machines.start(daypass_ec2::machines::Launch::of(&record)).await.unwrap();
    region.resume();
    region.becomes(&id, "running").await;
    assert_eq!(region.machines.count(&format!("start {id}")), 1);
    assert_eq!(region.machines.count(&format!("adopt {id}")), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_adopted_is_started_anew() {
    let mut region = Region::new().await;
    let id = region.running(&[]).await;
    region.machines.fail("adopt", [OrderError::Refused("its listeners are gone".to_owned())]);
    region.restart().await;
    region.until("started anew", || region.machines.count(&format!("start {id}")) == 2).await;
    assert_eq!(region.machines.count(&format!("kill {id}")), 1);
    region.settle().await;
    assert_eq!(region.state(&id).await, "running");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_fails_is_given_again() {
    let region = Region::new().await;
    region.machines.fail("start", [failed(), failed(), failed()]);
    let id = region.launch(&[]).await;
    region.becomes(&id, "running").await;
    assert_eq!(region.machines.count(&format!("start {id}")), 4);
    region.machines.fail("terminate", vec![failed(); 8]);
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    // There is nothing to give up: a machine that should be gone is ended some day.
    region.until("terminated", || region.machines.count(&format!("terminate {id}")) == 9).await;
    region.becomes(&id, "terminated").await;
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_cannot_succeed_ends_the_instance_and_says_why() {
    let region = Region::new().await;
    region.machines.fail("start", [OrderError::Refused("there are too many instances".to_owned())]);
    let id = region.launch(&[]).await;
    region.becomes(&id, "terminated").await;
    let shown = region.ok("DescribeInstances", &[("InstanceId.1", &id)]).await;
    let reason = "Server.InternalError: Internal error on launch: there are too many instances";
    assert!(shown.body.contains(&format!("<code>Server.InternalError</code><message>{reason}</message>")));
    // Its address is free again.
    let subnet = region.record(&id).unwrap().network.subnet_id;
    let subnets = region.ok("DescribeSubnets", &[("SubnetId.1", &subnet)]).await;
    assert_eq!(subnets.xml("availableIpAddressCount"), Some("4091"));
}

#[tokio::test(start_paused = true)]
async fn a_later_start_that_cannot_succeed_leaves_the_instance_stopped() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    region.machines.fail("start", vec![failed(); 6]);
    region.ok("StartInstances", &[("InstanceId.1", &id)]).await;
    region.until("given up", || region.machines.count(&format!("start {id}")) == 7).await;
    region.becomes(&id, "stopped").await;
    assert!(region.machines.has(&id), "its disk is kept");
    region.ok("StartInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "running").await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_fails_or_hangs_holds_up_no_other() {
    let mut region = Region::new().await;
    region.pause().await;
    let mut stuck = vec![];
    for _ in 0..20 {
        let id = region.launch(&[]).await;
        region.machines.silence(&id);
        stuck.push(id);
    }
    region.resume();
    // Every place is taken by an order that nobody answers, until its time is over.
    let id = region.launch(&[]).await;
    region.becomes(&id, "running").await;
    assert!(stuck.iter().all(|id| !region.machines.runs(id)));
}

#[tokio::test(start_paused = true)]
async fn who_waits_to_try_again_hears_a_new_order_at_once() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    region.machines.fail("stop", vec![failed(); 1000]);
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.until("it waits for long", || region.machines.count(&format!("stop {id}")) > 8).await;
    // Time stands still: what waits for it waits on.
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let standing = tokio::task::spawn_blocking(move || ended.recv().is_err());
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    for _ in 0..100_000 {
        if !region.machines.has(&id) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(!region.machines.has(&id));
    drop(end);
    standing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_from_within_does_what_the_launch_said() {
    let region = Region::new().await;
    for (behavior, state, has) in [("stop", "stopped", true), ("terminate", "terminated", false)] {
        let id = region.running(&[("InstanceInitiatedShutdownBehavior", behavior)]).await;
        region.machines.kill(&id);
        region.events.send(Event::Stopped { id: id.clone(), by_itself: true }).unwrap();
        region.becomes(&id, state).await;
        assert_eq!(region.machines.has(&id), has);
        let shown = region.ok("DescribeInstances", &[("InstanceId.1", &id)]).await;
        assert!(shown.body.contains("<code>Client.InstanceInitiatedShutdown</code>"), "{}", shown.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_ends_before_its_start_is_heard_of_is_not_thought_to_run() {
    let region = Region::new().await;
    region.machines.start_and_end(region.events.clone());
    let id = region.launch(&[]).await;
    region.becomes(&id, "stopped").await;
    assert_eq!(region.machines.count(&format!("start {id}")), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_killed_stays_down_and_can_be_started() {
    let region = Region::new().await;
    let id = region.running(&[("InstanceInitiatedShutdownBehavior", "terminate")]).await;
    region.machines.kill(&id);
    region.events.send(Event::Stopped { id: id.clone(), by_itself: false }).unwrap();
    region.becomes(&id, "stopped").await;
    region.ok("StartInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "running").await;
    assert!(region.machines.runs(&id));
}

#[tokio::test(start_paused = true)]
async fn when_what_starts_machines_is_lost_they_come_back() {
    let region = Region::new().await;
    let (one, two) = (region.running(&[]).await, region.running(&[]).await);
    region.machines.kill(&one);
    region.events.send(Event::Lost).unwrap();
    region.until("started", || region.machines.count(&format!("start {one}")) == 2).await;
    region.until("adopted", || region.machines.count(&format!("adopt {two}")) == 1).await;
    region.settle().await;
    assert_eq!(
        (region.state(&one).await.as_str(), region.state(&two).await.as_str()),
        ("running", "running")
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_none_of_its_business_gives_no_order() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let before = region.machines.orders();
    let tag = [("ResourceId.1", id.as_str()), ("Tag.1.Key", "a"), ("Tag.1.Value", "b")];
    region.ok("CreateTags", &tag).await;
    region.ok("ModifyInstanceMetadataOptions", &[("InstanceId", &id), ("HttpTokens", "optional")]).await;
    region.settle().await;
    assert_eq!(region.machines.orders(), before);
}

#[tokio::test(start_paused = true)]
async fn a_terminated_instance_is_shown_for_an_hour_and_then_forgotten() {
    let mut region = Region::new().await;
    let id = region.running(&[("ClientToken", "once")]).await;
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    region.server.clock.advance(3599);
    region.administrator = region.server.administrator().await;
    region.restart().await;
    region.settle().await;
    assert_eq!(region.state(&id).await, "terminated");
    region.server.clock.advance(1);
    assert!(!region.ok("DescribeInstances", &[]).await.body.contains(&id));
    region.restart().await;
    region.until("forgotten", || region.record(&id).is_none()).await;
    let (.., message) = region.refused("DescribeInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(message, format!("The instance ID '{id}' does not exist"));
}
