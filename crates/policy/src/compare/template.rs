//! From the texts of policies to the tokens of the automaton, and from templates back to texts.

use super::automaton::Token;
use crate::context::Key;
use crate::pattern::{BadVariable, Syntax, Token as Piece, Variable, tokens};
use crate::resource::{ArnPattern, ResourcePattern};

/// A pattern for the automaton.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The pattern; where there are variables, each may be anything.
    pub(super) tokens: Vec<Token>,
    pub(super) template: Option<Template>,
}

/// What was written, where it holds variables.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
    /// The pattern with each variable as a symbol.
    pub(super) symbolic: Vec<Token>,
}

/// The variables that were met, so that the same one is the same symbol everywhere.
#[derive(Debug, Default)]
pub(super) struct Symbols(Vec<Variable>);

impl Symbols {
    fn number(&mut self, variable: &Variable) -> u32 {
        let known = self.0.iter().position(|own| own == variable);
        let number = known.unwrap_or_else(|| {
            self.0.push(variable.clone());
            self.0.len() - 1
        });
        number as u32
    }
}

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Exact,
    AnyCase,
    Wildcards,
    /// Six parts; a wildcard of the first five keeps to its part.
    Arn,
}

impl Pattern {
    /// The pattern of a condition's value; `None` where the evaluator cannot read it.
    pub(super) fn of_value(text: &str, style: Style, variables: bool, symbols: &mut Symbols) -> Option<Self> {
        let wildcards = matches!(style, Style::Wildcards | Style::Arn);
        if style == Style::Arn {
            ArnPattern::new(text, variables)?;
        }
        let pieces = tokens(text, Syntax { wildcards, variables }).ok()?;
        Some(Self::from_pieces(pieces, style, symbols))
    }

    fn from_pieces(pieces: Vec<Piece>, style: Style, symbols: &mut Symbols) -> Self {
        let mut pattern = Vec::new();
        let mut symbolic = Vec::new();
        let mut colons = 0;
        for piece in &pieces {
            let in_part = style == Style::Arn && colons < 5;
            let any = if in_part { Token::SequenceWithoutColon } else { Token::Sequence };
            match piece {
                Piece::Text(text) => {
                    colons += text.matches(':').count();
                    let token = if style == Style::AnyCase { Token::AnyCase } else { Token::Character };
                    pattern.extend(text.chars().map(token));
                    symbolic.extend(text.chars().map(token));
                }
                Piece::AnySequence => {
                    pattern.push(any);
                    symbolic.push(any);
                }
                Piece::AnyCharacter => {
                    let one = if in_part { Token::AnyButColon } else { Token::AnyCharacter };
                    pattern.push(one);
                    symbolic.push(one);
                }
                Piece::Variable(variable) => {
                    pattern.push(any);
                    symbolic.push(Token::Symbol(symbols.number(variable)));
                }
            }
        }
        let has_variables = pieces.iter().any(|piece| matches!(piece, Piece::Variable(_)));
        Self { tokens: pattern, template: has_variables.then_some(Template { pieces, symbolic }) }
    }

    /// The pattern of an entry of `Resource`, as [`ResourcePattern`] reads it; `None` for `*` and for what is unclear.
    pub(super) fn of_resource(text: &str, variables: bool, symbols: &mut Symbols) -> Option<Self> {
        if matches!(ResourcePattern::new(text, variables), ResourcePattern::Any | ResourcePattern::Unclear) {
            return None;
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let (head, rest) = match parts.as_slice() {
            [head @ .., rest] if parts.len() == 6 => (head, Some(*rest)),
            short => (short, None),
        };
        let mut whole = Self { tokens: Vec::new(), template: None };
        let mut pieces = Vec::new();
        for part in head {
            let part_pieces = tokens(part, Syntax { wildcards: true, variables: false }).ok()?;
            whole.tokens.extend(Self::from_pieces(part_pieces.clone(), Style::Arn, symbols).tokens);
            if let Some(last) = whole.tokens.last_mut()
                && rest.is_none()
                && part.ends_with('*')
            {
                // A `*` that ends a part of a short pattern runs past the colons.
                *last = Token::Sequence;
            }
            whole.tokens.push(Token::Character(':'));
            pieces.extend(part_pieces);
            pieces.push(Piece::Text(":".into()));
        }
        let Some(rest) = rest else {
            whole.tokens.pop();
            return Some(whole);
        };
        let rest = Self::from_pieces(
            tokens(rest, Syntax { wildcards: true, variables }).ok()?,
            Style::Wildcards,
            symbols,
        );
        whole.template = rest.template.map(|rest| Template {
            pieces: pieces.into_iter().chain(rest.pieces).collect(),
            symbolic: whole.tokens.iter().copied().chain(rest.symbolic).collect(),
        });
        whole.tokens.extend(rest.tokens);
        Some(whole)
    }
}

/// What every ARN matches and nothing else.
pub(super) fn any_arn() -> Vec<Token> {
    let mut pattern = super::class::literal("arn:");
    for _ in 0..4 {
        pattern.extend([Token::SequenceWithoutColon, Token::Character(':')]);
    }
    pattern.push(Token::Sequence);
    pattern
}

impl Template {
    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            _ => None,
        })
    }

    /// A text that the template matches; `None` where a variable has no value.
    pub(super) fn fill(&self, value: impl Fn(&Key<'static>) -> Option<String>) -> Option<String> {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::AnyCharacter => Some("x".to_owned()),
            Piece::AnySequence => Some(String::new()),
            Piece::Variable(variable) => {
                value(&variable.key).or_else(|| variable.default.as_deref().map(str::to_owned))
            }
        });
        pieces.collect()
    }
}

/// A plain ARN that an entry of `Resource` covers, where one comes to mind: what a reader would write for its wildcards.
pub(super) fn plain_arn(text: &str) -> Result<String, BadVariable> {
    let plain = |text: &str, filler: &str| {
        let pieces = tokens(text, Syntax { wildcards: true, variables: true })?;
        let pieces = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::AnySequence => filler.to_owned(),
            Piece::AnyCharacter | Piece::Variable(_) => "x".to_owned(),
        });
        Ok::<String, BadVariable>(pieces.collect())
    };
    let fillers = ["arn", "aws", "service", "us-east-1", "111122223333", "x"];
    let mut parts = text.splitn(6, ':').collect::<Vec<_>>();
    let missing = 6 - parts.len();
    parts.extend(std::iter::repeat_n("*", missing));
    let whole_part =
        |part: &str, filler: &'static str| if part == "*" || filler == "x" { filler } else { "" };
    let parts: Result<Vec<String>, _> =
        parts.iter().zip(fillers).map(|(part, filler)| plain(part, whole_part(part, filler))).collect();
    Ok(parts?.join(":"))
}
