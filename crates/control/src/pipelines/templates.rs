//! Templates: stored versions, and the built-in one that every namespace has.

use std::sync::Arc;

use mcpanel_domain::{
    Rejection, TemplateId,
    pipeline::{NewTemplate, Template, create_template, techdeck},
};
use mcpanel_store::{Commit, Write};

use super::PipelineOrchestrator;
use crate::{Created, Error, Idempotency, Result, Scope, core::Core};

impl PipelineOrchestrator {
    /// Stores the next version of a template. The built-in one cannot be replaced.
    pub async fn create_template(
        &self,
        scope: &Scope,
        new: NewTemplate,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<Arc<Template>>> {
        if new.id.as_str() == techdeck::ID {
            return Err(Rejection::fault(
                "/template_id",
                "reserved",
                format!(
                    "is `{}`, which is built in; choose another id",
                    techdeck::ID
                ),
            )
            .into());
        }
        for _ in Core::tries() {
            let before =
                Idempotency::outcome::<(TemplateId, u32)>(idempotency, &self.core, scope).await?;
            if let Some((id, version)) = before {
                return Ok(Created::replayed(
                    self.template(scope, &id, Some(version)).await?,
                ));
            }
            let latest = self
                .core
                .store
                .template(&scope.namespace, &new.id, None)
                .await?;
            let (template, event) = create_template(
                new.clone(),
                latest.map_or(0, |latest| latest.version),
                &scope.namespace,
                &scope.actor,
                self.core.now(),
            )?;
            let template = Arc::new(template);
            let mut commit = Commit::of(Write::Template(template.clone())).with_events([event]);
            if let Some(request) = idempotency {
                let outcome = (&template.id, template.version);
                commit
                    .writes
                    .push(request.record(&self.core, scope, &outcome)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(Created::new(template)),
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: new.id.to_string(),
        })
    }

    /// A template, in its newest or in one version.
    pub async fn template(
        &self,
        scope: &Scope,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Arc<Template>> {
        if let Some(found) = self.find_template(scope, id, version).await? {
            return Ok(found);
        }
        // A version that is missing is another mistake than an id.
        let newest = match version {
            Some(_) => self.find_template(scope, id, None).await?,
            None => None,
        };
        Err(match (version, newest) {
            (Some(version), Some(newest)) => Rejection::NoVersion {
                id: id.to_string(),
                version,
                newest: newest.version,
            },
            _ => Rejection::not_found("template", id),
        }
        .into())
    }

    /// The newest version of every template, the built-in one first.
    pub async fn templates(&self, scope: &Scope) -> Result<Vec<Arc<Template>>> {
        let mut templates = vec![Arc::new(techdeck::template(&scope.namespace))];
        templates.extend(self.core.store.templates(&scope.namespace).await?);
        Ok(templates)
    }

    pub(super) async fn find_template(
        &self,
        scope: &Scope,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        if id.as_str() == techdeck::ID {
            let built_in = techdeck::template(&scope.namespace);
            let wanted = version.is_none_or(|version| version == built_in.version);
            return Ok(wanted.then(|| Arc::new(built_in)));
        }
        Ok(self
            .core
            .store
            .template(&scope.namespace, id, version)
            .await?)
    }
}
