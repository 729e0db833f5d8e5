//! Finds, among texts, those that another text begins with.

/// Values under texts. All values whose text a given text begins with are found in one walk along that text, whatever
/// else the tree holds: a radix tree over bytes.
#[derive(Debug)]
pub(crate) struct PrefixTree<T> {
    /// The first is the root, whose label is empty.
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    /// What leads here from the parent.
    label: Box<[u8]>,
    values: Vec<T>,
    /// By the first byte of their labels, sorted.
    children: Vec<(u8, usize)>,
}

impl<T> Node<T> {
    fn new(label: &[u8]) -> Self {
        Self { label: label.into(), values: Vec::new(), children: Vec::new() }
    }

    fn child(&self, byte: u8) -> Option<usize> {
        let place = self.children.binary_search_by_key(&byte, |(byte, _)| *byte).ok()?;
        self.children.get(place).map(|(_, child)| *child)
    }
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::new(b"")] }
    }
}

impl<T> PrefixTree<T> {
    pub(crate) fn new(entries: impl IntoIterator<Item = (Box<str>, T)>) -> Self {
        let mut tree = Self::default();
        for (text, value) in entries {
            let place = tree.place(text.as_bytes());
            if let Some(node) = tree.nodes.get_mut(place) {
                node.values.push(value);
            }
        }
        tree
    }

    /// The node of a text, made where there is none.
    fn place(&mut self, text: &[u8]) -> usize {
        let (mut at, mut rest) = (0, text);
        while let Some(&byte) = rest.first() {
            let Some(child) = self.nodes.get(at).and_then(|node| node.child(byte)) else {
                return self.add(at, rest);
            };
            let label = self.nodes.get(child).map_or(&[][..], |node| &node.label);
            let shared = label.iter().zip(rest).take_while(|(one, other)| one == other).count();
            if shared < label.len() {
                self.split(child, shared);
            }
            at = child;
            rest = rest.get(shared..).unwrap_or_default();
        }
        at
    }

    /// Adds a child with this label, which no other child begins like.
    fn add(&mut self, parent: usize, label: &[u8]) -> usize {
        let new = self.nodes.len();
        self.nodes.push(Node::new(label));
        if let (Some(parent), Some(&byte)) = (self.nodes.get_mut(parent), label.first()) {
            let place = parent.children.partition_point(|(other, _)| *other < byte);
            parent.children.insert(place, (byte, new));
        }
        new
    }

    /// Cuts a node's label in two: the node keeps the first part, and what it held moves to a child with the second.
    fn split(&mut self, node: usize, at: usize) {
        let below = self.nodes.len();
        let Some(upper) = self.nodes.get_mut(node) else { return };
        let (first, second) = upper.label.split_at_checked(at).unwrap_or_default();
        let mut lower = Node::new(second);
        upper.label = first.into();
        lower.values = std::mem::take(&mut upper.values);
        lower.children = std::mem::take(&mut upper.children);
        upper.children.extend(lower.label.first().map(|byte| (*byte, below)));
        self.nodes.push(lower);
    }

    /// The values whose text the given text begins with, the shorter texts first.
    pub(crate) fn beneath<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = &'t T> {
        let root = self.nodes.first().map(|root| (root, text));
        let path = std::iter::successors(root, |(node, rest)| {
            let child = self.nodes.get(node.child(*rest.first()?)?)?;
            Some((child, rest.strip_prefix(&*child.label)?))
        });
        path.flat_map(|(node, _)| &node.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn finds_exactly_the_prefixes(texts in proptest::collection::vec("[abé]{0,5}", 0..20), text in "[abcé]{0,8}") {
            let entries = texts.iter().enumerate().map(|(index, text)| (text.as_str().into(), index));
            let tree = PrefixTree::new(entries);
            let mut found: Vec<usize> = tree.beneath(text.as_bytes()).copied().collect();
            found.sort();
            let expected: Vec<usize> = (0..texts.len()).filter(|index| text.starts_with(&texts[*index])).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn texts_that_nest_deeply_need_no_stack() {
        let entries = (0..2000).map(|length| ("a".repeat(length).into(), length));
        assert_eq!(PrefixTree::new(entries).beneath("a".repeat(5000).as_bytes()).count(), 2000);
    }
}
