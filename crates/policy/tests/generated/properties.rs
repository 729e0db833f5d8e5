//! What holds whatever the policies say.

use crate::case::{Asked, OfResource, Who, World, level_name};
use crate::{config, generate};
use daypass_policy::{Decision, LayerKind, Suggestion};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

fn run<S: Strategy>(share: u32, strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    TestRunner::new(config(share)).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

/// The lists of documents of every layer that is there.
fn layers(world: &mut World) -> Vec<&mut Vec<Value>> {
    let mut lists = vec![&mut world.identity];
    if !world.session.is_empty() {
        lists.push(&mut world.session);
    }
    lists.extend(world.scps.iter_mut().flatten());
    lists.extend(world.rcps.iter_mut().flatten());
    lists.extend(world.endpoint.iter_mut());
    lists
}

#[test]
fn to_add_a_denial_never_allows() {
    let denial = generate::statement(true).prop_map(|mut statement| {
        statement["Effect"] = json!("Deny");
        json!({"Version": "2012-10-17", "Statement": statement})
    });
    run(
        4,
        (generate::world(), denial, any::<Index>(), vec(generate::asked(), 8)),
        |(world, denial, place, requests)| {
            let mut stricter = world.clone();
            let mut lists = layers(&mut stricter);
            let place = place.index(lists.len());
            lists[place].push(denial);
            let (before, after) = (world.compile(), stricter.compile());
            for asked in &requests {
                let allowed = |world: &World, compiled| {
                    world.ask(compiled, asked, |policies, request| policies.allows(request))
                };
                prop_assert!(allowed(&world, &before) || !allowed(&stricter, &after), "{:?}", asked);
            }
            Ok(())
        },
    );
}

/// Turns every list of a JSON value around.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().rev().map(reversed).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), reversed(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn the_order_of_policies_statements_and_values_never_matters() {
    run(4, (generate::world(), vec(generate::asked(), 8)), |(world, requests)| {
        let mut turned = world.clone();
        for list in layers(&mut turned) {
            list.reverse();
            list.iter_mut().for_each(|document| *document = reversed(document));
        }
        turned.boundary = turned.boundary.as_ref().map(reversed);
        turned.scps.iter_mut().chain(&mut turned.rcps).for_each(|levels| levels.reverse());
        turned.resource = match &turned.resource {
            OfResource::Grants(document) => OfResource::Grants(reversed(document)),
            other => other.clone(),
        };
        let (one, other) = (world.compile(), turned.compile());
        for asked in &requests {
            let decide = |world: &World, compiled| {
                world.ask(compiled, asked, |policies, request| policies.decide(request))
            };
            prop_assert_eq!(decide(&world, &one), decide(&turned, &other), "{:?}", asked);
        }
        Ok(())
    });
}

/// A layer that only limits, taken away: whatever was allowed with it is allowed without.
fn only_narrows(take_away: impl Fn(&mut World), applies: impl Fn(&Asked) -> bool) {
    run(4, (generate::world(), vec(generate::asked(), 8)), |(world, requests)| {
        let mut wider = world.clone();
        take_away(&mut wider);
        let (with, without) = (world.compile(), wider.compile());
        for asked in requests.iter().filter(|asked| applies(asked)) {
            let allowed = |world: &World, compiled| {
                world.ask(compiled, asked, |policies, request| policies.allows(request))
            };
            prop_assert!(!allowed(&world, &with) || allowed(&wider, &without), "{:?}", asked);
        }
        Ok(())
    });
}

#[test]
fn a_boundary_only_narrows() {
    only_narrows(|world| world.boundary = None, |_| true);
}

/// Save for federated users, who have nothing of the one who made them without a session policy.
#[test]
fn session_policies_only_narrow() {
    only_narrows(
        |world| world.session.clear(),
        |asked| !matches!(asked.who, Who::FederatedByUser | Who::FederatedByRoot),
    );
}

#[test]
fn organizations_and_endpoints_only_narrow() {
    only_narrows(|world| world.scps = None, |_| true);
    only_narrows(|world| world.rcps = None, |_| true);
    only_narrows(|world| world.endpoint = None, |_| true);
}

/// Adds what an explanation suggests.
fn follow(world: &mut World, suggestion: &Suggestion) {
    let statement: Value = serde_json::from_str(&suggestion.statement).unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": statement});
    let level = |levels: &mut Option<Vec<Vec<Value>>>| {
        let levels = levels.as_mut().unwrap();
        let place = (0..levels.len())
            .find(|number| Some(&*level_name(*number)) == suggestion.level.as_deref())
            .unwrap();
        levels[place].push(document.clone());
    };
    match suggestion.layer {
        LayerKind::ServiceControl => level(&mut world.scps),
        LayerKind::ResourceControl => level(&mut world.rcps),
        LayerKind::Endpoint => world.endpoint.as_mut().unwrap().push(document),
        LayerKind::Identity => world.identity.push(document),
        LayerKind::Session => world.session.push(document),
        // One document: the statement is put beside those that are there.
        LayerKind::Boundary => add_statement(world.boundary.as_mut().unwrap(), statement),
        _ => match &mut world.resource {
            OfResource::Grants(own) | OfResource::Trust(own) | OfResource::Required(Some(own)) => {
                add_statement(own, statement);
            }
            none @ OfResource::None => *none = OfResource::Grants(document),
            none @ OfResource::Required(None) => *none = OfResource::Required(Some(document)),
        },
    }
}

fn add_statement(document: &mut Value, statement: Value) {
    let mut statements = match document["Statement"].take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    statements.push(statement);
    document["Statement"] = Value::Array(statements);
}

#[test]
fn what_an_explanation_suggests_is_enough() {
    run(2, (generate::world(), vec(generate::asked(), 8)), |(world, requests)| {
        let compiled = world.compile();
        for asked in &requests {
            let explanation = world.ask(&compiled, asked, |policies, request| policies.explain(request));
            let by_rule = explanation.reason.starts_with("the ");
            if explanation.decision != Decision::ImplicitDeny || by_rule {
                prop_assert!(explanation.suggestions.is_empty());
                continue;
            }
            prop_assert!(!explanation.suggestions.is_empty(), "{:?}", explanation);
            // A document of another version reads the escapes of the suggestion otherwise.
            let single = |document: &Value| document["Version"] == "2012-10-17";
            let alone =
                world.boundary.as_ref().is_none_or(single) && world.resource.document().is_none_or(single);
            if !alone {
                continue;
            }
            let mut changed = world.clone();
            for suggestion in &explanation.suggestions {
                follow(&mut changed, suggestion);
            }
            // What allowed nothing before may still deny through another layer's doubt, but nothing was in doubt there.
            prop_assert_eq!(changed.decide(asked), Decision::Allowed, "{:?} {}", asked, explanation);
            // And none of them is too much: without one, the request is still denied.
            for left_out in 0..explanation.suggestions.len() {
                let mut changed = world.clone();
                for (_, suggestion) in
                    explanation.suggestions.iter().enumerate().filter(|(n, _)| *n != left_out)
                {
                    follow(&mut changed, suggestion);
                }
                prop_assert!(
                    !changed.decide(asked).is_allowed(),
                    "{} is too much: {}",
                    left_out,
                    explanation
                );
            }
        }
        Ok(())
    });
}

#[test]
fn an_explanation_says_the_same_each_time() {
    run(8, (generate::world(), generate::asked()), |(world, asked)| {
        let explain = || {
            world.ask(&world.compile(), &asked, |policies, request| {
                let explanation = policies.explain(request);
                (explanation.to_json(), explanation.to_string())
            })
        };
        let (json, text) = explain();
        prop_assert!(serde_json::from_str::<Value>(&json).is_ok());
        prop_assert_eq!(explain(), (json, text));
        Ok(())
    });
}
