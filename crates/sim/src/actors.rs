//! Who acts in a run. Everybody draws from the same source of chance.

mod agent;
mod client;
mod clockmaker;
mod deed;
mod honest;
mod operator;
mod owner;
mod wishes;

use mcpanel_domain::{AgentId, Name};

use crate::world::World;

/// What tasks may need and agents may offer.
pub const SKILLS: [&str; 3] = ["read", "weigh", "write"];

/// The agent that can do everything, so that in the calm every task finds somebody.
pub const ALL_ROUNDER: &str = "agent-0";

/// Most agents of a run.
pub const AGENTS: u64 = 3;

/// Puts everybody on the stage.
pub fn cast(world: &World, ills_ms: u64) {
    let agents = world.draw(|random| random.within(1..=AGENTS));
    for number in 0..agents {
        let skills = world.draw(|random| {
            if number == 0 {
                return SKILLS.to_vec();
            }
            let some = random.below(SKILLS.len());
            SKILLS[some..].to_vec()
        });
        let nature = agent::Nature {
            id: AgentId::parse(&format!("agent-{number}")).expect("it is an id"),
            skills: skills.into_iter().map(skill).collect(),
            slots: world.draw(|random| random.within(1..=4)) as u32,
        };
        world.spawn(agent::live(world.clone(), nature));
    }
    let clients = world.draw(|random| random.within(1..=3));
    for number in 0..clients {
        world.spawn(client::live(world.clone(), number, ills_ms));
    }
    let owners = world.draw(|random| random.within(0..=3));
    for number in 0..owners {
        world.spawn(owner::live(world.clone(), number, ills_ms));
    }
    world.spawn(operator::live(world.clone()));
    if world.servers() > 1 {
        // Two people at two servers, who do not know of each other.
        world.spawn(operator::live(world.clone()));
    }
    world.spawn(clockmaker::live(world.clone()));
}

/// A skill as the rules compare it.
fn skill(word: &str) -> Name {
    Name::parse(word).expect("skills are names")
}
