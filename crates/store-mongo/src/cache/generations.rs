//! A bounded map that forgets what was not asked for lately.

use std::{borrow::Borrow, hash::Hash};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Two generations: when the young one is full, it becomes the old one, and the old one is forgotten. What is asked for
/// becomes young again. It holds between half of its bound and all of it, without a list to keep in order.
pub(super) struct Generations<K, V> {
    half: usize,
    maps: Mutex<Maps<K, V>>,
}

struct Maps<K, V> {
    young: FxHashMap<K, V>,
    old: FxHashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Generations<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            half: (most / 2).max(1),
            maps: Mutex::new(Maps {
                young: FxHashMap::default(),
                old: FxHashMap::default(),
            }),
        }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut maps = self.maps.lock();
        if let Some(value) = maps.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = maps.old.remove_entry(key)?;
        self.insert(&mut maps, key, value.clone());
        Some(value)
    }

    pub(super) fn put(&self, key: K, value: V) {
        let mut maps = self.maps.lock();
        maps.old.remove(&key);
        self.insert(&mut maps, key, value);
    }

    pub(super) fn remove(&self, key: &K) {
        let mut maps = self.maps.lock();
        maps.young.remove(key);
        maps.old.remove(key);
    }

    fn insert(&self, maps: &mut Maps<K, V>, key: K, value: V) {
        if maps.young.len() >= self.half && !maps.young.contains_key(&key) {
            maps.old = std::mem::take(&mut maps.young);
        }
        maps.young.insert(key, value);
    }
}
