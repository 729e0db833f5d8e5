use super::*;
use proptest::prelude::*;

const ALL: Syntax = Syntax { wildcards: true, variables: true };

impl Meter for usize {
    fn count(&mut self, steps: usize) {
        *self += steps;
    }
}

fn glob(pattern: &str) -> Glob {
    Glob::new(pattern, ALL).unwrap()
}

fn fits(pattern: &str, text: &str) -> bool {
    glob(pattern).fit(text, &Context::new()) == Fit::Yes
}

/// The definition: a `*` takes nothing, or one character more.
fn fits_by_definition(pattern: &[char], text: &[char]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for sign in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match sign {
                '*' => row[at] || (at > 0 && next[at - 1]),
                '?' => at > 0 && row[at - 1],
                character => at > 0 && row[at - 1] && text[at - 1] == *character,
            };
        }
        row = next;
    }
    row[text.len()]
}

#[test]
fn the_signs_mean_what_the_guide_says() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "a/b:c\n😀", true),
        ("a?c", "abc", true),
        ("a?c", "a😀c", true),
        ("a?c", "ac", false),
        ("a*c", "abcc", true),
        ("a**b", "ab", true),
        ("*a*a*a*", "aa", false),
        ("*a*a*a*", "aaa", true),
        ("?*", "", false),
        ("*?", "é", true),
        ("ab*ba", "aba", false),
        ("a.c", "abc", false),
        ("[ab]", "a", false),
        ("*/test/*", "1///test///x", true),
        ("*/test/*", "1-test/x", false),
        ("A", "a", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_value_put_in_for_a_variable_is_never_a_pattern() {
    let mut context = Context::new();
    context.set("aws:username", "a*");
    let home = glob("home/${aws:username}/*");
    assert_eq!(home.fit("home/a*/x", &context), Fit::Yes);
    assert_eq!(home.fit("home/abc/x", &context), Fit::No);
    assert_eq!(glob("*${aws:username}*").fit("xa*y", &context), Fit::Yes);
    assert_eq!(glob("*${aws:username}?").fit("xa*y", &context), Fit::Yes);
    assert_eq!(glob("*${aws:username}*").fit("xay", &context), Fit::No);
}

#[test]
fn an_unset_variable_fits_nothing_unless_it_has_a_default() {
    let mut context = Context::new();
    context.set_list("aws:TagKeys", ["x"]);
    assert_eq!(glob("b${aws:username}").fit("b", &context), Fit::Unset);
    assert_eq!(glob("${aws:username}*").fit("anything", &context), Fit::Unset);
    assert_eq!(glob("${aws:username, 'none'}").fit("none", &context), Fit::Yes);
    assert_eq!(glob("${aws:TagKeys}").fit("x", &context), Fit::Unset);
    assert_eq!(glob("${aws:TagKeys, 'x'}").fit("x", &context), Fit::Unset);
    context.set("aws:username", "set");
    assert_eq!(glob("${aws:username, 'none'}").fit("none", &context), Fit::No);
}

#[test]
fn templates_compare_with_and_without_case() {
    let mut context = Context::new();
    context.set("aws:username", "Bob");
    let template = Template::new("user/${aws:username}*", true).unwrap();
    assert_eq!(template.fit("user/Bob*", &context), Fit::Yes);
    assert_eq!(template.fit("user/Bobby", &context), Fit::No);
    assert_eq!(template.fit("USER/bob*", &context), Fit::No);
    assert_eq!(template.fit_ignoring_case("USER/bob*", &context), Fit::Yes);
    assert_eq!(template.fit_ignoring_case("USER/bob*x", &context), Fit::No);
    assert_eq!(Template::new("grün", true).unwrap().fit_ignoring_case("GRÜN", &context), Fit::Yes);
    assert_eq!(template.fit("user/", &Context::new()), Fit::Unset);
}

fn bound(pattern: usize, text: usize) -> usize {
    40 * (pattern + text) + pattern * text / 64
}

/// What takes other matchers minutes.
#[test]
fn hostile_patterns_take_few_steps() {
    let a = "a".repeat(1024);
    let mut cases: Vec<(String, String)> =
        [1, 8, 64, 512, 2000].into_iter().map(|n| ("*a".repeat(n) + "b", a.clone())).collect();
    for width in [8, 16, 17, 63, 64, 65, 200, 512] {
        cases.push((format!("*{}b*", "a".repeat(width)), a.clone()));
        cases.push((format!("*{}?b*", "a".repeat(width)), a.clone()));
        cases.push((format!("*?{}b*{}?c*", "a".repeat(width), "a".repeat(width)), a.clone()));
        cases.push((format!("*{}b", "?a".repeat(width)), a.clone()));
        cases.push((format!("*{}b*", "é?".repeat(width)), "é".repeat(1024)));
    }
    cases.push(("*?a".repeat(340) + "*b*", a.clone()));
    for (pattern, text) in cases {
        let mut steps = 0;
        glob(&pattern).fit_metered(&text, &Context::new(), &mut steps);
        assert!(steps <= bound(pattern.len(), text.len()), "{steps} steps for {pattern}");
    }
}

#[test]
fn a_long_value_of_a_variable_is_searched_in_as_few_steps() {
    let mut context = Context::new();
    context.set("s3:prefix", "a".repeat(512) + "b");
    let mut steps = 0;
    let text = "a".repeat(1024);
    assert_eq!(glob("*${s3:prefix}*").fit_metered(&text, &context, &mut steps), Fit::No);
    assert!(steps <= bound(520, text.len()), "{steps}");
    assert_eq!(glob("*${s3:prefix}*").fit(&(text + "b!"), &context), Fit::Yes);
}

fn small_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![4 => Just("a"), 2 => Just("b"), 1 => Just("é"), 1 => Just("😀")],
        0..24,
    )
    .prop_map(|parts| parts.concat())
}

fn small_pattern() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![4 => Just("a"), 2 => Just("b"), 1 => Just("é"), 2 => Just("*"), 2 => Just("?"), 1 => Just("aaaaaaaaab")],
        0..12,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn agrees_with_the_definition(pattern in small_pattern(), text in small_text()) {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(fits(&pattern, &text), fits_by_definition(&p, &t));
    }

    /// The same, with segments long enough for the automaton, one word of it and more.
    #[test]
    fn the_automaton_agrees_with_the_definition(
        width in 0_usize..150, gap in 0_usize..3, pattern in small_pattern(), text in small_text()
    ) {
        let pattern = format!("*{}?{pattern}*", "ab".repeat(width / 2));
        let text = format!("{}{}{text}", "a".repeat(gap), "ab".repeat(width / 2));
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(fits(&pattern, &text), fits_by_definition(&p, &t));
    }

    #[test]
    fn steps_stay_within_the_bound(pattern in "[a*?é]{0,200}", text in "[aé]{0,300}") {
        let mut steps = 0;
        glob(&pattern).fit_metered(&text, &Context::new(), &mut steps);
        prop_assert!(steps <= bound(pattern.len(), text.len()));
    }
}
