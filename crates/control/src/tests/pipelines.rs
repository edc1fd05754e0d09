//! Pipelines from end to end: single, map and reduce, with files between them.

use mcpanel_domain::{
    Payload, PipelineId, TemplateId,
    pipeline::{Changes, Mode, NewTemplate, StageStatus, Status, techdeck},
    retry::ErrorType,
    task::Status as TaskStatus,
};
use mcpanel_store::query::{Page, PipelineFilter};

use super::{
    world::{World, stage},
    *,
};
use crate::{PipelineSearch, StagesFrom};

fn in_a_row() -> Vec<mcpanel_domain::pipeline::StageDefinition> {
    vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Map, "read", &[1]),
        stage(3, Mode::Reduce, "read", &[2]),
    ]
}

#[tokio::test]
async fn a_run_goes_from_one_task_over_chunks_to_one_task_and_keeps_its_output() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let view = world.execute("p", in_a_row()).await;
    assert_eq!(view.pipeline.status, Status::Running);
    let claimed = world.claim("a", 10).await;
    assert_eq!(claimed.len(), 1);
    let parameters: serde_json::Value = claimed[0].parameters.read().unwrap();
    assert_eq!(parameters["stage_name"], "stage-1");
    assert_eq!(parameters["input_data"]["source"], "x");
    assert_eq!(parameters["parameters"]["seed"], 7);
    // Stored out of order: the tasks of the next stage follow their places.
    for index in [2, 0, 1] {
        world
            .chunk("p.s1.000000", claimed[0].proof, index)
            .await
            .unwrap();
    }
    world.complete("p.s1.000000", claimed[0].proof).await;

    let claimed = world.claim("a", 10).await;
    let inputs: Vec<String> = claimed
        .iter()
        .map(|each| {
            let parameters: serde_json::Value = each.parameters.read().unwrap();
            assert_eq!(
                (&parameters["mode"], &parameters["total"]),
                (&"map".into(), &3.into())
            );
            parameters["input_artifact_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        inputs,
        ["p.s1.000000.a1.0", "p.s1.000000.a1.1", "p.s1.000000.a1.2"]
    );
    for each in &claimed {
        world.complete(each.task.id.as_str(), each.proof).await;
    }
    assert_eq!(world.work("a", 0).await, ["p.s3.000000"]);

    let done = world.pipeline("p").await;
    assert_eq!(done.pipeline.status, Status::Completed);
    assert_eq!(done.pipeline.progress(&done.facts), 100.0);
    let output: serde_json::Value = done.pipeline.output_data.clone().unwrap().read().unwrap();
    assert_eq!(output, serde_json::json!({"stage-3": [{"done": true}]}));
}

#[tokio::test]
async fn chunks_of_a_losing_attempt_are_not_worked_on() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    let first = world.claim("a", 1).await[0].proof;
    world.chunk("p.s1.000000", first, 0).await.unwrap();
    world.chunk("p.s1.000000", first, 1).await.unwrap();
    world.fail("p.s1.000000", first, ErrorType::Network).await;
    world.pass(2_000).await;
    world.heartbeat("a", None).await;
    let second = world.claim("a", 1).await[0].proof;
    world.chunk("p.s1.000000", second, 0).await.unwrap();
    world.complete("p.s1.000000", second).await;
    let claimed = world.claim("a", 10).await;
    assert_eq!(claimed.len(), 1);
    let parameters: serde_json::Value = claimed[0].parameters.read().unwrap();
    assert_eq!(parameters["input_artifact_id"], "p.s1.000000.a2.0");
}

#[tokio::test]
async fn a_first_map_stage_works_on_what_was_uploaded() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let request = World::run("p", vec![stage(1, Mode::Map, "read", &[])]);
    let pipelines = &world.control.pipelines;
    let pipeline = PipelineId::parse("p").unwrap();
    pipelines.create(&world.scope, request, None).await.unwrap();
    for (file, role) in [("a", "input"), ("b", "input"), ("c", "picture")] {
        let mut new = World::artifact(file, role);
        new.pipeline_id = Some(pipeline.clone());
        world
            .control
            .catalog
            .create_artifact(&world.scope, new, None)
            .await
            .unwrap();
    }
    pipelines.execute(&world.scope, &pipeline).await.unwrap();
    assert_eq!(world.work("a", 0).await, ["p.s1.000000", "p.s1.000001"]);
}

#[tokio::test]
async fn stages_without_chunks_are_passed_over_however_many() {
    let world = World::new();
    let chain = (1..=60).map(|number| {
        let before: Vec<u16> = (number > 1).then(|| number - 1).into_iter().collect();
        stage(number, Mode::Map, "read", &before)
    });
    let view = world.execute("p", chain.collect()).await;
    assert_eq!(view.pipeline.status, Status::Completed);
}

#[tokio::test]
async fn a_diamond_joins_both_sides() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let stages = vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Map, "read", &[1]),
        stage(3, Mode::Single, "read", &[1]),
        stage(4, Mode::Map, "read", &[2, 3]),
    ];
    world.execute("p", stages).await;
    let done = world.work("a", 2).await;
    let fourth = done.iter().filter(|task| task.starts_with("p.s4.")).count();
    assert_eq!(
        fourth, 6,
        "two tasks on the one side and one on the other, two chunks each"
    );
    assert_eq!(world.pipeline("p").await.pipeline.status, Status::Completed);
}

#[tokio::test]
async fn a_failed_task_fails_the_run_and_cancels_what_is_left() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let both = vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Single, "write", &[]),
        stage(3, Mode::Single, "read", &[1]),
    ];
    world.execute("p", both).await;
    let proof = world.claim("a", 1).await[0].proof;
    world
        .fail("p.s1.000000", proof, ErrorType::Validation)
        .await;
    let view = world.pipeline("p").await;
    assert_eq!(view.pipeline.status, Status::Failed);
    let stages: Vec<StageStatus> = view
        .pipeline
        .stages
        .iter()
        .map(|stage| stage.status)
        .collect();
    assert_eq!(
        stages,
        [
            StageStatus::Failed,
            StageStatus::Cancelled,
            StageStatus::Pending
        ]
    );
    assert_eq!(world.status("p.s2.000000").await, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_cancelled_run_asks_its_agents_to_stop() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    world.claim("a", 1).await;
    let pipeline = PipelineId::parse("p").unwrap();
    let reason = Some("wrong file".to_owned());
    let ended = world
        .control
        .pipelines
        .cancel(&world.scope, &pipeline, reason)
        .await
        .unwrap();
    assert_eq!(
        ended.pipeline.error.as_deref(),
        Some("cancelled by `tests`: wrong file")
    );
    assert_eq!(world.heartbeat("a", None).await.cancel, [id("p.s1.000000")]);
}

#[tokio::test]
async fn progress_is_the_mean_of_the_stages() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    let proof = world.claim("a", 1).await[0].proof;
    let half = mcpanel_domain::task::Progress {
        percent: 50.0,
        ..Default::default()
    };
    let task = id("p.s1.000000");
    world
        .control
        .tasks
        .report(&world.scope, &task, proof, half)
        .await
        .unwrap();
    let view = world.pipeline("p").await;
    let percent = view.pipeline.progress(&view.facts);
    assert!((percent - 50.0 / 3.0).abs() < 0.01, "{percent}");
}

#[tokio::test]
async fn a_graph_that_cannot_run_is_refused_with_all_its_faults() {
    let world = World::new();
    let mut request = World::run(
        "p",
        vec![
            stage(1, Mode::Single, "read", &[2]),
            stage(2, Mode::Single, "read", &[1]),
        ],
    );
    let pipelines = &world.control.pipelines;
    let circle = faults(pipelines.create(&world.scope, request.clone(), None).await);
    assert_eq!(
        circle,
        [fault("/stages/0/dependencies", "dependency_cycle")]
    );
    request.name = String::new();
    request.stages = StagesFrom::Request(Vec::new());
    let found = faults(pipelines.create(&world.scope, request, None).await);
    assert_eq!(found, [fault("/stages", "empty"), fault("/name", "length")]);
    assert!(
        pipelines
            .get(&world.scope, &PipelineId::parse("p").unwrap())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_run_keeps_the_version_of_the_template_it_began_with() {
    let world = World::new();
    let pipelines = &world.control.pipelines;
    let version = |stages| NewTemplate {
        id: TemplateId::parse("mine").unwrap(),
        description: String::new(),
        stages,
    };
    let one = vec![stage(1, Mode::Single, "read", &[])];
    pipelines
        .create_template(&world.scope, version(one), None)
        .await
        .unwrap();
    let mut request = World::run("p", Vec::new());
    request.stages = StagesFrom::Template(TemplateId::parse("mine").unwrap(), None);
    pipelines
        .create(&world.scope, request.clone(), None)
        .await
        .unwrap();
    pipelines
        .create_template(&world.scope, version(in_a_row()), None)
        .await
        .unwrap();
    let first = world.pipeline("p").await.pipeline;
    assert_eq!(
        (first.template.as_ref().unwrap().1, first.stages.len()),
        (1, 1)
    );
    request.id = None;
    let second = pipelines
        .create(&world.scope, request.clone(), None)
        .await
        .unwrap();
    assert_eq!(second.value.pipeline.stages.len(), 3);
    request.stages = StagesFrom::Template(TemplateId::parse("mine").unwrap(), Some(9));
    let unknown = faults(pipelines.create(&world.scope, request, None).await);
    assert_eq!(unknown, [fault("/template", "unknown_template")]);
}

#[tokio::test]
async fn every_namespace_has_the_built_in_template_and_nobody_replaces_it() {
    let world = World::new();
    let pipelines = &world.control.pipelines;
    for scope in [&world.scope, &world.stranger()] {
        let templates = pipelines.templates(scope).await.unwrap();
        assert_eq!(templates[0].id.as_str(), techdeck::ID);
    }
    let mine = NewTemplate {
        id: TemplateId::parse(techdeck::ID).unwrap(),
        description: String::new(),
        stages: in_a_row(),
    };
    let found = faults(pipelines.create_template(&world.scope, mine, None).await);
    assert_eq!(found, [fault("/template_id", "reserved")]);
}

#[tokio::test]
async fn runs_are_listed_newest_first_by_status_and_tag_a_page_at_a_time() {
    let world = World::new();
    let pipelines = &world.control.pipelines;
    for (name, tag) in [("one", "x"), ("two", "y"), ("three", "x")] {
        let mut request = World::run(name, in_a_row());
        request.tags = vec![tag.to_owned()];
        pipelines.create(&world.scope, request, None).await.unwrap();
        world.skip(1);
    }
    let tagged = PipelineFilter {
        tag: Some("x".to_owned()),
        statuses: vec![Status::Created],
        ..PipelineFilter::default()
    };
    let mut page = Page::first(1);
    let first = pipelines.list(&world.scope, &tagged, &page).await.unwrap();
    page.after = first.next;
    let second = pipelines.list(&world.scope, &tagged, &page).await.unwrap();
    let ids = [&first.items[0], &second.items[0]].map(|view| view.pipeline.id.to_string());
    assert_eq!(ids, ["three", "one"]);
    assert!(second.next.is_none());
}

#[tokio::test]
async fn a_text_finds_pipelines_by_whatever_they_say_a_page_at_a_time() {
    let world = World::new();
    let pipelines = &world.control.pipelines;
    for n in 0..600 {
        let mut request = World::run(&format!("p{n:03}"), in_a_row());
        if n % 200 == 0 {
            request.description = "Évaluation of the ward".to_owned();
        }
        if n == 7 {
            request.input_data = Payload::parse(r#"{"file":"ward-7.csv"}"#).unwrap();
        }
        pipelines.create(&world.scope, request, None).await.unwrap();
        world.skip(1);
    }
    let search = |text: &str| PipelineSearch {
        text: Some(text.to_owned()),
        ..PipelineSearch::default()
    };
    let found = async |text: &str| {
        let mut page = Page::first(2);
        let mut ids = Vec::new();
        loop {
            let search = search(text);
            let listing = pipelines.search(&world.scope, &search, &page).await;
            let listing = listing.unwrap();
            assert!(listing.items.len() <= 2);
            ids.extend(
                listing
                    .items
                    .iter()
                    .map(|view| view.pipeline.id.to_string()),
            );
            match listing.next {
                Some(next) => page.after = Some(next),
                None => return ids,
            }
        }
    };
    assert_eq!(found("éVALUATION").await, ["p400", "p200", "p000"]);
    assert_eq!(found("WARD").await, ["p400", "p200", "p007", "p000"]);
    assert_eq!(found("p59").await.len(), 10);
    assert!(found("nobody").await.is_empty());
}

#[tokio::test]
async fn an_update_changes_the_description_and_is_guarded() {
    let world = World::new();
    let pipelines = &world.control.pipelines;
    pipelines
        .create(&world.scope, World::run("p", in_a_row()), None)
        .await
        .unwrap();
    let pipeline = PipelineId::parse("p").unwrap();
    let changes = |name: &str| Changes {
        name: Some(name.to_owned()),
        ..Changes::default()
    };
    let updated = pipelines
        .update(&world.scope, &pipeline, changes("new"), Some(1))
        .await;
    assert_eq!(updated.unwrap().pipeline.name, "new");
    let late = pipelines
        .update(&world.scope, &pipeline, changes("newer"), Some(1))
        .await;
    assert!(matches!(refused(late), Rejection::RevisionMismatch { .. }));
    let wrong = pipelines
        .update(&world.scope, &pipeline, changes(""), None)
        .await;
    assert_eq!(faults(wrong), [fault("/name", "length")]);
}
