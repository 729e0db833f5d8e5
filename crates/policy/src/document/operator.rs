//! Condition operators by name.

/// A condition operator: `ForAnyValue:StringLikeIfExists` in its parts
/// (`reference_policies_elements_condition_operators`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`, where written.
    pub quantifier: Option<Quantifier>,
    /// What is compared, and how.
    pub comparison: Comparison,
    /// Whether `IfExists` is written.
    pub if_exists: bool,
}

/// How the values of a multivalued key are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `ForAllValues`: every value must pass; none at all passes.
    ForAllValues,
    /// `ForAnyValue`: some value must pass; none at all does not.
    ForAnyValue,
}

macro_rules! comparisons {
    ($($name:ident)*) => {
        /// The comparisons that AWS knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the operator of its name")]
        pub enum Comparison { $($name),* }

        impl Comparison {
            /// Every comparison.
            pub const ALL: &'static [Comparison] = &[$(Comparison::$name),*];

            /// The operator's name, without quantifier and `IfExists`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

comparisons! {
    StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
    NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
    DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
    Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnNotEquals ArnLike ArnNotLike Null
}

impl Comparison {
    /// Whether the operator is true where no value matches.
    pub fn is_negated(self) -> bool {
        self.name().contains("Not")
    }

    /// Whether it is one of the Date operators.
    pub(crate) fn is_date(self) -> bool {
        self.name().starts_with("Date")
    }
}

impl Operator {
    /// Reads an operator's name; `None` for what AWS does not know. `Null` takes no `IfExists`.
    pub fn parse(text: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (Some(Quantifier::ForAllValues), rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (Some(Quantifier::ForAnyValue), rest)
        } else {
            (None, text)
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let comparison = *Comparison::ALL.iter().find(|comparison| comparison.name() == name)?;
        let known = comparison != Comparison::Null || !if_exists;
        known.then_some(Self { quantifier, comparison, if_exists })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_with_every_modifier() {
        for &comparison in Comparison::ALL {
            for (prefix, quantifier) in [
                ("", None),
                ("ForAllValues:", Some(Quantifier::ForAllValues)),
                ("ForAnyValue:", Some(Quantifier::ForAnyValue)),
            ] {
                for (suffix, if_exists) in [("", false), ("IfExists", true)] {
                    let expected = (comparison != Comparison::Null || !if_exists).then_some(Operator {
                        quantifier,
                        comparison,
                        if_exists,
                    });
                    assert_eq!(Operator::parse(&format!("{prefix}{}{suffix}", comparison.name())), expected);
                }
            }
        }
        assert_eq!(Comparison::ALL.len(), 27);
    }

    #[test]
    fn other_names_are_not_known() {
        for text in [
            "",
            "stringequals",
            "ForAnyValue::StringEquals",
            "StringEqualsIfExistsIfExists",
            "IfExists",
            "Equals",
        ] {
            assert_eq!(Operator::parse(text), None, "{text}");
        }
    }

    #[test]
    fn eight_operators_are_negated() {
        let negated: Vec<_> = Comparison::ALL.iter().filter(|c| c.is_negated()).map(|c| c.name()).collect();
        assert_eq!(
            negated,
            [
                "StringNotEquals",
                "StringNotEqualsIgnoreCase",
                "StringNotLike",
                "NumericNotEquals",
                "DateNotEquals",
                "NotIpAddress",
                "ArnNotEquals",
                "ArnNotLike"
            ]
        );
    }
}
