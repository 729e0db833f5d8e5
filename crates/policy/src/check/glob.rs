//! Patterns against patterns: whether one takes all that another takes, and whether two can take the same text.

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Character(char),
    AnyCharacter,
    AnySequence,
}

/// The pieces of a pattern. A variable may be anything: `unknown` says what stands for it.
fn pieces(pattern: &str, unknown: &[Piece]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        let variable = if character == '$' { rest.strip_prefix('{') } else { None };
        if let Some((_, after)) = variable.and_then(|inner| inner.split_once('}')) {
            pieces.extend_from_slice(unknown);
            rest = after;
            continue;
        }
        pieces.push(match character {
            '*' => Piece::AnySequence,
            '?' => Piece::AnyCharacter,
            other => Piece::Character(other),
        });
    }
    pieces
}

/// Whether every text that `narrow` takes is taken by `wide` too. Variables are only covered by a `*`, or by the same
/// variables in the same text.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow {
        return true;
    }
    if !wide.contains(['*', '?']) || wide.contains("${") {
        return false;
    }
    // What a variable holds is no piece that anything but a `*` takes.
    let (wide, narrow) = (pieces(wide, &[]), pieces(narrow, &[Piece::AnySequence]));
    let (mut w, mut n) = (0, 0);
    let mut retry = None;
    while n < narrow.len() {
        match (wide.get(w), narrow.get(n)) {
            (Some(Piece::AnySequence), _) => {
                retry = Some((w, n));
                w += 1;
            }
            (Some(Piece::AnyCharacter), Some(Piece::Character(_) | Piece::AnyCharacter)) => {
                (w, n) = (w + 1, n + 1)
            }
            (Some(Piece::Character(a)), Some(Piece::Character(b))) if a == b => (w, n) = (w + 1, n + 1),
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    (w, n) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    wide.iter().skip(w).all(|piece| *piece == Piece::AnySequence)
}

/// Whether some text is taken by the pattern and by the form, in which `${…}` stands for one character or more, as in
/// `arn:${Partition}:s3:::${BucketName}`. Forms longer than 127 pieces are taken to fit.
pub(super) fn may_be(pattern: &str, form: &str) -> bool {
    let form = pieces(form, &[Piece::AnyCharacter, Piece::AnySequence]);
    if form.len() > 127 {
        return true;
    }
    // The places in the form that can be reached, as bits; the last is its end.
    let at_stars = bits(&form, |piece| *piece == Piece::AnySequence);
    let any_one = bits(&form, |piece| *piece == Piece::AnyCharacter);
    let mut reached = past_stars(1, at_stars);
    for piece in pieces(pattern, &[Piece::AnySequence]) {
        reached = match piece {
            // What stands between may be anything: every later place can be reached.
            Piece::AnySequence => upward(reached) & upto(form.len()),
            Piece::AnyCharacter => {
                (reached & at_stars) | ((reached & upto(form.len().saturating_sub(1)) & !at_stars) << 1)
            }
            Piece::Character(character) => {
                let same = bits(&form, |piece| *piece == Piece::Character(character));
                (reached & at_stars) | ((reached & (same | any_one)) << 1)
            }
        };
        reached = past_stars(reached & upto(form.len()), at_stars);
        if reached == 0 {
            return false;
        }
    }
    reached & (1 << form.len()) != 0
}

fn bits(form: &[Piece], is: impl Fn(&Piece) -> bool) -> u128 {
    form.iter().enumerate().filter(|(_, piece)| is(piece)).fold(0, |bits, (index, _)| bits | (1 << index))
}

/// The bits up to and with this one.
fn upto(bit: usize) -> u128 {
    if bit >= 127 { u128::MAX } else { (1 << (bit + 1)) - 1 }
}

/// Every bit from the lowest set one on.
fn upward(bits: u128) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << bits.trailing_zeros() }
}

/// A `*` of the form may also stand for nothing.
fn past_stars(mut reached: u128, at_stars: u128) -> u128 {
    loop {
        let next = reached | ((reached & at_stars) << 1);
        if next == reached {
            return reached;
        }
        reached = next;
    }
}

/// Whether a text holds a wildcard; `${*}` and `${?}` are those signs themselves.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.replace("${*}", "").replace("${?}", "").contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_takes_no_more_than_it() {
        for (wide, narrow, expected) in [
            ("iam:get*", "iam:getuser", true),
            ("iam:get*", "iam:get*", true),
            ("iam:get*", "iam:*user", false),
            ("iam:*", "iam:get?ser*", true),
            ("iam:get?ser", "iam:getuser", true),
            ("iam:get?ser", "iam:get*ser", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxx*b", true),
            ("a", "a", true),
            ("a", "b", false),
            ("*", "${aws:username}", true),
            ("?", "${aws:username}", false),
            ("home/${aws:username}*", "home/${aws:username}", false),
            ("a*", "", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn a_pattern_may_be_of_a_form_if_some_text_is_both() {
        let role = "role/${RoleNameWithPath}";
        for (pattern, form, expected) in [
            ("role/web", role, true),
            ("role/*", role, true),
            ("*", role, true),
            ("ro*", role, true),
            ("*web", role, true),
            ("role/${aws:username}", role, true),
            ("role/", role, false),
            ("role", role, false),
            ("user/*", role, false),
            ("role*x", role, true),
            ("????/?", role, true),
            ("????", role, false),
            ("webs", "${A}/${B}", false),
            ("web/s", "${A}/${B}", true),
            ("x", "x", true),
            ("xy", "x", false),
            ("x*", "x", true),
            ("x?", "x", false),
        ] {
            assert_eq!(may_be(pattern, form), expected, "{pattern} {form}");
        }
    }
}
