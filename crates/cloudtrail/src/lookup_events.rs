//! `cloudtrail:LookupEvents`: the management events of the last ninety days, newest first.

use daypass_core::model::Timestamp;
use daypass_core::model::cloudtrail::{
    Event, LookupAttributeKey, LookupEventsRequest, LookupEventsResponse, Resource, errors, ops,
};
use daypass_core::store::{Attribute, AuditQuery, AuditRecord, Order, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Purpose, at_length, operation};

operation!(LOOKUP_EVENTS, ops::LookupEvents, checks, run);

/// What CloudTrail's event history holds (CloudTrail user guide, "Working with CloudTrail event history").
const HISTORY_SECONDS: i64 = 90 * 86_400;
const DEFAULT_RESULTS: i32 = 50;

fn checks(_: &Cx, _: &Tx<'_>, _: &LookupEventsRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("cloudtrail:LookupEvents").into())
}

fn run(cx: &Cx, _: &mut Tx<'_>, input: LookupEventsRequest) -> Result<LookupEventsResponse, Error> {
    if let (Some(from), Some(until)) = (input.start_time, input.end_time)
        && from > until
    {
        let words = "The start time specified occurs after the end time specified.";
        return Err(Fault::new(&errors::INVALID_TIME_RANGE_EXCEPTION, words).into());
    }
    let attribute = match input.lookup_attributes.as_slice() {
        [] => None,
        [one] => Some(attribute(one.attribute_key, &one.attribute_value)?),
        _ => {
            let words = "You can only have one attribute in LookupAttributes.";
            return Err(Fault::new(&errors::INVALID_LOOKUP_ATTRIBUTES_EXCEPTION, words).into());
        }
    };
    let oldest = cx.now().plus_seconds(-HISTORY_SECONDS);
    let wanted = usize::try_from(input.max_results.unwrap_or(DEFAULT_RESULTS)).unwrap_or(0);
    let query = AuditQuery {
        account: Some(cx.account().to_string()),
        // Events of global services are in us-east-1's history.
        region: Some(cx.region().to_owned()),
        from: Some(input.start_time.map_or(oldest, |from| from.max(oldest))),
        until: input.end_time,
        attribute,
        management_only: true,
        beyond: input.next_token.as_deref().map(|token| open_token(cx, token)).transpose()?,
        order: Order::NewestFirst,
        limit: wanted + 1,
    };
    // What was acknowledged a moment ago is moved to the log first, which waits for the disk.
    let mut records = at_length(|| cx.state().store.audit(&query))?;
    let more = records.len() > wanted;
    records.truncate(wanted);
    let next_token = match records.last() {
        Some(last) if more => Some(seal_token(cx, last)?),
        _ => None,
    };
    Ok(LookupEventsResponse { events: Some(records.into_iter().map(event).collect()), next_token })
}

fn attribute(key: LookupAttributeKey, value: &str) -> Result<Attribute, Fault> {
    let value = value.to_owned();
    Ok(match key {
        LookupAttributeKey::EventId => Attribute::EventId(value),
        LookupAttributeKey::EventName => Attribute::EventName(value),
        LookupAttributeKey::EventSource => Attribute::EventSource(value),
        LookupAttributeKey::Username => Attribute::Username(value),
        LookupAttributeKey::AccessKeyId => Attribute::AccessKeyId(value),
        LookupAttributeKey::ResourceType => Attribute::ResourceType(value),
        LookupAttributeKey::ResourceName => Attribute::ResourceName(value),
        LookupAttributeKey::ReadOnly => match value.as_str() {
            "true" => Attribute::ReadOnly(true),
            "false" => Attribute::ReadOnly(false),
            _ => {
                let words = "The value of ReadOnly must be true or false.";
                return Err(Fault::new(&errors::INVALID_LOOKUP_ATTRIBUTES_EXCEPTION, words));
            }
        },
    })
}

fn event(record: AuditRecord) -> Event {
    let text = |s: String| Some(s).filter(|s| !s.is_empty());
    let resources = record
        .resources
        .into_iter()
        .map(|(kind, name)| Resource { resource_type: Some(kind), resource_name: Some(name) });
    Event {
        event_id: Some(record.event_id),
        event_name: Some(record.event_name),
        read_only: Some(record.read_only.to_string()),
        access_key_id: text(record.access_key_id),
        event_time: Some(record.time.truncated()),
        event_source: Some(record.event_source),
        username: text(record.username),
        resources: Some(resources.collect()),
        cloud_trail_event: Some(record.event),
    }
}

/// Where a page ended, sealed for the account: what is in it is nobody's to choose.
fn seal_token(cx: &Cx, last: &AuditRecord) -> Result<String, Error> {
    let plain = [last.time.millis().to_be_bytes(), last.sequence.to_be_bytes()].concat();
    Ok(cx.state().ring.seal(Purpose::Pagination, cx.account().as_str().as_bytes(), &plain)?)
}

fn open_token(cx: &Cx, token: &str) -> Result<(Timestamp, u64), Fault> {
    let invalid = || Fault::new(&errors::INVALID_NEXT_TOKEN_EXCEPTION, "Invalid token or token expired.");
    let plain = cx.state().ring.open(Purpose::Pagination, cx.account().as_str().as_bytes(), token);
    let plain = plain.map_err(|_| invalid())?;
    let (time, sequence) = plain.expose().split_at_checked(8).ok_or_else(invalid)?;
    let time = i64::from_be_bytes(time.try_into().map_err(|_| invalid())?);
    let sequence = u64::from_be_bytes(sequence.try_into().map_err(|_| invalid())?);
    Ok((Timestamp::from_millis(time), sequence))
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::{Client, TestServer};
    use daypass_core::{Tls, TlsVersion};
    use serde_json::{Value, json};

    async fn look_up(client: &Client, input: Value) -> Value {
        let answer = client.json("cloudtrail", "LookupEvents", &input).await.ok();
        serde_json::from_str(&answer.body).unwrap()
    }

    fn names(page: &Value) -> Vec<&str> {
        page["Events"].as_array().unwrap().iter().map(|e| e["EventName"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn an_event_tells_what_the_connection_agreed_on() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        for (tls, expected) in [
            (None, Value::Null),
            (
                Some((TlsVersion::V1_2, "ECDHE-RSA-AES128-GCM-SHA256")),
                json!({"tlsVersion": "TLSv1.2", "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256"}),
            ),
        ] {
            administrator.peer.lock().unwrap().tls =
                tls.map(|(version, suite)| Tls { version, cipher_suite: suite.into() });
            server.clock.advance(1);
            administrator.query("iam", "ListUsers", &[]).await;
            let events = look_up(&administrator, json!({"MaxResults": 1})).await;
            let event = events["Events"][0]["CloudTrailEvent"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(event).unwrap()["tlsDetails"], expected);
        }
    }

    #[tokio::test]
    async fn finds_what_was_done_and_what_was_denied() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let alice = server.user("alice", &[]).await;
        // None of these is part of this server; each is authorised and audited all the same.
        alice.query("iam", "ListUsers", &[]).await.refused();
        server.clock.advance(1);
        alice.query("ec2", "DescribeInstances", &[]).await.refused();
        server.clock.advance(1);
        alice.s3("GET", "/bucket/key", "", &[], b"").await.refused();
        let all = look_up(&administrator, json!({})).await;
        assert_eq!(names(&all), ["DescribeInstances", "ListUsers"], "data events are not in the history");
        let by = |key: &str, value: &str| json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]});
        let found = look_up(&administrator, by("Username", "alice")).await;
        assert_eq!(names(&found), ["DescribeInstances", "ListUsers"]);
        let event: Value =
            serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
        assert_eq!(event["errorCode"], "Client.UnauthorizedOperation");
        assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::123456789012:user/alice");
        assert_eq!(event["sourceIPAddress"], "192.0.2.1");
        assert_eq!(names(&look_up(&administrator, by("EventName", "ListUsers")).await), ["ListUsers"]);
        assert!(names(&look_up(&administrator, by("EventName", "Nothing")).await).is_empty());
        let refused = alice.json("cloudtrail", "LookupEvents", &json!({})).await.refused();
        assert_eq!(refused.0, "AccessDeniedException");
    }

    #[tokio::test]
    async fn pages_follow_each_other_without_gap_or_repeat() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let alice = server.user("alice", &[]).await;
        for action in ["ListUsers", "ListRoles", "ListGroups", "ListPolicies", "ListInstanceProfiles"] {
            alice.query("iam", action, &[]).await.refused();
        }
        let attribute = json!([{"AttributeKey": "Username", "AttributeValue": "alice"}]);
        let (mut seen, mut token) = (vec![], Value::Null);
        loop {
            let mut input = json!({"LookupAttributes": attribute, "MaxResults": 2});
            if !token.is_null() {
                input["NextToken"] = token.clone();
            }
            let page = look_up(&administrator, input).await;
            assert!(names(&page).len() <= 2);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(seen, ["ListInstanceProfiles", "ListPolicies", "ListGroups", "ListRoles", "ListUsers"]);
        let forged = json!({"NextToken": "AAAA"});
        let refused = administrator.json("cloudtrail", "LookupEvents", &forged).await.refused();
        assert_eq!(refused.0, "InvalidNextTokenException");
    }

    #[tokio::test]
    async fn odd_questions_are_refused() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        for (input, code) in [
            (json!({"StartTime": 2000, "EndTime": 1000}), "InvalidTimeRangeException"),
            (json!({"MaxResults": 51}), "ValidationException"),
            (
                json!({"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "maybe"}]}),
                "InvalidLookupAttributesException",
            ),
            (
                json!({"LookupAttributes": [{"AttributeKey": "Nothing", "AttributeValue": "x"}]}),
                "ValidationException",
            ),
        ] {
            let refused = administrator.json("cloudtrail", "LookupEvents", &input).await.refused();
            assert_eq!(refused.0, code, "{input}");
        }
    }
}
