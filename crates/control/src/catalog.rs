//! Artifacts and API keys: documents without rules of motion.

use std::sync::Arc;

use mcpanel_domain::{
    ArtifactId, Fault, KeyId, Namespace, Payload, PipelineId, Rejection, TaskId, Timestamp,
    artifact::Artifact,
    event::{Event, Kind},
    key::ApiKey,
    limits::{PAYLOAD_BYTES_MAX, TITLE_CHARS_MAX},
    task::{self, Proof, Task, command::Held},
    text::bad_title,
};
use mcpanel_store::{
    Commit, Write,
    query::{ArtifactFilter, Listing, Page},
};

use crate::{Created, Error, Idempotency, Result, Scope, core::Core, grants::Shown};

/// Artifacts and API keys.
#[derive(Clone)]
pub struct Catalog {
    core: Arc<Core>,
}

/// What is known about a file whose bytes are stored already.
#[derive(Debug, Clone)]
pub struct NewArtifact {
    /// Its id.
    pub id: ArtifactId,
    /// The pipeline it is for; follows from the task where one made it.
    pub pipeline_id: Option<PipelineId>,
    /// The task that made it, and the lease under which it did.
    pub made_by: Option<(TaskId, Proof)>,
    /// Its place among its task's artifacts.
    pub index: u32,
    /// A file name.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// IANA media type.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Records in it.
    pub records: Option<u64>,
    /// Free-form.
    pub metadata: Payload,
}

/// A new API key, without its secret.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// The first characters of its secret.
    pub hint: String,
    /// What it allows.
    pub permissions: Vec<String>,
    /// What its holder may see.
    pub namespace: Namespace,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl Catalog {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A fresh artifact id.
    pub fn new_artifact_id(&self) -> ArtifactId {
        ArtifactId::generate(self.core.now(), self.core.random())
    }

    /// Says, before bytes are taken, whether they would be: the pipeline or the lease must hold. A repeated request is
    /// let through: its lease may be over by now, and it is answered with what the first one stored.
    pub async fn check_artifact(
        &self,
        scope: &Scope,
        new: &NewArtifact,
        idempotency: Option<&Idempotency>,
    ) -> Result<()> {
        check_artifact_text(new)?;
        if Idempotency::is_known(idempotency, &self.core, scope).await? {
            return Ok(());
        }
        self.owner(scope, new).await.map(drop)
    }

    /// Records a file whose bytes are durable. When this is a repetition, the answer is the first file, and the bytes
    /// under the new id are the caller's to remove.
    pub async fn create_artifact(
        &self,
        scope: &Scope,
        new: NewArtifact,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<Arc<Artifact>>> {
        check_artifact_text(&new)?;
        for _ in Core::tries() {
            if let Some(id) =
                Idempotency::outcome::<ArtifactId>(idempotency, &self.core, scope).await?
            {
                return Ok(Created::replayed(self.artifact(scope, &id).await?));
            }
            let mut owner = self.owner(scope, &new).await?;
            let task = owner.task.take();
            let before = std::mem::take(&mut owner.events);
            let artifact = Arc::new(describe(scope, new.clone(), owner, self.core.now()));
            let event = artifact_event(&artifact, Kind::ArtifactStored, artifact.created_at);
            let mut commit = Commit::of(Write::Artifact(artifact.clone()))
                .with_events(before)
                .with_events([event]);
            if let Some(task) = task {
                commit.writes.push(Write::Task {
                    task,
                    parameters: None,
                    result: None,
                });
            }
            if let Some(request) = idempotency {
                commit
                    .writes
                    .push(request.record(&self.core, scope, &artifact.id)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(Created::new(artifact)),
                // The same request came twice at once: the other one's answer is this one's too.
                Err(error) if is_about_idempotency(&error) => {}
                // The task moved on: the lease may have ended.
                Err(error) if error.conflict().is_some_and(|with| with.what == "task") => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: new.id.to_string(),
        })
    }

    /// What is known about a file.
    pub async fn artifact(&self, scope: &Scope, id: &ArtifactId) -> Result<Arc<Artifact>> {
        self.core
            .store
            .artifact(&scope.namespace, id)
            .await?
            .ok_or_else(|| Rejection::not_found("artifact", id).into())
    }

    /// A page of artifacts, newest first.
    pub async fn artifacts(
        &self,
        scope: &Scope,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        Ok(self
            .core
            .store
            .list_artifacts(&scope.namespace, filter, page)
            .await?)
    }

    /// Forgets a file; its bytes are removed by who keeps them, after this.
    pub async fn delete_artifact(&self, scope: &Scope, id: &ArtifactId) -> Result<Arc<Artifact>> {
        let artifact = self.artifact(scope, id).await?;
        let event = artifact_event(&artifact, Kind::ArtifactDeleted, self.core.now());
        let commit = Commit::of(Write::DeleteArtifact {
            namespace: artifact.namespace.clone(),
            id: artifact.id.clone(),
            revision: artifact.revision,
        })
        .with_events([event]);
        match self.core.commit(commit.caused_by(&scope.actor)).await {
            Ok(()) => Ok(artifact),
            Err(error) if error.conflict().is_some() => {
                Err(Rejection::not_found("artifact", id).into())
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps a new API key. A repeated request finds the first one's key; its secret is gone.
    pub async fn create_key(
        &self,
        scope: &Scope,
        new: NewKey,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<Arc<ApiKey>>> {
        check_text("/name", &new.name)?;
        let now = self.core.now();
        let key = Arc::new(ApiKey {
            id: KeyId::generate(now, self.core.random()),
            namespace: new.namespace,
            revision: 1,
            name: new.name,
            sha256: new.sha256,
            hint: new.hint,
            permissions: new.permissions,
            created_at: now,
            created_by: scope.actor.to_string(),
            expires_at: new.expires_at,
            revoked_at: None,
        });
        for _ in Core::tries() {
            if let Some((namespace, id)) =
                Idempotency::outcome::<(Namespace, KeyId)>(idempotency, &self.core, scope).await?
            {
                let first = self.core.store.key(&namespace, &id).await?;
                let first = first.ok_or_else(|| Rejection::not_found("key", &id))?;
                return Ok(Created::replayed(first));
            }
            if key.expires_at.is_some_and(|end| end <= now) {
                return Err(Rejection::fault(
                    "/expires_at",
                    "in_the_past",
                    format!("has passed; it is {now}"),
                )
                .into());
            }
            let mut event = Event::new(Kind::KeyCreated, now, key.namespace.clone());
            event.subject = Some(key.id.to_string());
            let mut commit = Commit::of(Write::Key(key.clone())).with_events([event]);
            if let Some(request) = idempotency {
                let outcome = (&key.namespace, &key.id);
                commit
                    .writes
                    .push(request.record(&self.core, scope, &outcome)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(Created::new(key)),
                // The same request, at the same time: the next round finds its outcome.
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: key.id.to_string(),
        })
    }

    /// All API keys of the namespace, newest first.
    pub async fn keys(&self, scope: &Scope) -> Result<Vec<Arc<ApiKey>>> {
        Ok(self.core.store.keys(&scope.namespace).await?)
    }

    /// The API key whose secret has this hash, when it works now.
    pub async fn valid_key(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        let key = self.core.store.key_by_hash(sha256).await?;
        let now = self.core.now();
        Ok(key.filter(|key| key.is_valid_at(now)))
    }

    /// Makes an API key stop working. Doing so again is no fault.
    pub async fn revoke_key(&self, scope: &Scope, id: &KeyId) -> Result<Arc<ApiKey>> {
        for _ in Core::tries() {
            let key = self
                .core
                .store
                .key(&scope.namespace, id)
                .await?
                .ok_or_else(|| Rejection::not_found("key", id))?;
            if key.revoked_at.is_some() {
                return Ok(key);
            }
            let now = self.core.now();
            let next = Arc::new(ApiKey {
                revision: key.revision + 1,
                revoked_at: Some(now),
                ..(*key).clone()
            });
            let mut event = Event::new(Kind::KeyRevoked, now, key.namespace.clone());
            event.subject = Some(key.id.to_string());
            match self
                .core
                .commit(
                    Commit::of(Write::Key(next.clone()))
                        .with_events([event])
                        .caused_by(&scope.actor),
                )
                .await
            {
                Ok(()) => return Ok(next),
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    /// Where a new artifact belongs; refuses a lease that does not hold.
    async fn owner(&self, scope: &Scope, new: &NewArtifact) -> Result<Owner> {
        if let Some((task_id, proof)) = &new.made_by {
            let shown = Shown {
                agent: scope.agent.as_ref(),
                proof: *proof,
            };
            let (standing, alive_until) = self
                .core
                .standing(&scope.namespace, task_id, Some(shown))
                .await?;
            let task = standing.task.clone();
            let held = Held {
                proof: *proof,
                alive_until,
            };
            let decision = task::decide(&task, task::Command::Attach(held), self.core.now())?;
            let place = task.place.as_ref();
            if let Some(given) = &new.pipeline_id
                && place.is_none_or(|place| place.pipeline_id != *given)
            {
                return Err(Rejection::fault(
                    "/pipeline_id",
                    "mismatch",
                    format!(
                        "is `{given}`, which task `{task_id}` does not belong to; leave it out"
                    ),
                )
                .into());
            }
            return Ok(Owner {
                pipeline_id: place.map(|place| place.pipeline_id.clone()),
                stage: place.map(|place| place.stage),
                task: decision.task.map(Arc::new),
                events: standing.events(decision.events),
            });
        }
        if let Some(id) = &new.pipeline_id
            && self
                .core
                .store
                .pipeline(&scope.namespace, id)
                .await?
                .is_none()
        {
            return Err(Rejection::fault(
                "/pipeline_id",
                "unknown_pipeline",
                format!("names no pipeline: `{id}`"),
            )
            .into());
        }
        Ok(Owner {
            pipeline_id: new.pipeline_id.clone(),
            stage: None,
            task: None,
            events: Vec::new(),
        })
    }
}

struct Owner {
    pipeline_id: Option<PipelineId>,
    stage: Option<u16>,
    /// The task that made it, one revision on: written beside it, so that the lease still holds then.
    task: Option<Arc<Task>>,
    /// What that revision tells.
    events: Vec<Event>,
}

fn describe(scope: &Scope, new: NewArtifact, owner: Owner, now: Timestamp) -> Artifact {
    let (task_id, attempt) = match new.made_by {
        Some((task, proof)) => (Some(task), Some(proof.attempt)),
        None => (None, None),
    };
    Artifact {
        id: new.id,
        namespace: scope.namespace.clone(),
        revision: 1,
        pipeline_id: owner.pipeline_id,
        stage: owner.stage,
        task_id,
        attempt,
        index: new.index,
        name: new.name,
        role: new.role,
        media_type: new.media_type,
        size_bytes: new.size_bytes,
        sha256: new.sha256,
        records: new.records,
        metadata: new.metadata,
        created_at: now,
        created_by: scope.actor.to_string(),
    }
}

fn is_about_idempotency(error: &Error) -> bool {
    error
        .conflict()
        .is_some_and(|conflict| conflict.what == "idempotency")
}

fn check_artifact_text(new: &NewArtifact) -> Result<()> {
    check_text("/name", &new.name)?;
    check_text("/role", &new.role)?;
    check_text("/Content-Type", &new.media_type)?;
    if new.metadata.size_bytes() > PAYLOAD_BYTES_MAX {
        return Err(Error::invalid(vec![Fault::new(
            "/metadata",
            "too_large",
            format!("at most {PAYLOAD_BYTES_MAX} bytes"),
        )]));
    }
    Ok(())
}

fn artifact_event(artifact: &Artifact, kind: Kind, at: Timestamp) -> Event {
    let mut event = Event::new(kind, at, artifact.namespace.clone());
    event.pipeline_id.clone_from(&artifact.pipeline_id);
    event.task_id.clone_from(&artifact.task_id);
    event.stage = artifact.stage;
    event.subject = Some(artifact.role.clone());
    event.message = Some(artifact.id.to_string());
    event
}

fn check_text(pointer: &str, text: &str) -> Result<()> {
    match bad_title(text, TITLE_CHARS_MAX) {
        Some(why) => Err(Error::invalid(vec![Fault::new(pointer, "length", why)])),
        None => Ok(()),
    }
}
