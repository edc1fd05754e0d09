//! The dashboard's host: what pages ask of the server around them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::HeaderMap,
    middleware,
    response::{IntoResponse, Response},
};
use mcpanel_control::{Error, NewArtifact, Scope};
use mcpanel_dashboard::{About, Dashboard, Host, PartHealth, Person, Refusal, Upload};
use mcpanel_domain::{Payload, artifact::Artifact, event::Numbered};
use mcpanel_guard::Tokens;
use mcpanel_store_mongo::shared::Peers;
use tokio::sync::watch;

use crate::{
    app::App,
    edge,
    error::{ApiError, Code},
    routes::resident_bytes,
    transfer, views,
};

/// What an uploaded file is for.
const ROLE: &str = "input";

/// The dashboard over an application.
pub fn over(app: &App) -> Dashboard {
    let host = Arc::new(Pages(app.clone()));
    Dashboard::new(app.control.clone(), host, app.environment.clone())
}

/// Puts pages around the problems that browsers would otherwise be shown bare.
pub fn dress(router: Router, dashboard: Dashboard) -> Router {
    router.layer(middleware::from_fn_with_state(
        dashboard,
        mcpanel_dashboard::dress,
    ))
}

struct Pages(App);

/// A row for each other instance. One that is gone stands there until somebody has looked for what it may not have told.
fn instances(peers: Peers) -> Vec<PartHealth> {
    let more = peers.all.saturating_sub(peers.told.len() as u64);
    let others = peers.told.into_iter().filter(|peer| !peer.is_me);
    let mut parts: Vec<PartHealth> = others
        .map(|peer| PartHealth {
            // Eight of its digits tell a few instances apart.
            name: format!("Instance {}", peer.name.get(..8).unwrap_or(&peer.name)),
            well: peer.shown_ms.is_some(),
            says: match peer.shown_ms {
                Some(_) => "shares the queue",
                None => "gone without a word; what it may have left is looked for",
            }
            .to_owned(),
            answered_us: None,
            heard_ms: peer.shown_ms,
        })
        .collect();
    if more > 0 {
        parts.push(PartHealth {
            name: "More instances".to_owned(),
            well: true,
            says: more.to_string(),
            answered_us: None,
            heard_ms: None,
        });
    }
    parts
}

#[async_trait]
impl Host for Pages {
    async fn identify(&self, credential: &str) -> Result<Person, Refusal> {
        let identified = self.0.authenticator.bearer(credential).await;
        let identified = identified.map_err(refusal)?;
        Ok(Person {
            principal: identified.principal,
            name: identified.name,
        })
    }

    fn tokens(&self) -> &Tokens {
        self.0.authenticator.tokens()
    }

    fn random(&self) -> u128 {
        self.0.env.random()
    }

    fn about(&self) -> About {
        About {
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.0.started_at,
            resident_bytes: resident_bytes(),
            claims_waiting: u64::from(self.0.waiting.total()),
        }
    }

    async fn parts(&self) -> Vec<PartHealth> {
        let app = &self.0;
        let Some(look) = &app.redis else {
            return Vec::new();
        };
        let health = look();
        let mut parts = vec![PartHealth {
            name: "Redis".to_owned(),
            well: health.up,
            says: match health.up {
                true => "queue, live events and limits that instances share",
                false => "away; work goes on from MongoDB, more slowly and less fairly",
            }
            .to_owned(),
            answered_us: health.up.then_some(health.latency_us),
            heard_ms: None,
        }];
        if let Some(look) = &app.peers {
            parts.extend(look().await.map(instances).unwrap_or_default());
        }
        parts
    }

    fn request_id(&self) -> Option<String> {
        edge::request_id()
    }

    fn event_json(&self, event: &Numbered) -> serde_json::Result<String> {
        serde_json::to_string(&views::event::event(event))
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    async fn store(&self, scope: &Scope, upload: Upload) -> Result<Arc<Artifact>, Refusal> {
        let app = &self.0;
        let catalog = &app.control.catalog;
        let id = catalog.new_artifact_id();
        let mut new = NewArtifact {
            id: id.clone(),
            pipeline_id: None,
            made_by: None,
            index: 0,
            name: upload.name,
            role: ROLE.to_owned(),
            media_type: upload.media_type,
            size_bytes: 0,
            sha256: String::new(),
            records: None,
            metadata: Payload::empty(),
        };
        let checked = catalog.check_artifact(scope, &new, None).await;
        checked.map_err(|error| refusal(error.into()))?;
        let _place = app.transfers.upload().await.map_err(refusal)?;
        let received = transfer::receive(&app.files, Body::from_stream(upload.bytes)).await;
        let draft = received.map_err(refusal)?;
        new.size_bytes = draft.size_bytes();
        new.sha256 = transfer::hex(&draft.sha256());
        let kept = draft.keep(&scope.namespace, &id).await;
        kept.map_err(|error| refusal(transfer::failed(error)))?;
        match catalog.create_artifact(scope, new, None).await {
            Ok(made) => Ok(made.value),
            Err(error) => {
                // After a failure of the store it may have been recorded after all; a sweep finds out.
                if matches!(error, Error::Rejected(_))
                    && let Err(error) = app.files.remove(&scope.namespace, &id).await
                {
                    tracing::warn!(artifact.id = %id, %error, "cannot remove the bytes of an artifact; a sweep will");
                }
                Err(refusal(error.into()))
            }
        }
    }

    async fn download(&self, artifact: &Artifact, headers: &HeaderMap) -> Response {
        match transfer::download(&self.0, artifact, headers).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        }
    }
}

/// What people may know of a failure.
fn refusal(error: ApiError) -> Refusal {
    let problem = error.problem();
    match error.code() {
        Code::Unauthenticated | Code::SessionSuperseded => Refusal::Credential(problem.detail),
        code if code.status().is_server_error() => {
            tracing::error!(%error, "the dashboard could not do what was asked");
            Refusal::Unavailable(format!("{}: {}", problem.title, problem.detail))
        }
        _ => Refusal::Request(problem.detail),
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_store_mongo::shared::Peer;

    use super::*;

    #[test]
    fn other_instances_have_a_row_each_and_one_that_is_gone_is_not_well() {
        let peer = |name: &str, is_me, shown_ms| Peer {
            name: name.to_owned(),
            is_me,
            shown_ms,
        };
        let parts = instances(Peers {
            told: vec![
                peer("0123456789abcdef", true, Some(10)),
                peer("fedcba9876543210", false, Some(900)),
                peer("short", false, None),
            ],
            all: 5,
        });
        let rows: Vec<(&str, bool, Option<u64>)> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.well, part.heard_ms))
            .collect();
        assert_eq!(
            rows,
            [
                ("Instance fedcba98", true, Some(900)),
                ("Instance short", false, None),
                ("More instances", true, None),
            ]
        );
        assert_eq!(parts[2].says, "2");
    }
}
