//! The line of a queue: its waiting contacts in order of urgency, with the number of those
//! ahead of each in O(log n).

use crate::domain::urgency::{Entry, Urgency};

/// No node.
const NONE: u32 = u32::MAX;

/// An ordered set that knows the rank of each of its members: a search tree whose shape is
/// given by a hash of the member, so that no chance is needed and no order of arrival is bad.
#[derive(Clone, Debug)]
pub struct Line {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
}

#[derive(Clone, Debug)]
struct Node {
    key: Urgency,
    weight: u64,
    left: u32,
    right: u32,
    size: u32,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NONE,
        }
    }
}

impl Line {
    /// How many are in line.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.size(self.root)
    }

    /// Whether nobody is in line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root == NONE
    }

    /// Puts somebody in line. Doing it twice changes nothing.
    pub fn insert(&mut self, key: Urgency) {
        if self.contains(key) {
            return;
        }
        let node = self.take_node(key);
        let (less, more) = self.split(self.root, key);
        let left = self.merge(less, node);
        self.root = self.merge(left, more);
    }

    /// Takes somebody out of line. Whoever is not there changes nothing.
    pub fn remove(&mut self, key: Urgency) {
        if self.contains(key) {
            self.root = self.without(self.root, key);
        }
    }

    /// Whether this is in line.
    #[must_use]
    pub fn contains(&self, key: Urgency) -> bool {
        let mut at = self.root;
        while let Some(node) = self.node(at) {
            at = match key.cmp(&node.key) {
                std::cmp::Ordering::Less => node.left,
                std::cmp::Ordering::Greater => node.right,
                std::cmp::Ordering::Equal => return true,
            };
        }
        false
    }

    /// How many in line are more urgent than this, be it in line or not.
    #[must_use]
    pub fn ahead_of(&self, key: Urgency) -> u32 {
        let (mut at, mut ahead) = (self.root, 0);
        while let Some(node) = self.node(at) {
            if node.key < key {
                ahead += self.size(node.left) + 1;
                at = node.right;
            } else {
                at = node.left;
            }
        }
        ahead
    }

    /// The most urgent.
    #[must_use]
    pub fn first(&self) -> Option<Urgency> {
        self.iter().next()
    }

    /// All in line, most urgent first.
    pub fn iter(&self) -> impl Iterator<Item = Urgency> + '_ {
        let mut path = Vec::new();
        self.descend(self.root, &mut path);
        std::iter::from_fn(move || {
            let node = self.node(path.pop()?)?;
            self.descend(node.right, &mut path);
            Some(node.key)
        })
    }

    fn descend(&self, mut at: u32, path: &mut Vec<u32>) {
        while let Some(node) = self.node(at) {
            path.push(at);
            at = node.left;
        }
    }

    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }

    fn size(&self, at: u32) -> u32 {
        self.node(at).map_or(0, |node| node.size)
    }

    fn weight(&self, at: u32) -> u64 {
        self.node(at).map_or(0, |node| node.weight)
    }

    fn take_node(&mut self, key: Urgency) -> u32 {
        let node = Node {
            key,
            weight: weight(key),
            left: NONE,
            right: NONE,
            size: 1,
        };
        if let Some(at) = self.free.pop()
            && let Some(slot) = self.nodes.get_mut(at as usize)
        {
            *slot = node;
            return at;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
    }

    fn set(&mut self, at: u32, left: Option<u32>, right: Option<u32>) {
        let Some(node) = self.node(at) else { return };
        let left = left.unwrap_or(node.left);
        let right = right.unwrap_or(node.right);
        let size = self.size(left) + self.size(right) + 1;
        if let Some(node) = self.nodes.get_mut(at as usize) {
            (node.left, node.right, node.size) = (left, right, size);
        }
    }

    /// Those less than `key`, and the rest.
    fn split(&mut self, at: u32, key: Urgency) -> (u32, u32) {
        let Some(node) = self.node(at) else {
            return (NONE, NONE);
        };
        let (left, right) = (node.left, node.right);
        if node.key < key {
            let (less, more) = self.split(right, key);
            self.set(at, None, Some(less));
            (at, more)
        } else {
            let (less, more) = self.split(left, key);
            self.set(at, Some(more), None);
            (less, at)
        }
    }

    /// One tree of two, everything in `less` being less than everything in `more`.
    fn merge(&mut self, less: u32, more: u32) -> u32 {
        if less == NONE {
            return more;
        }
        if more == NONE {
            return less;
        }
        if self.weight(less) > self.weight(more) {
            let right = self.node(less).map_or(NONE, |node| node.right);
            let right = self.merge(right, more);
            self.set(less, None, Some(right));
            less
        } else {
            let left = self.node(more).map_or(NONE, |node| node.left);
            let left = self.merge(less, left);
            self.set(more, Some(left), None);
            more
        }
    }

    /// The tree without a member that is in it.
    fn without(&mut self, at: u32, key: Urgency) -> u32 {
        let Some(node) = self.node(at) else {
            return NONE;
        };
        let (left, right) = (node.left, node.right);
        match key.cmp(&node.key) {
            std::cmp::Ordering::Less => {
                let left = self.without(left, key);
                self.set(at, Some(left), None);
                at
            }
            std::cmp::Ordering::Greater => {
                let right = self.without(right, key);
                self.set(at, None, Some(right));
                at
            }
            std::cmp::Ordering::Equal => {
                self.free.push(at);
                self.merge(left, right)
            }
        }
    }
}

/// A mix of the member's id: what chance would be in a tree that may use it.
fn weight(key: Urgency) -> u64 {
    let (Entry::Contact(id) | Entry::Request(id)) = key.entry;
    let (high, low) = id.0.as_u64_pair();
    let mut mixed = high ^ low.rotate_left(32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ContactId;
    use crate::time::Instant;
    use std::collections::BTreeSet;

    fn urgency(due: u64, id: u128) -> Urgency {
        Urgency {
            tier: 5,
            due_at: Instant(due),
            entry: Entry::Contact(ContactId(uuid::Uuid::from_u128(id))),
        }
    }

    #[test]
    fn ranks_are_those_of_a_sorted_list() {
        let mut line = Line::default();
        let mut set = BTreeSet::new();
        let mut seed = 7u64;
        for step in 0..4_000u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = urgency(seed >> 40 & 63, u128::from(seed >> 50));
            if step % 3 == 0 {
                line.remove(key);
                set.remove(&key);
            } else {
                line.insert(key);
                set.insert(key);
            }
            assert_eq!(line.ahead_of(key) as usize, set.range(..key).count());
            assert_eq!(line.len() as usize, set.len());
            assert_eq!(line.first(), set.first().copied());
        }
        assert!(line.iter().eq(set.iter().copied()));
        assert!(line.nodes.len() <= 4_000 && line.free.len() < line.nodes.len());
    }

    #[test]
    fn arrivals_in_order_make_no_tall_tree() {
        let mut line = Line::default();
        for n in 0..20_000u64 {
            line.insert(urgency(n, u128::from(n) << 64 | u128::from(n)));
        }
        let mut tallest = 0;
        let mut open = vec![(line.root, 1)];
        while let Some((at, height)) = open.pop() {
            let Some(node) = line.node(at) else { continue };
            tallest = tallest.max(height);
            open.extend([(node.left, height + 1), (node.right, height + 1)]);
        }
        assert!(tallest < 60, "{tallest} levels for 20,000 members");
    }
}
