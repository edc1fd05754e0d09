//! What a store holds: how many of each kind, and a digest of them.

use std::collections::BTreeMap;

use mcpanel_domain::Namespace;
use mcpanel_store::{Portable, query::EventFilter};

use crate::{
    Digest, End, Error, Kind, Progress,
    digest::bytes_of,
    events::Merged,
    walk::{self, Artifacts, Operations, Pages, Pipelines, Tasks, page},
};

/// How many there are, and their digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Of all of them.
    pub digest: Digest,
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    tallies: BTreeMap<Kind, Tally>,
    /// In which namespaces.
    pub namespaces: Vec<Namespace>,
    /// The number from which on events are there without a gap.
    pub events_from: u64,
    /// The newest number.
    pub newest_event: u64,
}

impl Tally {
    fn add<const N: usize>(&mut self, parts: [&[u8]; N]) {
        self.count += 1;
        self.digest.add(parts);
    }
}

impl Census {
    /// Counts everything. Reads all of it; `progress` hears of each page.
    pub async fn take(of: &End, progress: Progress<'_>) -> Result<Self, mcpanel_store::Error> {
        let store = &*of.store;
        let mut census = Self {
            namespaces: store.all_namespaces().await?,
            ..Self::default()
        };
        for namespace in census.namespaces.clone() {
            census.count_small(store, &namespace, progress).await?;
            census
                .count_pages(&Pipelines, Kind::Pipeline, store, &namespace, progress)
                .await?;
            census
                .count_pages(&Artifacts, Kind::Artifact, store, &namespace, progress)
                .await?;
            census
                .count_pages(&Operations, Kind::Operation, store, &namespace, progress)
                .await?;
            census.count_tasks(store, &namespace, progress).await?;
        }
        // Their digests are among what is known about artifacts, and are compared as they are copied.
        census.count_bytes(of, progress).await?;
        census.count_events(store, progress).await?;
        Ok(census)
    }

    /// How many of a kind there are, and their digest.
    pub fn of(&self, kind: Kind) -> Tally {
        self.tallies.get(&kind).copied().unwrap_or_default()
    }

    /// How many things there are.
    pub fn total(&self) -> u64 {
        self.tallies.values().map(|tally| tally.count).sum()
    }

    /// The kinds that differ from another census.
    pub fn differences(&self, other: &Self) -> Vec<Kind> {
        let differs = |kind: &Kind| self.of(*kind) != other.of(*kind);
        Kind::ALL.into_iter().filter(differs).collect()
    }

    fn tally(&mut self, kind: Kind) -> &mut Tally {
        self.tallies.entry(kind).or_default()
    }

    async fn count_small(
        &mut self,
        store: &dyn Portable,
        namespace: &Namespace,
        progress: Progress<'_>,
    ) -> Result<(), mcpanel_store::Error> {
        for template in walk::templates(store, namespace).await? {
            self.tally(Kind::Template).add([&bytes_of(&*template)]);
            progress(Kind::Template, 1);
        }
        for key in store.keys(namespace).await? {
            self.tally(Kind::Key).add([&bytes_of(&*key)]);
            progress(Kind::Key, 1);
        }
        for agent in store.agents(namespace).await? {
            self.tally(Kind::Agent).add([&bytes_of(&*agent)]);
            progress(Kind::Agent, 1);
        }
        let (from, to) = walk::always();
        for sample in store.samples(namespace, from, to).await? {
            self.tally(Kind::Sample).add([&bytes_of(&*sample)]);
            progress(Kind::Sample, 1);
        }
        for record in walk::idempotency(store, namespace).await? {
            self.tally(Kind::Idempotency).add([
                record.namespace.as_str().as_bytes(),
                record.key.as_bytes(),
                &record.fingerprint,
                record.outcome.as_str().as_bytes(),
                &record.created_at.as_ms().to_le_bytes(),
                &record.expires_at.as_ms().to_le_bytes(),
            ]);
            progress(Kind::Idempotency, 1);
        }
        Ok(())
    }

    async fn count_pages<P>(
        &mut self,
        pages: &P,
        kind: Kind,
        store: &dyn Portable,
        namespace: &Namespace,
        progress: Progress<'_>,
    ) -> Result<(), mcpanel_store::Error>
    where
        P: Pages,
        P::Item: serde::Serialize,
    {
        let mut after = None;
        loop {
            let listing = pages.page(store, namespace, &page(after)).await?;
            for item in &listing.items {
                self.tally(kind).add([&bytes_of(item)]);
            }
            progress(kind, listing.items.len() as u64);
            after = listing.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn count_tasks(
        &mut self,
        store: &dyn Portable,
        namespace: &Namespace,
        progress: Progress<'_>,
    ) -> Result<(), mcpanel_store::Error> {
        let mut after = None;
        loop {
            let listing = Tasks.page(store, namespace, &page(after)).await?;
            let count = listing.items.len() as u64;
            for some in listing.items.chunks(walk::PAYLOADS) {
                for whole in walk::whole(store, namespace, some).await? {
                    self.count_task(&whole);
                }
            }
            progress(Kind::Task, count);
            after = listing.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn count_task(&mut self, whole: &walk::Whole) {
        let result = whole.result.as_ref().map_or("", |result| result.as_str());
        self.tally(Kind::Task).add([
            &bytes_of(&*whole.task),
            whole.parameters.as_str().as_bytes(),
            &[u8::from(whole.result.is_some())],
            result.as_bytes(),
            &bytes_of(&whole.lines),
        ]);
    }

    async fn count_bytes(
        &mut self,
        of: &End,
        progress: Progress<'_>,
    ) -> Result<(), mcpanel_store::Error> {
        for namespace in self.namespaces.clone() {
            let mut after = None;
            loop {
                let listing = Artifacts.page(&*of.store, &namespace, &page(after)).await?;
                for artifact in &listing.items {
                    // Bytes that are missing, or of another length, count as none: the comparison shows it.
                    let opened = of.files.open(&namespace, &artifact.id).await;
                    if opened.is_ok_and(|bytes| bytes.size_bytes() == artifact.size_bytes) {
                        let id = artifact.id.as_str().as_bytes();
                        let namespace = namespace.as_str().as_bytes();
                        self.tally(Kind::Bytes).add([
                            namespace,
                            id,
                            &artifact.size_bytes.to_le_bytes(),
                        ]);
                    }
                    progress(Kind::Bytes, 1);
                }
                after = listing.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn count_events(
        &mut self,
        store: &dyn Portable,
        progress: Progress<'_>,
    ) -> Result<(), mcpanel_store::Error> {
        let mut merged = Merged::new(store, self.namespaces.clone(), 0);
        let mut expected = None;
        while let Some(events) = merged.next().await? {
            for event in &events {
                // What lies before a gap cannot keep its number, so it counts as forgotten.
                if expected != Some(event.seq) {
                    self.events_from = event.seq;
                    *self.tally(Kind::Event) = Tally::default();
                }
                expected = Some(event.seq + 1);
                self.tally(Kind::Event).add([&bytes_of(&**event)]);
            }
            progress(Kind::Event, events.len() as u64);
        }
        self.newest_event = merged.newest();
        Ok(())
    }
}

/// The newest number of an event.
pub(crate) async fn newest_event(store: &dyn Portable) -> Result<u64, Error> {
    let looked = store
        .events(
            &Namespace::default_namespace(),
            &EventFilter::default(),
            u64::MAX,
            1,
        )
        .await;
    Ok(looked.map_err(Error::source)?.last)
}
