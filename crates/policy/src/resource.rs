//! The resource of a request, and the patterns of `Resource` elements.

use crate::arn::{ArnParts, InvalidArn};
use crate::context::Context;
use crate::pattern::{Fit, Glob, Syntax, Token, tokens};

/// The resource that a request asks for.
///
/// ```
/// use daypass_policy::Resource;
/// let object = Resource::arn("arn:aws:s3:::bucket/key")?;
/// let none = Resource::NONE;
/// # Ok::<(), daypass_policy::InvalidArn>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    text: &'a str,
    parts: Option<ArnParts<'a>>,
}

impl<'a> Resource<'a> {
    /// What an action without resource types asks for (`ec2:DescribeRegions`): only a literal `*` covers it.
    pub const NONE: Resource<'static> = Resource { text: "*", parts: None };

    /// What `s3:ListAllMyBuckets` asks for, which has no resource types either, but is covered by `arn:aws:s3:::*` too (S3 user
    /// guide, "Controlling access to a bucket with user policies").
    pub const EVERY_BUCKET: &'static str = "arn:aws:s3:::*";

    /// The resource with this ARN.
    ///
    /// # Errors
    /// Where the text has fewer than six parts or does not begin with `arn:`.
    pub fn arn(text: &'a str) -> Result<Self, InvalidArn> {
        match ArnParts::split(text) {
            Some(parts) => Ok(Self { text, parts: Some(parts) }),
            None => text.parse::<crate::Arn>().map(|_| Self { text, parts: None }),
        }
    }

    /// The ARN, or `*`.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    pub(crate) fn parts(&self) -> Option<&ArnParts<'a>> {
        self.parts.as_ref()
    }
}

/// One entry of a `Resource` or `NotResource` element.
#[derive(Debug)]
pub(crate) enum ResourcePattern {
    /// `*`: every resource, and every action that has none.
    Any,
    /// Six parts of which the first five hold no wildcard: one comparison, then the rest.
    Plain { head: Box<str>, rest: Glob },
    /// Six parts, each matched with its own part of the ARN; only the sixth may hold variables.
    Parts { head: Box<[Glob]>, rest: Glob },
    /// Fewer parts: a `*` that ends one may run past the colons (`reference_policies_elements_resource`, 2026).
    Short(Box<[ShortPart]>),
    /// What is no ARN, or holds a variable where none may be.
    Unclear,
}

/// A part of a short pattern.
#[derive(Debug)]
pub(crate) struct ShortPart {
    glob: Glob,
    /// Whether it ends with a `*`.
    open: bool,
}

impl ResourcePattern {
    /// `variables` says whether the document's version has them.
    pub(crate) fn new(text: &str, variables: bool) -> Self {
        if text == "*" {
            return Self::Any;
        }
        Self::from_arn(text, variables).unwrap_or(Self::Unclear)
    }

    fn from_arn(text: &str, variables: bool) -> Option<Self> {
        let head_syntax = Syntax { wildcards: true, variables: false };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let (head, rest) = match parts.as_slice() {
            [head @ .., rest] if parts.len() == 6 => (head, Some(*rest)),
            [_] => return None,
            short => (short, None),
        };
        if variables && head.iter().any(|part| part.contains("${")) {
            return None;
        }
        let globs = head.iter().map(|part| Glob::new(part, head_syntax).ok());
        let Some(rest) = rest else {
            let open = head.iter().map(|part| part.ends_with('*'));
            let parts = globs.zip(open).map(|(glob, open)| Some(ShortPart { glob: glob?, open }));
            return parts.collect::<Option<_>>().map(Self::Short);
        };
        let rest = Glob::new(rest, Syntax { wildcards: true, variables }).ok()?;
        if head.iter().any(|part| part.contains(['*', '?'])) {
            return globs.collect::<Option<_>>().map(|head| Self::Parts { head, rest });
        }
        Some(Self::Plain { head: format!("{}:", head.join(":")).into(), rest })
    }

    /// Whether the resource matches; `None` where nobody can say.
    pub(crate) fn fit(&self, resource: &Resource<'_>, context: &Context<'_>) -> Option<Fit> {
        let parts = match self {
            Self::Any => return Some(Fit::Yes),
            Self::Unclear => return None,
            _ => match resource.parts() {
                Some(parts) => parts,
                // An action without resources is covered by nothing but a literal `*`.
                None => return Some(Fit::No),
            },
        };
        let no_variables = Context::new();
        Some(match self {
            Self::Any | Self::Unclear => Fit::No,
            Self::Plain { head, rest } => match resource.text.strip_prefix(&**head) {
                Some(text) => rest.fit(text, context),
                None => Fit::No,
            },
            Self::Parts { head, rest } => {
                let fits =
                    head.iter().zip(parts.head).all(|(glob, part)| glob.fit(part, &no_variables) == Fit::Yes);
                if fits { rest.fit(parts.resource, context) } else { Fit::No }
            }
            Self::Short(short) => Fit::from(short_fits(short, resource.text)),
        })
    }

    /// The text that every ARN matched begins with.
    pub(crate) fn literal_prefix(&self) -> String {
        match self {
            Self::Plain { head, rest } => format!("{head}{}", rest.literal_prefix()),
            Self::Parts { head, .. } => {
                let literal = head.iter().map_while(|glob| glob.literal());
                literal.map(|part| format!("{part}:")).collect()
            }
            Self::Any | Self::Short(_) | Self::Unclear => String::new(),
        }
    }
}

/// Matches a pattern of fewer than six parts. Parts that end with `*` cut it into runs: each run must stand, part by
/// part, somewhere after the one before, the last one at the end of the ARN. The first place found is always right,
/// since the `*` before it takes up any distance; so each part of the ARN is looked at a few times at most.
fn short_fits(parts: &[ShortPart], arn: &str) -> bool {
    let mut rest = Some(arn);
    let mut floating = false;
    for run in parts.split_inclusive(|part| part.open) {
        let Some(text) = rest else { return false };
        let closed = run.last().is_none_or(|part| !part.open);
        let mut places =
            std::iter::successors(Some(text), |text| text.split_once(':').map(|(_, after)| after));
        let found = places
            .by_ref()
            .take(if floating { usize::MAX } else { 1 })
            .find_map(|place| run_fits(run, place).filter(|after| !closed || after.is_none()));
        match found {
            // An open run at the very end takes all that is left.
            Some(after) => rest = after,
            None => return false,
        }
        floating = true;
    }
    rest.is_none() || parts.last().is_some_and(|part| part.open)
}

/// What follows a run of parts at a place: `Some(None)` where nothing does.
fn run_fits<'t>(run: &[ShortPart], place: &'t str) -> Option<Option<&'t str>> {
    let mut rest = Some(place);
    for part in run {
        let (own, after) = match rest?.split_once(':') {
            Some((own, after)) => (own, Some(after)),
            None => (rest?, None),
        };
        if part.glob.fit(own, &Context::new()) != Fit::Yes {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// One value of an Arn operator: six parts, each matched with its own part, and no `*` past a colon.
#[derive(Debug)]
pub(crate) struct ArnPattern([Glob; 6]);

impl ArnPattern {
    /// `None` where the text is no ARN or holds an unfinished variable. A colon within `${…}` divides nothing.
    pub(crate) fn new(text: &str, variables: bool) -> Option<Self> {
        let mut parts: Vec<Vec<Token>> = vec![Vec::new()];
        for token in tokens(text, Syntax { wildcards: true, variables }).ok()? {
            let Token::Text(text) = &token else {
                parts.last_mut()?.push(token);
                continue;
            };
            let mut rest = text.as_str();
            while parts.len() < 6 {
                let Some((own, after)) = rest.split_once(':') else { break };
                parts.last_mut()?.push(Token::Text(own.into()));
                parts.push(Vec::new());
                rest = after;
            }
            parts.last_mut()?.push(Token::Text(rest.into()));
        }
        let globs: Vec<Glob> = parts.into_iter().map(Glob::from_tokens).collect();
        globs.try_into().ok().map(Self)
    }

    /// `None` where the value is no ARN.
    pub(crate) fn fit(&self, text: &str, context: &Context<'_>) -> Option<Fit> {
        let parts = ArnParts::split(text)?;
        let texts = parts.head.into_iter().chain([parts.resource]);
        let mut all = Fit::Yes;
        for (glob, text) in self.0.iter().zip(texts) {
            match glob.fit(text, context) {
                Fit::Yes => (),
                Fit::No if all == Fit::Yes => all = Fit::No,
                Fit::No => (),
                Fit::Unset => all = Fit::Unset,
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, resource: &str) -> Option<Fit> {
        let resource = if resource == "*" { Resource::NONE } else { Resource::arn(resource).unwrap() };
        let mut context = Context::new();
        context.set("aws:username", "al:ice");
        ResourcePattern::new(pattern, true).fit(&resource, &context)
    }

    #[test]
    fn each_part_is_matched_with_its_own() {
        const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:t";
        for (pattern, resource, expected) in [
            ("*", TOPIC, Fit::Yes),
            ("*", "*", Fit::Yes),
            ("arn:aws:sns:*:*:*", "*", Fit::No),
            ("arn:aws:sns:*:*:t", TOPIC, Fit::Yes),
            ("arn:aws:sns:us-east-?:111122223333:t", TOPIC, Fit::Yes),
            ("arn:aws:sns:us*1:111122223333:t", TOPIC, Fit::Yes),
            ("arn:*:sns:us-east-1:111122223333:t", TOPIC, Fit::Yes),
            ("arn:aws:sns::111122223333:t", TOPIC, Fit::No),
            ("arn:aws:sns:us-east-1:111122223333:T", TOPIC, Fit::No),
            ("arn:aws:sns:us-east-*:t", TOPIC, Fit::Yes),
            ("arn:aws:s3:*:*:b/x", "arn:aws:s3:::c:b/x", Fit::No),
            ("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::111122223333:user/al:ice", Fit::Yes),
            ("arn:aws:iam::*:user/${aws:userid}", "arn:aws:iam::111122223333:user/al:ice", Fit::Unset),
            ("foo:aws:sns:us-east-1:111122223333:t", TOPIC, Fit::No),
        ] {
            assert_eq!(fit(pattern, resource), Some(expected), "{pattern} {resource}");
        }
    }

    #[test]
    fn a_star_that_ends_a_part_of_a_short_pattern_runs_past_colons() {
        const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:q:1";
        for (pattern, expected) in [
            ("arn:*", Fit::Yes),
            ("arn:aws:sqs:*", Fit::Yes),
            ("arn:aws:s*:*", Fit::Yes),
            ("arn:aws:sqs:us-*", Fit::Yes),
            ("arn:aws:sqs:eu-*", Fit::No),
            ("arn:aws:sqs:*:1", Fit::Yes),
            ("arn:aws:*:q:1", Fit::Yes),
            ("arn:aws:*:q", Fit::No),
            ("arn:*:sqs:*:1", Fit::Yes),
            ("arn:*:111122223333:*", Fit::Yes),
            ("arn:*:q:*:1", Fit::No),
            ("arn:aws:sqs", Fit::No),
            ("arn:aws:sqs:us-east-1:111122223333", Fit::No),
            ("arn:aws:sqs:us*1:q", Fit::No),
        ] {
            assert_eq!(fit(pattern, QUEUE), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_said_to_be_so() {
        for pattern in [
            "",
            "bucket",
            "**",
            "arn:aws:s3:${aws:RequestedRegion}::b",
            "arn:aws:s3:::${",
            "arn:aws:s3:::${a, b}",
        ] {
            assert_eq!(fit(pattern, "arn:aws:s3:::b"), None, "{pattern}");
        }
    }

    #[test]
    fn arn_operators_keep_a_star_in_its_part() {
        let mut context = Context::new();
        context.set("aws:PrincipalAccount", "111122223333");
        let fit = |pattern: &str, text: &str| ArnPattern::new(pattern, true).map(|p| p.fit(text, &context));
        const ROLE: &str = "arn:aws:iam::111122223333:role/a:b";
        assert_eq!(fit("arn:???:*:*:*:*", ROLE), Some(Some(Fit::Yes)));
        assert_eq!(fit("arn:aws:iam::${aws:PrincipalAccount}:role/*", ROLE), Some(Some(Fit::Yes)));
        assert_eq!(fit("arn:aws:iam::${aws:PrincipalAccount, '1'}:role/*", ROLE), Some(Some(Fit::Yes)));
        assert_eq!(fit("arn:aws:iam::${aws:username}:role/*", ROLE), Some(Some(Fit::Unset)));
        assert_eq!(fit("arn:aws:iam:*:role/*", ROLE), None);
        assert_eq!(fit("*", ROLE), None);
        assert_eq!(fit("arn:*:*:*:*:*", "arn:aws:iam"), Some(None));
        assert_eq!(
            fit("arn:aws:sns:*:*:t*", "arn:aws:sns:us-east-2:111122223333:topic"),
            Some(Some(Fit::Yes))
        );
    }
}
