//! Lists of pipelines.

use std::sync::Arc;

use mcpanel_domain::{TemplateId, pipeline::Status as PipelineStatus};

use super::{Backend, World, pages::all_pages};
use crate::{
    Commit, Write,
    query::{Page, PipelineFilter},
};

/// The ids on all pages.
async fn walk<B: Backend>(world: &World<B>, filter: &PipelineFilter) -> Vec<String> {
    let list = async |page: Page| {
        let listing = world.list_pipelines(&world.ns, filter, &page).await;
        listing.unwrap()
    };
    let seen = all_pages(2, list).await;
    seen.iter().map(|each| each.id.to_string()).collect()
}

/// Pipelines by status and tag, newest first.
pub async fn listed_by_status_and_tag<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..9 {
        let mut pipeline = world.new_pipeline(&format!("pipe_{n}"));
        if n % 3 == 0 {
            pipeline.tags = vec!["weekly".to_owned(), "red".to_owned()];
        }
        let create = Commit::of(Write::Pipeline(Arc::new(pipeline.clone())));
        world.commit(create).await.unwrap();
        if n % 2 == 0 {
            pipeline.revision += 1;
            pipeline.status = PipelineStatus::Failed;
            let change = Commit::of(Write::Pipeline(Arc::new(pipeline)));
            world.commit(change).await.unwrap();
        }
    }
    let listed = async |world: &World<B>, statuses: &[PipelineStatus], tag: Option<&str>| {
        let filter = PipelineFilter {
            statuses: statuses.to_vec(),
            tag: tag.map(str::to_owned),
            ..PipelineFilter::default()
        };
        walk(world, &filter).await
    };
    let mut world = world;
    for _ in 0..2 {
        assert_eq!(listed(&world, &[], None).await.len(), 9);
        assert_eq!(
            listed(&world, &[PipelineStatus::Failed], Some("weekly")).await,
            ["pipe_6", "pipe_0"]
        );
        assert_eq!(
            listed(&world, &[PipelineStatus::Created], None).await,
            ["pipe_7", "pipe_5", "pipe_3", "pipe_1"]
        );
        world = world.restart().await;
    }
}

/// Pipelines by the template they were made from, and by when.
pub async fn listed_by_template_and_time<B: Backend>() {
    let world = World::<B>::open().await;
    let mut times = Vec::new();
    for n in 0..8_u32 {
        let mut pipeline = world.new_pipeline(&format!("pipe_{n}"));
        let name = ["mine", "yours"][n as usize % 2];
        pipeline.template = (n > 1).then(|| (TemplateId::parse(name).unwrap(), n));
        let create = Commit::of(Write::Pipeline(Arc::new(pipeline)));
        world.commit(create).await.unwrap();
        times.push(world.clock.now());
        world.clock.advance(10);
    }
    let mine = PipelineFilter {
        template: TemplateId::parse("mine").ok(),
        ..PipelineFilter::default()
    };
    let bounded = PipelineFilter {
        created_from: Some(times[2]),
        created_before: Some(times[6]),
        ..PipelineFilter::default()
    };
    let both = PipelineFilter {
        created_before: bounded.created_before,
        ..mine.clone()
    };
    let mut world = world;
    for _ in 0..2 {
        for (filter, expected) in [
            (&mine, vec!["pipe_6", "pipe_4", "pipe_2"]),
            (&bounded, vec!["pipe_5", "pipe_4", "pipe_3", "pipe_2"]),
            (&both, vec!["pipe_4", "pipe_2"]),
        ] {
            assert_eq!(walk(&world, filter).await, expected, "{filter:?}");
        }
        world = world.restart().await;
    }
}
