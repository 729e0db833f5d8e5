//! Finds, among texts, those that another text begins with.

/// Values under texts. All values whose text a given text begins with are found with one binary search and a walk.
#[derive(Debug)]
pub(crate) struct PrefixTree<T> {
    /// Sorted by text, each text once.
    nodes: Box<[Node<T>]>,
}

#[derive(Debug)]
struct Node<T> {
    text: Box<str>,
    /// The longest other text that this one begins with.
    parent: Option<usize>,
    values: Vec<T>,
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { nodes: Box::default() }
    }
}

impl<T> PrefixTree<T> {
    pub(crate) fn new(mut entries: Vec<(Box<str>, T)>) -> Self {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut nodes: Vec<Node<T>> = Vec::new();
        for (text, value) in entries {
            match nodes.last_mut() {
                Some(node) if node.text == text => node.values.push(value),
                _ => {
                    let before = nodes.len().checked_sub(1);
                    let parent = ancestor(&nodes, before, &text);
                    nodes.push(Node { text, parent, values: vec![value] });
                }
            }
        }
        Self { nodes: nodes.into() }
    }

    /// The values whose text the given text begins with.
    pub(crate) fn beneath<'t>(&'t self, text: &str) -> impl Iterator<Item = &'t T> + use<'t, T> {
        let last = self.nodes.partition_point(|node| *node.text <= *text).checked_sub(1);
        let nearest = ancestor(&self.nodes, last, text);
        std::iter::successors(nearest, |&index| self.nodes.get(index)?.parent)
            .filter_map(|index| self.nodes.get(index))
            .flat_map(|node| &node.values)
    }
}

/// The longest text among a node and its ancestors that the given text begins with. Where the node is the last one not
/// after the text, that is the longest of all: every prefix of the text sorts between itself and the text, and all that
/// sorts there begins with that prefix, the node too.
fn ancestor<T>(nodes: &[Node<T>], start: Option<usize>, text: &str) -> Option<usize> {
    std::iter::successors(start, |&index| nodes.get(index)?.parent)
        .find(|&index| nodes.get(index).is_some_and(|node| text.starts_with(&*node.text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_exactly_the_prefixes(texts in proptest::collection::vec("[ab]{0,5}", 0..20), text in "[abc]{0,8}") {
            let entries = texts.iter().enumerate().map(|(index, text)| (text.as_str().into(), index)).collect();
            let mut found: Vec<usize> = PrefixTree::new(entries).beneath(&text).copied().collect();
            found.sort();
            let expected: Vec<usize> = (0..texts.len()).filter(|index| text.starts_with(&texts[*index])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
