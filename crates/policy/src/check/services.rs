//! What AWS's services have: actions, resource types and condition keys, read from the checked-in data when first asked
//! for (`data/README.md` says where it comes from).

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

static DATA: &str = include_str!("../../data/service-authorization.txt");
static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

/// The type of a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    String,
    Arn,
    Bool,
    Numeric,
    Date,
    IpAddress,
}

/// A condition key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// As AWS writes it; `${…}` stands for what the policy puts in.
    pub(super) name: &'static str,
    pub(super) kind: KeyType,
    pub(super) multivalued: bool,
}

/// A service.
pub(super) struct Service {
    keys: Vec<&'static str>,
    resources: Vec<(&'static str, Vec<usize>)>,
    /// Sorted by name in lower case.
    actions: Vec<(String, Action)>,
}

/// An action.
pub(super) struct Action {
    pub(super) name: &'static str,
    resources: Vec<usize>,
    keys: Vec<usize>,
}

/// A resource type with the service that defines it.
pub(super) struct ResourceType {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    pub(super) arn: &'static str,
}

struct Index {
    services: HashMap<&'static str, (&'static str, OnceLock<Service>)>,
    resource_control: HashSet<&'static str>,
    /// In lower case.
    global_keys: HashSet<String>,
    /// By the key in lower case.
    keys: HashMap<String, Key>,
    /// Keys with a part to put in, by their prefix in lower case.
    patterns: HashMap<String, Vec<Key>>,
    /// By the service in the ARN.
    resources: HashMap<&'static str, Vec<ResourceType>>,
}

impl Index {
    fn new() -> Self {
        let mut index = Self {
            services: HashMap::new(),
            resource_control: HashSet::new(),
            global_keys: HashSet::new(),
            keys: HashMap::new(),
            patterns: HashMap::new(),
            resources: HashMap::new(),
        };
        let (general, services) = DATA.split_once("\nS\t").unwrap_or((DATA, ""));
        for line in general.lines() {
            match fields(line) {
                ("G", name, kind, _) => {
                    index.global_keys.insert(name.to_ascii_lowercase());
                    index.key(name, kind);
                }
                ("C", service, ..) => {
                    index.resource_control.insert(service);
                }
                _ => (),
            }
        }
        for block in services.split("\nS\t") {
            let (service, lines) = block.split_once('\n').unwrap_or((block, ""));
            index.services.insert(service, (lines, OnceLock::new()));
            for line in lines.lines() {
                match fields(line) {
                    ("K", name, kind, _) => index.key(name, kind),
                    ("R", name, arn, _) => {
                        let in_arn = arn.split(':').nth(2).unwrap_or_default();
                        let resource = ResourceType { service, name, arn };
                        index.resources.entry(in_arn).or_default().push(resource);
                    }
                    _ => (),
                }
            }
        }
        index
    }

    fn key(&mut self, name: &'static str, kind: &str) {
        let (single, multivalued) = match kind.strip_prefix("ArrayOf") {
            Some(single) => (single, true),
            None => (kind, false),
        };
        let kind = match single {
            "String" => KeyType::String,
            "ARN" => KeyType::Arn,
            "Bool" => KeyType::Bool,
            "Numeric" => KeyType::Numeric,
            "Date" => KeyType::Date,
            "IPAddress" => KeyType::IpAddress,
            // A key that another service defines.
            _ => return,
        };
        let lower = name.to_ascii_lowercase();
        let key = Key { name, kind, multivalued };
        if name.contains("${") {
            let prefix = lower.split(':').next().unwrap_or_default().to_owned();
            self.patterns.entry(prefix).or_default().push(key);
        } else {
            self.keys.entry(lower).or_insert(key);
        }
    }
}

fn fields(line: &'static str) -> (&'static str, &'static str, &'static str, &'static str) {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    (next(), next(), next(), next())
}

fn numbers(list: &str) -> Vec<usize> {
    list.split(',').filter_map(|number| number.parse().ok()).collect()
}

impl Service {
    fn read(lines: &'static str) -> Self {
        let mut service = Self { keys: Vec::new(), resources: Vec::new(), actions: Vec::new() };
        for line in lines.lines() {
            match fields(line) {
                ("K", name, ..) => service.keys.push(name),
                ("R", name, _, keys) => service.resources.push((name, numbers(keys))),
                ("A", name, resources, keys) => service.actions.push((
                    name.to_ascii_lowercase(),
                    Action { name, resources: numbers(resources), keys: numbers(keys) },
                )),
                _ => (),
            }
        }
        service.actions.sort_by(|(a, _), (b, _)| a.cmp(b));
        service
    }

    /// The action with this name, whatever its case.
    pub(super) fn action(&self, name: &str) -> Option<&Action> {
        let lower = name.to_ascii_lowercase();
        let found = self.actions.binary_search_by(|(name, _)| name.as_str().cmp(&lower)).ok()?;
        self.actions.get(found).map(|(_, action)| action)
    }

    /// The actions whose names in lower case begin so.
    pub(super) fn actions_from<'s, 'p>(
        &'s self,
        prefix: &'p str,
    ) -> impl Iterator<Item = (&'s str, &'s Action)> + use<'s, 'p> {
        let first = self.actions.partition_point(|(name, _)| name.as_str() < prefix);
        let rest = self.actions.get(first..).unwrap_or_default();
        let begins = move |(name, _): &&(String, Action)| name.starts_with(prefix);
        rest.iter().take_while(begins).map(|(name, action)| (name.as_str(), action))
    }

    /// Whether requests for the action bring the key, themselves or by a resource that they can be for.
    pub(super) fn supports(&self, action: &Action, key: &str) -> bool {
        let of_resources = action.resources.iter().filter_map(|number| self.resources.get(*number));
        let mut all = action.keys.iter().chain(of_resources.flat_map(|(_, keys)| keys));
        all.any(|number| self.keys.get(*number).is_some_and(|known| fits(known, key)))
    }

    /// Whether the action can be for one of these types of resource.
    pub(super) fn is_for(&self, action: &Action, types: &[&str]) -> bool {
        let names = action.resources.iter().filter_map(|number| self.resources.get(*number));
        names.into_iter().any(|(name, _)| types.contains(name))
    }
}

/// The service with this prefix, in lower case.
pub(super) fn service(prefix: &str) -> Option<&'static Service> {
    let (lines, read) = INDEX.services.get(prefix)?;
    Some(read.get_or_init(|| Service::read(lines)))
}

/// Every service's prefix.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    INDEX.services.keys().copied()
}

/// Whether resource control policies cover the service.
pub(super) fn has_resource_control(prefix: &str) -> bool {
    INDEX.resource_control.contains(prefix)
}

/// Whether requests to every service can bring the key (`reference_policies_condition-keys`), also where a service's prefix
/// stands before it.
pub(super) fn is_global(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    lower.starts_with("aws:") || INDEX.global_keys.contains(&lower)
}

/// The types of resource whose ARNs name this service.
pub(super) fn resource_types(service_in_arn: &str) -> &'static [ResourceType] {
    INDEX.resources.get(service_in_arn).map_or(&[], Vec::as_slice)
}

/// The condition key with this name, whatever its case.
pub(super) fn key(name: &str) -> Option<Key> {
    let lower = name.to_ascii_lowercase();
    let prefix = lower.split(':').next().unwrap_or_default();
    let pattern = || INDEX.patterns.get(prefix)?.iter().find(|key| fits(key.name, name)).copied();
    INDEX.keys.get(&lower).copied().or_else(pattern)
}

/// The keys with this prefix in lower case, those that need a part put in too.
pub(super) fn keys_of(prefix: &str) -> impl Iterator<Item = &'static str> {
    let with_colon = format!("{prefix}:");
    let plain = INDEX.keys.iter().filter(move |(lower, _)| lower.starts_with(&with_colon));
    let patterns = INDEX.patterns.get(prefix).into_iter().flatten();
    plain.map(|(_, key)| key.name).chain(patterns.map(|key| key.name))
}

/// Whether a name is the key, with something put in for each `${…}`.
fn fits(key: &str, name: &str) -> bool {
    let Some((start, rest)) = key.split_once("${") else { return key.eq_ignore_ascii_case(name) };
    let end = rest.split_once('}').map_or("", |(_, end)| end);
    let lower = name.to_ascii_lowercase();
    let inner = lower.strip_prefix(&start.to_ascii_lowercase());
    let end = end.split("${").next().unwrap_or_default().to_ascii_lowercase();
    inner.and_then(|inner| inner.strip_suffix(end.as_str())).is_some_and(|inner| !inner.is_empty())
}
