//! Witnesses: requests that show a difference, confirmed by the evaluator.
//!
//! The search knows only kinds: this key has a value like that one, this template fits. Here it becomes a request. Where
//! variables are concerned several are made up, since what a variable stands for must suit the key or resource that it
//! is compared with; only what the evaluator confirms on both sides is a witness.

use super::budget::{Budget, Exhausted, MAX_ATTEMPTS};
use super::domain::{Domain, Element, State};
use super::principals::{DESCRIBED, described_by};
use super::problem::Problem;
use super::resources::{Fit, ResourceClass};
use super::set::ComparedPolicies;
use super::solve::Domains;
use super::template::Template;
use crate::context::{Context, Key, keys};
use crate::{Action, Principal, Request, Resource, StatementReference};
use std::rc::Rc;

/// A request that one side allows and the other does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Witness {
    /// Who asks.
    pub principal: Principal,
    /// For what.
    pub action: Box<str>,
    /// On what: an ARN, or `*` for an action without resources.
    pub resource: Box<str>,
    /// Under which circumstances: every key that matters.
    pub context: Context<'static>,
}

impl Witness {
    /// The statements of these policies that deny it.
    pub(super) fn denials(&self, policies: &ComparedPolicies) -> Vec<StatementReference> {
        let (Ok(action), Some(target)) = (Action::new(&self.action), target(&self.resource)) else {
            return Vec::new();
        };
        policies.denials(Request::new(&self.principal, &action, target, &self.context))
    }
}

/// The resource of a request.
fn target(text: &str) -> Option<Resource<'_>> {
    if text == Resource::NONE.as_str() { Some(Resource::NONE) } else { Resource::arn(text).ok() }
}

/// Where a witness is looked for.
pub(super) struct Scene<'b> {
    pub(super) problem: &'b Problem<'b>,
    pub(super) granting: usize,
    pub(super) keys: &'b [(usize, Rc<Domain>)],
    pub(super) templates: &'b [u32],
    pub(super) ways: &'b [Vec<Fit>],
    pub(super) action: &'b str,
    pub(super) class: &'b ResourceClass,
    pub(super) public: bool,
}

/// A key of the search in the state that was chosen for it.
struct Chosen<'b> {
    key: &'b Key<'static>,
    domain: &'b Domain,
    state: &'b State,
}

/// A variable with the values that are tried for it.
struct Tried {
    key: Key<'static>,
    values: Vec<Option<String>>,
}

impl Scene<'_> {
    pub(super) fn witness(&self, leaf: &Domains, budget: &mut Budget) -> Result<Option<Witness>, Exhausted> {
        let way = leaf.get(self.variable_of_templates()).and_then(|ways| ways.iter().next());
        let way = way.and_then(|way| self.ways.get(way)).map_or(&[][..], Vec::as_slice);
        for choice in 0..3 {
            let chosen = self.choose(leaf, choice);
            let tried = self.variables(leaf, &chosen, way);
            let combinations: usize =
                tried.iter().map(|tried| tried.values.len()).fold(1, usize::saturating_mul);
            for number in 0..combinations.min(MAX_ATTEMPTS) {
                let value = |key: &Key<'static>| combination(&tried, number, key);
                for filled in [false, true] {
                    budget.spend(4)?;
                    let Some(context) = context(&chosen, &tried, filled, &value) else { continue };
                    for resource in self.resources(way, &value) {
                        if let Some(witness) = self.confirm(leaf, &context, &resource) {
                            return Ok(Some(self.without_needless_keys(witness)));
                        }
                    }
                    if tried.is_empty() {
                        break;
                    }
                }
            }
            if choice == 0 && tried.is_empty() && !self.describes(&chosen) {
                break;
            }
        }
        Ok(None)
    }

    fn variable_of_templates(&self) -> usize {
        self.keys.len() + usize::from(self.problem.principals.is_some())
    }

    fn describes(&self, chosen: &[Chosen<'_>]) -> bool {
        chosen.iter().any(|own| DESCRIBED.contains(own.key))
    }

    /// One of the states that are left for each key.
    fn choose(&self, leaf: &Domains, choice: usize) -> Vec<Chosen<'_>> {
        let keys = self.keys.iter().zip(leaf).filter_map(|((number, domain), left)| {
            let state = left.iter().nth(choice).or_else(|| left.iter().next())?;
            Some(Chosen { key: self.problem.key(*number)?, domain, state: domain.states.get(state)? })
        });
        keys.collect()
    }

    /// The variables that matter here, with values that may suit what they are compared with.
    fn variables(&self, leaf: &Domains, chosen: &[Chosen<'_>], way: &[Fit]) -> Vec<Tried> {
        let of_keys =
            chosen.iter().flat_map(|own| &own.domain.values.templates).map(|(_, template)| template);
        let resources = &self.problem.resources;
        let of_resource = self.templates.iter().filter_map(|number| {
            resources.patterns.get(*number as usize).and_then(|pattern| pattern.template.as_ref())
        });
        let mut found: Vec<Key<'static>> = Vec::new();
        for variable in of_keys.chain(of_resource).flat_map(Template::variables) {
            if !found.contains(&variable.key) {
                found.push(variable.key.clone());
            }
        }
        let fits = way.contains(&Fit::Yes) || chosen.iter().any(Chosen::fits_template);
        let texts =
            chosen.iter().filter(|own| !own.domain.values.templates.is_empty()).flat_map(Chosen::texts);
        let pieces = self.class.example.split([':', '/']);
        let mut values: Vec<Option<String>> = vec![Some("x1".into())];
        values.extend(texts.chain(pieces.map(str::to_owned)).take(16).map(Some));
        values.push(Some(String::new()));
        values.dedup();
        let unset = if fits { values.len() } else { 0 };
        values.insert(unset, None);
        let tried = |key: Key<'static>| {
            let values = match chosen.iter().find(|own| *own.key == key).map(|own| (own, own.state)) {
                None => {
                    let mut values = values.clone();
                    values.splice(0..0, self.described(leaf, &key).into_iter().map(Some));
                    values
                }
                Some((own, State::One(_))) => own
                    .texts()
                    .map(Some)
                    .chain(values.iter().filter(|value| value.is_some()).cloned())
                    .collect(),
                Some((_, State::Absent | State::Many(_))) => vec![None],
            };
            Tried { key, values }
        };
        found.into_iter().map(tried).collect()
    }

    /// What a key is for those who may ask, where it follows from that.
    fn described(&self, leaf: &Domains, key: &Key<'static>) -> Vec<String> {
        if !DESCRIBED.contains(key) {
            return Vec::new();
        }
        let principals = match &self.problem.principals {
            None => described_by(&Context::new()),
            Some(principals) => {
                let left = leaf.get(self.keys.len()).into_iter().flat_map(|left| left.iter());
                left.filter_map(|at| principals.list.get(at)).take(6).cloned().collect()
            }
        };
        let value = |principal: &Principal| {
            let mut context = Context::new();
            principal.describe(&mut context);
            context.variable(key).map(|value| value.to_string())
        };
        let mut values: Vec<String> = principals.iter().filter_map(value).collect();
        values.dedup();
        values
    }

    /// The resource as it is, and as its templates make it.
    fn resources(&self, way: &[Fit], value: &impl Fn(&Key<'static>) -> Option<String>) -> Vec<Box<str>> {
        let filled =
            self.templates.iter().zip(way).filter(|(_, fit)| **fit == Fit::Yes).filter_map(|(number, _)| {
                let pattern = self.problem.resources.patterns.get(*number as usize)?;
                Some(pattern.template.as_ref()?.fill(value)?.into())
            });
        [self.class.example.clone()].into_iter().chain(filled).collect()
    }

    /// Asks the evaluator, for a principal that goes with the context.
    fn confirm(&self, leaf: &Domains, context: &Context<'static>, resource: &str) -> Option<Witness> {
        let described = self.keys.iter().filter_map(|(number, _)| self.problem.key(*number));
        let set = DESCRIBED.iter().filter(|key| context.contains((*key).clone()));
        let described: Vec<&Key<'static>> =
            described.filter(|key| DESCRIBED.contains(key)).chain(set).collect();
        let list = match &self.problem.principals {
            None => {
                let found = described_by(context);
                if described.is_empty() {
                    return found.into_iter().find_map(|principal| self.ask(principal, context, resource));
                }
                found
            }
            Some(principals) => {
                let named = leaf.get(self.keys.len())?.iter().filter_map(|at| principals.list.get(at));
                if described.is_empty() {
                    return named
                        .take(8)
                        .find_map(|principal| self.ask(principal.clone(), context, resource));
                }
                let found = if self.public { Vec::new() } else { described_by(context) };
                named.cloned().chain(found).collect()
            }
        };
        let consistent = list.iter().cloned().chain(self.samples()).find_map(|principal| {
            let mut whole = Context::new();
            principal.describe(&mut whole);
            let mut own = context.clone();
            for key in &described {
                match whole.variable(key) {
                    Some(value) => own.set((*key).clone(), value.to_string()),
                    None => own.remove((*key).clone()),
                }
            }
            self.ask(principal.clone(), &own, resource)
        });
        let free = || list.into_iter().next().filter(|_| self.problem.principals.is_none());
        consistent.or_else(|| self.ask(free()?, context, resource))
    }

    /// The same request with no key that does not matter, but for those that follow from who asks.
    fn without_needless_keys(&self, mut witness: Witness) -> Witness {
        let keys: Vec<Key<'static>> = witness.context.iter().map(|(key, _)| key.clone()).collect();
        for key in keys.into_iter().filter(|key| !DESCRIBED.contains(key)) {
            let mut less = witness.context.clone();
            less.remove(key);
            if let Some(smaller) = self.ask(witness.principal.clone(), &less, &witness.resource) {
                witness = smaller;
            }
        }
        witness
    }

    fn ask(&self, principal: Principal, context: &Context<'static>, resource: &str) -> Option<Witness> {
        let action = Action::new(self.action).ok()?;
        let target = target(resource)?;
        let granting = self.problem.sides.get(self.granting)?;
        let other = self.problem.sides.get(1 - self.granting)?;
        let shown = granting.allows(&principal, &action, target, context)
            && !other.allows(&principal, &action, target, context);
        shown.then(|| Witness {
            principal,
            action: self.action.into(),
            resource: resource.into(),
            context: context.clone(),
        })
    }

    /// Principals such as the conditions on who asks have in mind.
    fn samples(&self) -> Vec<Principal> {
        let stranger = self.problem.principals.as_ref().map(|own| own.stranger.to_string());
        let stranger = stranger.as_deref().unwrap_or("444455556666");
        let mut found = Vec::new();
        for key in [keys::PRINCIPAL_ARN, keys::PRINCIPAL_ACCOUNT, keys::USER_ID, keys::USERNAME] {
            let values = self.problem.tests_on(&key).flat_map(|test| &test.condition.values);
            for text in values.map(|value| &*value.value).filter(|text| !text.contains("${")).take(32) {
                let wild = text.contains(['*', '?']);
                if self.public && !wild {
                    continue;
                }
                let mut context = Context::new();
                context.set(key.clone(), plain(text, key == keys::PRINCIPAL_ARN, stranger));
                if self.public {
                    context.set(keys::PRINCIPAL_ACCOUNT, stranger.to_owned());
                }
                found.extend(described_by(&context));
            }
        }
        found
    }
}

/// A text that a pattern matches, with this account where it leaves that open.
fn plain(text: &str, is_arn: bool, account: &str) -> String {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fill = |(at, part): (usize, &&str)| match at {
        1 if is_arn && part.contains('*') => "aws".to_owned(),
        2 if is_arn && part.contains('*') => "iam".to_owned(),
        3 if is_arn => String::new(),
        4 if is_arn && part.contains('*') => account.to_owned(),
        _ => part.replace(['*', '?'], "x"),
    };
    parts.iter().enumerate().map(fill).collect::<Vec<_>>().join(":")
}

impl Chosen<'_> {
    fn elements(&self) -> &[Element] {
        match self.state {
            State::Absent => &[],
            State::One(element) => std::slice::from_ref(element),
            State::Many(elements) => elements,
        }
    }

    fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.elements().iter().map(|element| self.domain.text(element).to_owned())
    }

    fn fits_template(&self) -> bool {
        self.elements().iter().any(|element| element.templates != 0)
    }

    /// The values, or what its templates make of those that fit one.
    fn filled(&self, value: &impl Fn(&Key<'static>) -> Option<String>) -> Option<Vec<String>> {
        let fill = |element: &Element| {
            let templates = self.domain.values.templates.iter().enumerate();
            let mut fitting = templates.filter(|(at, _)| element.templates & (1 << at) != 0);
            match fitting.next() {
                Some((_, (_, template))) => template.fill(value),
                None => Some(self.domain.text(element).to_owned()),
            }
        };
        self.elements().iter().map(fill).collect()
    }
}

/// The value of a variable in the combination of that number.
fn combination(tried: &[Tried], mut number: usize, key: &Key<'static>) -> Option<String> {
    for own in tried {
        let value = own.values.get(number % own.values.len().max(1));
        if own.key == *key {
            return value.cloned().flatten();
        }
        number /= own.values.len().max(1);
    }
    None
}

fn context(
    chosen: &[Chosen<'_>],
    tried: &[Tried],
    filled: bool,
    value: &impl Fn(&Key<'static>) -> Option<String>,
) -> Option<Context<'static>> {
    let mut context = Context::new();
    for own in tried {
        if let Some(text) = value(&own.key) {
            context.set(own.key.clone(), text);
        }
    }
    for own in chosen {
        let is_variable = tried.iter().any(|tried| tried.key == *own.key);
        let texts = if filled { own.filled(value)? } else { own.texts().collect() };
        match own.state {
            State::Absent => (),
            State::One(_) if is_variable && value(own.key).is_some() => (),
            State::One(_) => context.set(own.key.clone(), texts.into_iter().next()?),
            State::Many(_) => context.set_list(own.key.clone(), texts),
        }
    }
    Some(context)
}
