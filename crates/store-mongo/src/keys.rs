//! The names of keys in Redis; what each holds stands in `docs/redis.md`.

use mcpanel_domain::{AgentId, Name, Namespace, PipelineId};

/// Makes the names of keys. The default namespace has the specification's names as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    /// Names that begin with this, so that several installations can share a server.
    pub(crate) fn with_prefix(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// What all keys of a namespace's queue begin with. The tag in braces puts them in one slot of
    /// a cluster.
    pub(crate) fn queue(&self, namespace: &Namespace) -> String {
        format!("{}{{q:{namespace}}}", self.prefix)
    }

    /// The set of namespaces that have a queue.
    pub(crate) fn namespaces(&self) -> String {
        format!("{}namespaces", self.prefix)
    }

    /// Which database everything here was derived from.
    pub(crate) fn origin(&self) -> String {
        format!("{}origin", self.prefix)
    }

    /// The set of instances. One slot holds it and the signs of life of all of them.
    pub(crate) fn instances(&self) -> String {
        format!("{}{{instances}}", self.prefix)
    }

    /// The sign of life of an instance.
    pub(crate) fn instance(&self, who: &str) -> String {
        format!("{}{{instances}}|{who}", self.prefix)
    }

    /// The channel on which instances tell each other of new work.
    pub(crate) fn wakes(&self) -> String {
        format!("{}wakes", self.prefix)
    }

    /// The stream of events.
    pub(crate) fn events(&self) -> String {
        format!("{}events", self.prefix)
    }

    /// A bucket of the shared rate limit.
    pub(crate) fn rate(&self, bucket: &str) -> String {
        format!("{}rate:{bucket}", self.prefix)
    }

    /// A cached document.
    pub(crate) fn cached(&self, what: &str) -> String {
        format!("{}cache:{what}", self.prefix)
    }

    pub(crate) fn agents_active(&self, namespace: &Namespace) -> String {
        self.of(namespace, "agents:active")
    }

    pub(crate) fn agents_with(&self, namespace: &Namespace, capability: &Name) -> String {
        self.of(namespace, &format!("agents:capabilities:{capability}"))
    }

    pub(crate) fn agent_status(&self, namespace: &Namespace, id: &AgentId) -> String {
        self.of(namespace, &format!("agents:status:{id}"))
    }

    pub(crate) fn tasks_in(&self, namespace: &Namespace, word: &str) -> String {
        self.of(namespace, &format!("tasks:{word}"))
    }

    pub(crate) fn tasks_of(&self, namespace: &Namespace, agent: &AgentId) -> String {
        self.of(namespace, &format!("tasks:assigned:{agent}"))
    }

    pub(crate) fn pipeline_progress(&self, namespace: &Namespace, id: &PipelineId) -> String {
        self.of(namespace, &format!("pipeline:{id}:progress"))
    }

    pub(crate) fn stage_status(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
        stage: u16,
    ) -> String {
        self.of(namespace, &format!("pipeline:{id}:stage:{stage}:status"))
    }

    fn of(&self, namespace: &Namespace, rest: &str) -> String {
        if *namespace == Namespace::default_namespace() {
            format!("{}{rest}", self.prefix)
        } else {
            format!("{}ns:{namespace}:{rest}", self.prefix)
        }
    }
}
