//! Yes, no, and what nobody can say.

use crate::document::Effect;

/// Whether something matches. What a policy holds that cannot be understood is `Unclear`, which is neither: it spreads
/// as in Kleene's logic, so that a statement is unclear only where nothing that is clear decides it. In the end an
/// `Allow` must match for sure, and a `Deny` counts unless it surely does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Certainty {
    No,
    Unclear,
    Yes,
}

impl Certainty {
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unclear => match other() {
                Self::No => Self::No,
                _ => Self::Unclear,
            },
        }
    }

    pub(crate) fn all(each: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for one in each {
            match one {
                Self::No => return Self::No,
                Self::Unclear => all = Self::Unclear,
                Self::Yes => (),
            }
        }
        all
    }

    pub(crate) fn any(each: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::No;
        for one in each {
            match one {
                Self::Yes => return Self::Yes,
                Self::Unclear => any = Self::Unclear,
                Self::No => (),
            }
        }
        any
    }

    pub(crate) fn invert_if(self, invert: bool) -> Self {
        match self {
            Self::Yes if invert => Self::No,
            Self::No if invert => Self::Yes,
            same => same,
        }
    }

    /// Whether a statement with this effect counts.
    pub(crate) fn counts_for(self, effect: Effect) -> bool {
        match effect {
            Effect::Allow => self == Self::Yes,
            Effect::Deny => self != Self::No,
        }
    }
}

impl From<bool> for Certainty {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Certainty {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Unclear, Self::from)
    }
}
