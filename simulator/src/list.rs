//! Lists of parts of one kind, with an identifier type for each kind.
//!
//! A part refers to another one by its identifier: a partition to its disk, an address to its network device. An
//! identifier fits the lists of its own kind only, so that a disk cannot be looked up among network devices:
//!
//! ```
//! use simulator::list::List;
//!
//! struct Disk;
//! struct Nic;
//! let (mut disks, mut nics) = (List::new(), List::new());
//! let (disk, nic) = (disks.push(Disk), nics.push(Nic));
//! assert!(disks.get(disk).is_some() && nics.get(nic).is_some());
//! ```
//!
//! ```compile_fail,E0308
//! use simulator::list::List;
//!
//! struct Disk;
//! struct Nic;
//! let (mut disks, mut nics) = (List::new(), List::new());
//! let (disk, nic) = (disks.push(Disk), nics.push(Nic));
//! assert!(disks.get(nic).is_some() && nics.get(nic).is_some());
//! ```
//!
//! A number is no identifier:
//!
//! ```compile_fail,E0308
//! use simulator::list::List;
//!
//! struct Disk;
//! struct Nic;
//! let (mut disks, mut nics) = (List::new(), List::new());
//! let (disk, nic) = (disks.push(Disk), nics.push(Nic));
//! assert!(disks.get(0).is_some() && nics.get(nic).is_some());
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;

/// The identifier of a part in a [`List`] of its kind.
pub struct Id<T> {
    position: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The identifier of the part at this position of the list.
    pub(crate) const fn at(position: usize) -> Self {
        Self { position, kind: PhantomData }
    }

    /// The position in the list, where it is a number of the host: the number of an array or of a cache set.
    pub(crate) const fn position(self) -> usize {
        self.position
    }
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.position)
    }
}

/// Parts of one kind, in the order in which the host has them.
#[derive(Clone, Debug)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> List<T> {
    /// An empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a part.
    pub fn push(&mut self, part: T) -> Id<T> {
        self.0.push(part);
        Id::at(self.0.len() - 1)
    }

    /// The part with this identifier. Identifiers of another list of the same kind may find another part or none.
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        self.0.get(id.position)
    }

    /// The part with this identifier, to change it.
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        self.0.get_mut(id.position)
    }

    /// The identifier of the part that is appended next.
    pub(crate) fn next_id(&self) -> Id<T> {
        Id::at(self.0.len())
    }

    /// Number of parts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no parts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts in order, for the profiles that name each.
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The parts in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The parts in order, to change them.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// The identifiers in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id<T>> + use<T> {
        (0..self.0.len()).map(Id::at)
    }

    /// The parts in order, with their identifiers.
    pub fn with_ids(&self) -> impl DoubleEndedIterator<Item = (Id<T>, &T)> {
        self.0.iter().enumerate().map(|(position, part)| (Id::at(position), part))
    }

    /// The identifier of the first part that is meant.
    pub(crate) fn find(&self, is_meant: impl FnMut(&T) -> bool) -> Option<Id<T>> {
        self.0.iter().position(is_meant).map(Id::at)
    }

    /// Removes parts, and returns the new identifiers of those that stay.
    pub(crate) fn remove(&mut self, is_gone: impl Fn(Id<T>) -> bool) -> Moved<T> {
        let mut next = 0..;
        let moved = Moved(self.ids().map(|id| if is_gone(id) { None } else { next.next().map(Id::at) }).collect());
        let mut ids = self.ids();
        self.0.retain(|_| ids.next().is_some_and(|id| moved.of(id).is_some()));
        moved
    }
}

/// The identifiers of a list after [`List::remove`].
#[derive(Debug)]
pub(crate) struct Moved<T>(Vec<Option<Id<T>>>);

impl<T> Moved<T> {
    /// The new identifier; `None` if the part was removed.
    pub(crate) fn of(&self, id: Id<T>) -> Option<Id<T>> {
        self.0.get(id.position).copied().flatten()
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(parts: Vec<T>) -> Self {
        Self(parts)
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl<T> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, parts: I) {
        self.0.extend(parts);
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_the_parts_that_stay() {
        let mut list: List<char> = "abcd".chars().collect();
        let [a, b, c, d] = [0, 1, 2, 3].map(Id::at);
        let moved = list.remove(|id| id == b);
        assert_eq!([a, b, c, d].map(|id| moved.of(id)), [Some(a), None, Some(b), Some(c)]);
        assert_eq!(moved.of(Id::at(4)), None);
        assert_eq!(list.with_ids().collect::<Vec<_>>(), [(a, &'a'), (b, &'c'), (c, &'d')]);
        assert_eq!((list.get(c), list.find(|&part| part == 'c')), (Some(&'d'), Some(b)));
    }
}
