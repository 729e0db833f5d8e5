//! Instance types: what EC2 says of them. Of a real machine an instance gets the processors and the memory.

mod describe_instance_type_offerings;
mod describe_instance_types;

use std::sync::OnceLock;

use daypass_core::Entry;

pub(crate) const OPERATIONS: &[&Entry] = &[
    &describe_instance_type_offerings::DESCRIBE_INSTANCE_TYPE_OFFERINGS,
    &describe_instance_types::DESCRIBE_INSTANCE_TYPES,
];

/// What EC2 answered, as a table: a header, then a row for each type.
static TABLE: &str = include_str!("../data/instance_types.tsv");

/// An instance type.
#[derive(Clone, Copy)]
pub struct InstanceType {
    row: &'static [&'static str],
}

struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<&'static str>>,
}

fn table() -> &'static Table {
    static READ: OnceLock<Table> = OnceLock::new();
    READ.get_or_init(|| {
        let mut lines =
            TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect());
        Table { header: lines.next().unwrap_or_default(), rows: lines.collect() }
    })
}

impl InstanceType {
    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        table().rows.iter().map(|row| Self { row })
    }

    /// The type of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|t| t.name() == name)
    }

    /// Its name, as `t3.micro`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.text("type")
    }

    /// How many virtual processors it has.
    #[must_use]
    pub fn vcpus(self) -> i32 {
        self.number("vcpus").unwrap_or(1)
    }

    /// How many of its cores there are.
    pub(crate) fn cores(self) -> i32 {
        self.number("cores").unwrap_or(1)
    }

    /// How many threads a core has.
    pub(crate) fn threads_per_core(self) -> i32 {
        self.number("threads").unwrap_or(1)
    }

    /// How much memory it has, in MiB.
    #[must_use]
    pub fn memory_mib(self) -> i64 {
        self.number("memory_mib").unwrap_or(0)
    }

    /// Whether it can run images of an architecture.
    pub(crate) fn runs(self, architecture: &str) -> bool {
        self.list("architectures").any(|a| a == architecture)
    }

    /// Whether it earns and spends processor credits.
    pub(crate) fn is_burstable(self) -> bool {
        self.flag("burstable")
    }

    /// What its credits are like where nobody says (EC2 User Guide: T2 is standard, later ones are unlimited).
    pub(crate) fn default_credits(self) -> Option<&'static str> {
        self.is_burstable().then(|| if self.name().starts_with("t2.") { "standard" } else { "unlimited" })
    }

    /// Whether it is always optimised for EBS.
    pub(crate) fn is_ebs_optimized(self) -> bool {
        self.text("ebs_optimized") == "default"
    }

    /// The cell under a column.
    fn text(self, column: &str) -> &'static str {
        let at = table().header.iter().position(|name| *name == column);
        at.and_then(|at| self.row.get(at)).copied().unwrap_or("")
    }

    fn list(self, column: &str) -> impl Iterator<Item = &'static str> {
        self.text(column).split(',').filter(|item| !item.is_empty() && *item != "-")
    }

    fn number<T: std::str::FromStr>(self, column: &str) -> Option<T> {
        self.text(column).parse().ok()
    }

    fn flag(self, column: &str) -> bool {
        self.text(column) == "y"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_whole() {
        let columns = table().header.len();
        assert_eq!(columns, 42);
        assert!(InstanceType::all().count() > 200);
        for t in InstanceType::all() {
            assert_eq!(t.row.len(), columns, "{}", t.name());
            assert!(t.number::<i32>("vcpus").is_some_and(|n| n > 0), "{}", t.name());
            assert!(t.memory_mib() >= 512, "{}", t.name());
            assert_eq!(t.cores() * t.threads_per_core(), t.vcpus(), "{}", t.name());
            assert!(
                t.number::<f64>("ghz").is_some() && t.number::<i32>("interfaces").is_some(),
                "{}",
                t.name()
            );
        }
    }

    #[test]
    fn types_are_what_they_are_at_aws() {
        let micro = InstanceType::named("t3.micro").unwrap();
        assert_eq!(
            (micro.vcpus(), micro.memory_mib(), micro.default_credits()),
            (2, 1024, Some("unlimited"))
        );
        assert!(micro.runs("x86_64") && !micro.runs("arm64"));
        assert_eq!(InstanceType::named("t2.micro").unwrap().default_credits(), Some("standard"));
        assert_eq!(InstanceType::named("m5.large").unwrap().default_credits(), None);
        assert!(InstanceType::named("t4g.nano").unwrap().runs("arm64"));
        assert!(InstanceType::named("t9.big").is_none());
    }
}
