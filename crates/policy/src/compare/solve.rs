//! The search: is there a state for each variable in which one statement counts and others do not?
//!
//! A statement counts where each of its elements does, and each looks at one variable: a condition at its key, the
//! principal at who asks, a resource with variables at the templates. So a statement is a conjunction of sets of states, and
//! what must not count is a clause: some set of it must be left. The search narrows the sets of states until every clause is
//! settled: first what leaves no choice, then the shortest clause with a choice.

use super::bits::Bits;
use super::budget::{Budget, Exhausted, MAX_CHOICES};

/// A statement as the search sees it: for each variable that it looks at, the states in which it goes on to count.
pub(super) type Conjunction = Vec<(usize, Bits)>;

/// The states that each variable may still have.
pub(super) type Domains = Vec<Bits>;

/// Narrows the domains to where the statement counts; `None` where it cannot.
pub(super) fn require(domains: &Domains, statement: &Conjunction) -> Option<Domains> {
    let mut domains = domains.clone();
    for (variable, states) in statement {
        let domain = domains.get_mut(*variable)?;
        domain.intersect(states);
        if domain.is_empty() {
            return None;
        }
    }
    Some(domains)
}

/// Finds domains in every combination of which none of the statements counts, and offers them until one is taken.
pub(super) fn search(
    domains: Domains,
    avoid: &[&Conjunction],
    budget: &mut Budget,
    take: &mut Take<'_>,
) -> Result<bool, Exhausted> {
    search_within(0, domains, avoid, budget, take)
}

/// Told of domains; says whether they are taken.
type Take<'t> = dyn FnMut(&Domains, &mut Budget) -> Result<bool, Exhausted> + 't;

/// The search after so many choices.
fn search_within(
    chosen: usize,
    mut domains: Domains,
    avoid: &[&Conjunction],
    budget: &mut Budget,
    take: &mut Take<'_>,
) -> Result<bool, Exhausted> {
    if chosen > MAX_CHOICES {
        return Err(Exhausted);
    }
    let mut open: Vec<&Conjunction> = avoid.to_vec();
    loop {
        budget.spend(1 + open.len())?;
        let mut forced = None;
        let mut shortest: Option<Vec<usize>> = None;
        let mut impossible = false;
        open.retain(|statement| {
            let choices = match choices(&domains, statement) {
                Some(choices) => choices,
                None => return false,
            };
            match choices.as_slice() {
                [] => impossible = true,
                [only] => forced = forced.or(Some((*statement, *only))),
                _ if shortest.as_ref().is_none_or(|own| choices.len() < own.len()) => {
                    shortest = Some(choices)
                }
                _ => (),
            }
            true
        });
        if impossible {
            return Ok(false);
        }
        if let Some((statement, choice)) = forced {
            narrow(&mut domains, statement, choice);
            continue;
        }
        let Some(choices) = shortest else { return take(&domains, budget) };
        let branch =
            open.iter().find(|statement| self::choices(&domains, statement).as_ref() == Some(&choices));
        let Some(statement) = branch.copied() else { return Ok(false) };
        let weight: usize = domains.iter().map(|domain| 1 + domain.words()).sum();
        for choice in choices {
            budget.spend(weight)?;
            let mut narrowed = domains.clone();
            narrow(&mut narrowed, statement, choice);
            if search_within(chosen + 1, narrowed, &open, budget, take)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
}

/// The elements of a statement that can still be made to fail; `None` where one fails already.
fn choices(domains: &Domains, statement: &Conjunction) -> Option<Vec<usize>> {
    let mut choices = Vec::new();
    for (at, (variable, states)) in statement.iter().enumerate() {
        let domain = domains.get(*variable)?;
        if !domain.intersects(states) {
            return None;
        }
        if !domain.is_subset(states) {
            choices.push(at);
        }
    }
    Some(choices)
}

fn narrow(domains: &mut Domains, statement: &Conjunction, choice: usize) {
    if let Some((variable, states)) = statement.get(choice)
        && let Some(domain) = domains.get_mut(*variable)
    {
        domain.subtract(states);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(members: &[usize]) -> Bits {
        Bits::collect(4, members.iter().copied())
    }

    /// Every assignment, one by one.
    fn by_hand(avoid: &[Conjunction]) -> bool {
        (0..4).any(|a| {
            (0..4).any(|b| {
                let counts = |statement: &Conjunction| {
                    statement
                        .iter()
                        .all(|(variable, states)| states.contains(if *variable == 0 { a } else { b }))
                };
                !avoid.iter().any(counts)
            })
        })
    }

    #[test]
    fn the_search_finds_what_trying_everything_finds() {
        let mut dice = 7_u64;
        let mut roll = |below: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % below
        };
        let mut outcomes = [0, 0];
        for _ in 0..2_000 {
            let mut avoid: Vec<Conjunction> = Vec::new();
            for _ in 0..1 + roll(8) {
                let mut some = || Bits::collect(4, (0..4).filter(|_| roll(3) > 0));
                avoid.push(vec![(0, some()), (1, some())]);
            }
            let borrowed: Vec<&Conjunction> = avoid.iter().collect();
            let domains = vec![Bits::all(4), Bits::all(4)];
            let mut taken = Vec::new();
            let found = search(domains, &borrowed, &mut Budget::new(), &mut |domains, _| {
                taken = domains.clone();
                Ok(true)
            });
            assert_eq!(found, Ok(by_hand(&avoid)), "{avoid:?}");
            assert!(!taken.iter().any(Bits::is_empty));
            outcomes[usize::from(found.unwrap())] += 1;
        }
        assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?}");
    }

    #[test]
    fn what_is_required_narrows_and_may_be_impossible() {
        let domains = vec![bits(&[0, 1])];
        assert_eq!(require(&domains, &vec![(0, bits(&[1, 2]))]), Some(vec![bits(&[1])]));
        assert_eq!(require(&domains, &vec![(0, bits(&[2]))]), None);
    }

    #[test]
    fn choices_within_choices_are_paid_for_and_bounded() {
        let searched = |count: usize| {
            let only = || Bits::collect(2, [0]);
            let avoid: Vec<Conjunction> =
                (0..count).map(|n| vec![(2 * n, only()), (2 * n + 1, only())]).collect();
            let borrowed: Vec<&Conjunction> = avoid.iter().collect();
            let mut budget = Budget::new();
            let found = search(vec![Bits::all(2); 2 * count], &borrowed, &mut budget, &mut |_, _| Ok(true));
            (found, budget.used())
        };
        let (found, used) = searched(100);
        assert_eq!(found, Ok(true));
        assert!(used > 100 * 2 * 100, "each choice copies what is known of each variable: {used}");
        assert_eq!(searched(MAX_CHOICES).0, Ok(true));
        assert_eq!(searched(MAX_CHOICES + 1).0, Err(Exhausted));
    }
}
