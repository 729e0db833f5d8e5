use daypass_core::testing::TestServer;

#[tokio::test]
async fn a_stranger_is_refused_everything_changes_nothing_and_is_recorded() {
    let server = TestServer::new(daypass_ec2::OPERATIONS.iter().copied()).await;
    for entry in daypass_ec2::OPERATIONS {
        server.refuses_a_stranger(entry.operation()).await;
    }
}

#[tokio::test]
async fn the_list_of_what_is_built_is_the_model_s_and_holds_nothing_twice() {
    let mut names: Vec<&str> = daypass_ec2::OPERATIONS.iter().map(|entry| entry.operation().name).collect();
    names.sort_unstable();
    let mut built: Vec<&str> = include_str!("../../../../models/ec2.ops").lines().collect();
    built.sort_unstable();
    assert_eq!(names, built);
}
