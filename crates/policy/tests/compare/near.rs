//! Requests near what policies are about, drawn at random: made of the policies' own actions, resources and values, with
//! every wildcard filled in, some variable replaced, and now and then one character or one step beside it.

use crate::dice::Dice;
use crate::everything;
use daypass_policy::compare::Comparison;
use daypass_policy::{
    AccountId, Action, Clause, Context, Key, Policies, Policy, PolicySet, Principal, PrincipalName,
    PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many requests confirm that nothing is new.
const REQUESTS: usize = 100_000;

/// The most texts of a kind that requests are made of.
const MAX_TEXTS: usize = 512;

/// What variables stand for, among other things.
const NAMES: [&str; 5] = ["alice", "b", "*", "", "x1"];

/// Whether a request was found that only one of two policies allows.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) added: Option<String>,
    pub(crate) removed: Option<String>,
}

/// Looks for requests that only one of two policies allows, and fails on one that the comparison says is not there.
pub(crate) fn search(
    compared: &Comparison,
    old: &Arc<Policy>,
    new: &Arc<Policy>,
    is_resource: bool,
) -> Found {
    let mut dice = Dice::new(20_261_122);
    let near = Near::of([old, new], &mut dice);
    let found = near.search(&mut dice, [old, new], is_resource);
    for (differences, found) in [(&compared.added, &found.added), (&compared.removed, &found.removed)] {
        let missed = found.as_ref().filter(|_| differences.surely_none());
        let texts = [old, new].map(|policy| format!("{:?}", policy.document().statements));
        assert!(missed.is_none(), "{} was missed\n{compared}\n{}\n{}", missed.unwrap(), texts[0], texts[1]);
    }
    found
}

struct Near {
    actions: Vec<String>,
    resources: Vec<String>,
    keys: BTreeMap<String, Vec<String>>,
    principals: Vec<Principal>,
}

impl Near {
    fn of(policies: [&Arc<Policy>; 2], dice: &mut Dice) -> Self {
        let statements = || policies.into_iter().flat_map(|policy| &policy.document().statements);
        let entries = |clause: &'_ Option<Clause<Box<str>>>| {
            clause.iter().flat_map(|own| &own.entries).map(|own| own.value.to_string()).collect::<Vec<_>>()
        };
        let actions: Vec<String> = statements().flat_map(|own| entries(&own.action)).collect();
        let resources: Vec<String> = statements().flat_map(|own| entries(&own.resource)).collect();
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut variables = resources.clone();
        for condition in statements().flat_map(|own| &own.conditions) {
            let values = condition.values.iter().map(|own| own.value.to_string());
            variables.extend(values.clone());
            keys.entry(condition.key.value.to_ascii_lowercase()).or_default().extend(values);
        }
        for variable in variables.iter().filter_map(|text| text.split_once("${")?.1.split([',', '}']).next())
        {
            let values = keys.entry(variable.to_ascii_lowercase()).or_default();
            values.extend(NAMES.map(str::to_owned));
        }
        let actions = near(dice, &actions, &["s3:GetObject", "iam:GetUser"]);
        let resources = near(dice, &resources, &["*", "arn:aws:ec2:us-east-1:111122223333:instance/i"]);
        Self {
            actions: actions.into_iter().filter(|text| Action::new(text).is_ok()).collect(),
            resources: resources.into_iter().filter(|text| resource(text).is_some()).collect(),
            principals: principals(statements().filter_map(|own| own.principal.as_ref())),
            keys: keys.into_iter().map(|(key, values)| (key, near(dice, &values, &["x", ""]))).collect(),
        }
    }

    fn search(&self, dice: &mut Dice, policies: [&Arc<Policy>; 2], is_resource: bool) -> Found {
        let limits = PrincipalPolicies::builder().identity([everything()]).build();
        let sets = policies.map(|policy| PolicySet::new([Arc::clone(policy)]));
        let own = policies.map(|policy| PrincipalPolicies::builder().identity([Arc::clone(policy)]).build());
        let sides = [0, 1].map(|side| match is_resource {
            true => Policies::of(&limits).resource(ResourcePolicy::Grants(&sets[side])),
            false => Policies::of(&own[side]),
        });
        let owner: AccountId = "000000000000".parse().unwrap();
        let mut found = Found::default();
        for _ in 0..REQUESTS {
            let principal = &self.principals[dice.below(self.principals.len())];
            let action = Action::new(&self.actions[dice.below(self.actions.len())]).unwrap();
            let target = resource(&self.resources[dice.below(self.resources.len())]).unwrap();
            let context = self.context(dice, principal);
            let request = Request::new(principal, &action, target, &context);
            let request = if is_resource { request.in_account(owner) } else { request };
            let [before, after] = sides.map(|policies| policies.allows(&request));
            let place = match (before, after) {
                (false, true) => &mut found.added,
                (true, false) => &mut found.removed,
                _ => continue,
            };
            let (principal, action) = (principal.arn(), action.as_str());
            place
                .get_or_insert_with(|| format!("{action} by {principal} on {} {context:?}", target.as_str()));
        }
        found
    }

    /// Keys that follow from who asks are what they are; of the others, keys of AWS have one value or several as AWS says,
    /// those of services either.
    fn context<'a>(&'a self, dice: &mut Dice, principal: &'a Principal) -> Context<'a> {
        const SEVERAL: [&str; 8] = [
            "tagkeys",
            "principalorgpaths",
            "resourceorgpaths",
            "sourceorgpaths",
            "calledvia",
            "principalservicenameslist",
            "vpceorgpaths",
            "calledviaawsmcp",
        ];
        let mut context = Context::new();
        for (key, values) in &self.keys {
            let global = key.strip_prefix("aws:");
            let several = match global {
                Some(name) => SEVERAL.contains(&name),
                None => dice.below(4) == 0,
            };
            let value = |dice: &mut Dice| &*values[dice.below(values.len())];
            match dice.below(4) {
                0 => (),
                _ if several => {
                    let count = dice.below(3);
                    context.set_list(&**key, (0..count).map(|_| value(dice)).collect::<Vec<_>>());
                }
                _ => context.set(&**key, value(dice)),
            }
        }
        for key in [
            "aws:PrincipalArn",
            "aws:PrincipalAccount",
            "aws:PrincipalType",
            "aws:userid",
            "aws:username",
            "aws:PrincipalIsAWSService",
            "aws:PrincipalServiceName",
        ] {
            context.remove(Key::from(key));
        }
        principal.describe(&mut context);
        context
    }
}

fn resource(text: &str) -> Option<Resource<'_>> {
    if text == "*" { Some(Resource::NONE) } else { Resource::arn(text).ok() }
}

/// Texts that the patterns match, that nearly do, and these.
fn near(dice: &mut Dice, patterns: &[String], besides: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = besides.iter().map(|text| (*text).to_owned()).collect();
    let each = (MAX_TEXTS / patterns.len().max(1)).clamp(1, 12);
    for _ in 0..MAX_TEXTS.min(patterns.len() * each) {
        let pattern = &patterns[dice.below(patterns.len())];
        let text = filled(dice, pattern);
        texts.push(if dice.below(4) == 0 { beside(dice, &text) } else { text });
    }
    texts.sort();
    texts.dedup();
    texts
}

/// A pattern with its variables and wildcards filled in.
fn filled(dice: &mut Dice, pattern: &str) -> String {
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let (variable, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(if variable.len() == 1 { variable } else { dice.pick(&NAMES) });
        rest = after;
    }
    text.push_str(rest);
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '*' => out.push_str(dice.pick(&["", "x", "a/b", "secret/x", "Object", "iam:x"])),
            '?' => out.push_str(dice.pick(&["a", "-", "1"])),
            other => out.push(other),
        }
    }
    // An address of a range, as a request has it.
    match out.split_once('/') {
        Some((address, bits)) if bits.parse::<u8>().is_ok() => address.to_owned(),
        _ => out,
    }
}

/// A text beside another: the next number or address, another case, a character more, less, or other.
fn beside(dice: &mut Dice, text: &str) -> String {
    if let Ok(number) = text.parse::<i64>() {
        return (number + [-1, 1][dice.below(2)]).to_string();
    }
    let mut characters: Vec<char> = text.chars().collect();
    let at = dice.below(characters.len() + 1);
    match (dice.below(5), characters.get(at).copied()) {
        (0, _) => return text.to_ascii_uppercase(),
        (1, Some(_)) => _ = characters.remove(at),
        (2, Some(digit @ '0'..='8')) => characters[at] = char::from_u32(u32::from(digit) + 1).unwrap(),
        (3, Some(_)) => characters[at] = 'q',
        _ => characters.insert(at, ['a', '/', ':', '1'][dice.below(4)]),
    }
    characters.into_iter().collect()
}

/// Whom the policies name, and others.
fn principals<'p>(clauses: impl Iterator<Item = &'p Clause<PrincipalName>>) -> Vec<Principal> {
    let user = |arn: &str, id: &str| Principal::user(&arn.parse().ok()?, id).ok();
    let session = |arn: &str, name: &str| Principal::role_session(&arn.parse().ok()?, "AROAWEB", name).ok();
    let known = [
        user("arn:aws:iam::111122223333:user/alice", "AIDAX"),
        user("arn:aws:iam::999988887777:user/eve", "AIDAALICE"),
        session("arn:aws:iam::111122223333:role/web", "s"),
        session("arn:aws:iam::111122223333:role/other", "s"),
        Some(Principal::root("444455556666".parse().unwrap())),
        Some(Principal::service("ec2.amazonaws.com")),
        Some(Principal::identity_provider("accounts.google.com")),
        Some(Principal::anonymous()),
    ];
    let named = clauses.flat_map(|clause| &clause.entries).filter_map(|entry| match &entry.value {
        PrincipalName::Service(name) => Some(Principal::service(name)),
        PrincipalName::Federated(name) => Some(Principal::identity_provider(name)),
        PrincipalName::Aws(name) => {
            user(name, "AIDANAMED").or_else(|| session(name, "named")).or_else(|| {
                user(
                    &format!("arn:aws:iam::{}:user/other", name.split(':').nth(4).unwrap_or(name)),
                    "AIDAOTHER",
                )
            })
        }
        _ => None,
    });
    let mut principals: Vec<Principal> = known.into_iter().flatten().collect();
    principals.extend(named.take(64));
    principals
}
