//! The copy itself: what the target lacks, oldest first, in commits of a moderate size.

use mcpanel_domain::Namespace;
use mcpanel_store::{Commit, Write};

use crate::{
    Census, End, Error, Kind, Progress, bytes, events,
    portion::COMMIT_WRITES,
    walk::{self, Artifacts, Operations, Pages, Pipelines, page},
};

/// Copies what the target lacks. `progress` hears of everything that is there, also of what was there before.
pub async fn copy(
    from: &End,
    to: &End,
    census: &Census,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let copy = Copy { from, to, progress };
    for namespace in &census.namespaces {
        copy.templates(namespace).await?;
        copy.keys(namespace).await?;
        copy.agents(namespace).await?;
        copy.pipelines(namespace).await?;
        copy.tasks(namespace).await?;
        copy.artifacts(namespace).await?;
        copy.operations(namespace).await?;
        copy.samples(namespace).await?;
        copy.idempotency(namespace).await?;
    }
    events::copy(&*from.store, &*to.store, census, progress).await
}

/// A copy under way.
pub(crate) struct Copy<'a> {
    pub(crate) from: &'a End,
    pub(crate) to: &'a End,
    pub(crate) progress: Progress<'a>,
}

/// How a document of the target stands to that of the source.
pub(crate) enum There {
    Missing,
    Same,
}

impl Copy<'_> {
    /// Compares revisions: a document with the revision of the source's came from it.
    pub(crate) fn compare(
        kind: Kind,
        id: &str,
        wanted: u64,
        found: Option<u64>,
    ) -> Result<There, Error> {
        match found {
            None => Ok(There::Missing),
            Some(revision) if revision == wanted => Ok(There::Same),
            Some(_) => Err(Error::Different {
                kind,
                id: id.to_owned(),
            }),
        }
    }

    /// Makes one commit, unless there is nothing to write.
    pub(crate) async fn write(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        let commit = Commit {
            writes,
            import: true,
            ..Commit::default()
        };
        let receipt = self.to.store.commit(commit).await;
        receipt.map(drop).map_err(Error::target)
    }

    async fn templates(&self, namespace: &Namespace) -> Result<(), Error> {
        let all = walk::templates(&*self.from.store, namespace).await;
        for template in all.map_err(Error::source)? {
            let version = Some(template.version);
            let there = self
                .to
                .store
                .template(namespace, &template.id, version)
                .await;
            if there.map_err(Error::target)?.is_none() {
                self.write(vec![Write::Template(template)]).await?;
            }
            (self.progress)(Kind::Template, 1);
        }
        Ok(())
    }

    async fn keys(&self, namespace: &Namespace) -> Result<(), Error> {
        let mut all = self
            .from
            .store
            .keys(namespace)
            .await
            .map_err(Error::source)?;
        all.reverse();
        for key in all {
            let there = self
                .to
                .store
                .key(namespace, &key.id)
                .await
                .map_err(Error::target)?;
            let found = there.map(|key| key.revision);
            if let There::Missing = Self::compare(Kind::Key, key.id.as_str(), key.revision, found)?
            {
                self.write(vec![Write::Key(key)]).await?;
            }
            (self.progress)(Kind::Key, 1);
        }
        Ok(())
    }

    async fn agents(&self, namespace: &Namespace) -> Result<(), Error> {
        for agent in self
            .from
            .store
            .agents(namespace)
            .await
            .map_err(Error::source)?
        {
            let there = self.to.store.agent(namespace, &agent.id).await;
            let found = there.map_err(Error::target)?.map(|agent| agent.revision);
            let id = agent.id.as_str();
            if let There::Missing = Self::compare(Kind::Agent, id, agent.revision, found)? {
                self.write(vec![Write::Agent(agent)]).await?;
            }
            (self.progress)(Kind::Agent, 1);
        }
        Ok(())
    }

    /// The pages of a list from the last to the first, each from its oldest to its newest.
    pub(crate) async fn oldest_first<P: Pages>(
        &self,
        pages: &P,
        namespace: &Namespace,
    ) -> Result<Vec<Option<mcpanel_store::query::Position>>, Error> {
        let found = walk::beginnings(pages, &*self.from.store, namespace).await;
        let mut beginnings = found.map_err(Error::source)?;
        beginnings.reverse();
        Ok(beginnings)
    }

    /// One of those pages, from its oldest to its newest.
    pub(crate) async fn page<P: Pages>(
        &self,
        pages: &P,
        namespace: &Namespace,
        after: Option<mcpanel_store::query::Position>,
    ) -> Result<Vec<P::Item>, Error> {
        let listing = pages.page(&*self.from.store, namespace, &page(after)).await;
        let mut items = listing.map_err(Error::source)?.items;
        items.reverse();
        Ok(items)
    }

    async fn pipelines(&self, namespace: &Namespace) -> Result<(), Error> {
        for after in self.oldest_first(&Pipelines, namespace).await? {
            for pipeline in self.page(&Pipelines, namespace, after).await? {
                let there = self.to.store.pipeline(namespace, &pipeline.id).await;
                let found = there.map_err(Error::target)?.map(|there| there.revision);
                let id = pipeline.id.as_str();
                if let There::Missing = Self::compare(Kind::Pipeline, id, pipeline.revision, found)?
                {
                    self.write(vec![Write::Pipeline(pipeline)]).await?;
                }
                (self.progress)(Kind::Pipeline, 1);
            }
        }
        Ok(())
    }

    async fn operations(&self, namespace: &Namespace) -> Result<(), Error> {
        for after in self.oldest_first(&Operations, namespace).await? {
            for operation in self.page(&Operations, namespace, after).await? {
                let there = self.to.store.operation(namespace, &operation.id).await;
                let found = there.map_err(Error::target)?.map(|there| there.revision);
                let id = operation.id.as_str();
                if let There::Missing =
                    Self::compare(Kind::Operation, id, operation.revision, found)?
                {
                    self.write(vec![Write::Operation(operation)]).await?;
                }
                (self.progress)(Kind::Operation, 1);
            }
        }
        Ok(())
    }

    /// What is known about artifacts, each after its bytes.
    async fn artifacts(&self, namespace: &Namespace) -> Result<(), Error> {
        for after in self.oldest_first(&Artifacts, namespace).await? {
            for artifact in self.page(&Artifacts, namespace, after).await? {
                bytes::copy(self.from, self.to, &artifact).await?;
                (self.progress)(Kind::Bytes, 1);
                let there = self.to.store.artifact(namespace, &artifact.id).await;
                let found = there.map_err(Error::target)?.map(|there| there.revision);
                let id = artifact.id.as_str();
                if let There::Missing = Self::compare(Kind::Artifact, id, artifact.revision, found)?
                {
                    self.write(vec![Write::Artifact(artifact)]).await?;
                }
                (self.progress)(Kind::Artifact, 1);
            }
        }
        Ok(())
    }

    async fn samples(&self, namespace: &Namespace) -> Result<(), Error> {
        let (from, to) = walk::always();
        let all = self.from.store.samples(namespace, from, to).await;
        let there = self.to.store.samples(namespace, from, to).await;
        let there: Vec<_> = there
            .map_err(Error::target)?
            .iter()
            .map(|sample| sample.minute)
            .collect();
        let all = all.map_err(Error::source)?;
        for some in all.chunks(COMMIT_WRITES) {
            let missing = some
                .iter()
                .filter(|sample| there.binary_search(&sample.minute).is_err());
            self.write(missing.cloned().map(Write::Sample).collect())
                .await?;
            (self.progress)(Kind::Sample, some.len() as u64);
        }
        Ok(())
    }

    async fn idempotency(&self, namespace: &Namespace) -> Result<(), Error> {
        let all = walk::idempotency(&*self.from.store, namespace).await;
        for record in all.map_err(Error::source)? {
            let there = self.to.store.idempotency(namespace, &record.key).await;
            if there.map_err(Error::target)?.is_none() {
                self.write(vec![Write::Idempotency(record)]).await?;
            }
            (self.progress)(Kind::Idempotency, 1);
        }
        Ok(())
    }
}
