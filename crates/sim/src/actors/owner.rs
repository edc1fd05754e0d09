//! Owners of pipelines: they create one, bring its inputs, start it, watch it, and sometimes steer it.

use mcpanel_control::{Control, NewArtifact, PipelineRequest, PipelineView, Scope, StagesFrom};
use mcpanel_domain::{ArtifactId, Payload, PipelineId};

use super::wishes;
use crate::world::{Call, World};

/// Steers one pipeline; in the calm it only makes sure that it ends.
pub async fn live(world: World, number: u64, ills_ms: u64) {
    let name = format!("owner-{number}");
    let pause = world.draw(|random| random.within(0..=ills_ms / 2));
    world.sleep(pause).await;
    let Some(id) = create(&world, &name, number).await else {
        return;
    };
    bring_inputs(&world, &name, &id).await;
    steer(&world, &name, &id, Wish::Execute).await;
    while !world.is_calm() {
        let pause = world.draw(|random| {
            let most = if random.chance(30) { 10 } else { 6_000 };
            random.within(0..=most)
        });
        world.sleep(pause).await;
        if world.is_calm() {
            return;
        }
        let wish = world.draw(|random| match random.within(0..=99) {
            0..=7 => Wish::Cancel,
            8..=24 => Wish::Retry(None),
            25..=34 => Wish::Retry(Some(random.within(1..=5) as u16)),
            35..=39 => Wish::ExecuteStage(random.within(1..=5) as u16),
            40..=44 => Wish::Execute,
            _ => Wish::Look,
        });
        if world.draw(|random| random.chance(30)) {
            let (world, name, id) = (world.clone(), name.clone(), id.clone());
            world
                .clone()
                .spawn(async move { steer(&world, &name, &id, wish).await });
        } else {
            steer(&world, &name, &id, wish).await;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Execute,
    ExecuteStage(u16),
    Cancel,
    Retry(Option<u16>),
    Look,
}

impl Wish {
    fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::ExecuteStage(_) => "execute-stage",
            Self::Cancel => "cancel-pipeline",
            Self::Retry(None) => "retry-pipeline",
            Self::Retry(Some(_)) => "retry-from-stage",
            Self::Look => "get-pipeline",
        }
    }
}

/// Gives the wish to the server and compares the answer with what was shown before.
async fn steer(world: &World, name: &str, id: &PipelineId, wish: Wish) {
    let floor = world.shared().observer.lock().pipeline_floor(id);
    let call = Call {
        name: wish.name(),
        by: name,
        held: None,
    };
    let scope = world.scope(name);
    let of = id.clone();
    let answer = world
        .call(call, |control| async move {
            ask(control, scope, of, wish).await
        })
        .await;
    if let Ok(Ok(view)) = answer {
        world.shared().observer.lock().pipeline_shown(&view, &floor);
    }
}

async fn ask(
    control: Control,
    scope: Scope,
    id: PipelineId,
    wish: Wish,
) -> mcpanel_control::Result<PipelineView> {
    let pipelines = &control.pipelines;
    match wish {
        Wish::Execute => pipelines.execute(&scope, &id).await,
        Wish::ExecuteStage(stage) => pipelines.execute_stage(&scope, &id, stage).await,
        Wish::Cancel => {
            pipelines
                .cancel(&scope, &id, Some("enough".to_owned()))
                .await
        }
        Wish::Retry(from) => pipelines.retry(&scope, &id, from).await,
        Wish::Look => pipelines.get(&scope, &id).await,
    }
}

/// Asks until the pipeline is there; repeated tries meet the first one.
async fn create(world: &World, name: &str, number: u64) -> Option<PipelineId> {
    let id = PipelineId::parse(&format!("pipe-{number}")).expect("it is an id");
    let request = world.draw(|random| PipelineRequest {
        id: Some(id.clone()),
        name: format!("run {number}"),
        description: String::new(),
        stages: StagesFrom::Request(wishes::stages(random)),
        input_data: Payload::empty(),
        metadata: Payload::empty(),
        tags: Vec::new(),
        priority: 0,
    });
    while !world.is_over() {
        let call = Call {
            name: "create-pipeline",
            by: name,
            held: None,
        };
        let (scope, request) = (world.scope(name), request.clone());
        let answer = world
            .call(call, |control| async move {
                control.pipelines.create(&scope, request, None).await
            })
            .await;
        match answer {
            Ok(Ok(_) | Err(mcpanel_control::Error::Rejected(_))) => return Some(id),
            Ok(Err(_)) | Err(_) => world.sleep(500).await,
        }
    }
    None
}

/// Some uploaded files for map stages that begin with the pipeline's own inputs.
async fn bring_inputs(world: &World, name: &str, id: &PipelineId) {
    let count = world.draw(|random| random.within(0..=3));
    for index in 0..count as u32 {
        let fresh = world.draw(|random| random.bits());
        let new = NewArtifact {
            id: ArtifactId::parse(&format!("{id}.in{index}.{fresh:x}")).expect("it is an id"),
            pipeline_id: Some(id.clone()),
            made_by: None,
            index,
            name: format!("part-{index}"),
            role: "input".to_owned(),
            media_type: "text/csv".to_owned(),
            size_bytes: 1,
            sha256: "0".repeat(64),
            records: None,
            metadata: Payload::empty(),
        };
        let call = Call {
            name: "upload",
            by: name,
            held: None,
        };
        let scope = world.scope(name);
        // An upload without an answer is brought again under another id: two files, not one lost.
        let _ = world
            .call(call, |control| async move {
                control.catalog.create_artifact(&scope, new, None).await
            })
            .await;
    }
}
