//! Agents in good times: they are heard in time, and finish what they are given.

use std::{cell::RefCell, rc::Rc};

use mcpanel_domain::{SessionId, agent::Health};

use super::{
    agent::{Nature, claim, say},
    deed::{Deed, Hands, InHand, perform},
};
use crate::world::World;

/// Tries of one deed before the agent looks around again.
const TRIES: usize = 3;

/// A heartbeat, a claim, and all work in hand.
pub async fn round(
    world: &World,
    nature: &Nature,
    session: &SessionId,
    hands: &Rc<RefCell<Hands>>,
) {
    let holds = hands
        .borrow()
        .held
        .iter()
        .map(|held| held.id.clone())
        .collect();
    say(
        world,
        nature,
        session,
        Some(holds),
        Some(Health::Well),
        hands,
    )
    .await;
    claim(world, nature, session, hands).await;
    let held = hands.borrow().held.clone();
    for work in held {
        finish(world, nature, hands, work).await;
    }
    let pause = world.draw(|random| random.within(500..=4_000));
    world.sleep(pause).await;
}

async fn finish(world: &World, nature: &Nature, hands: &Rc<RefCell<Hands>>, work: InHand) {
    if work.asked_to_stop {
        insist(world, nature, hands, work, Deed::ConfirmCancel).await;
        return;
    }
    if !insist(world, nature, hands, work.clone(), Deed::Start).await {
        return;
    }
    if work.is_poison() {
        insist(world, nature, hands, work, Deed::Fail).await;
        return;
    }
    let mut work = work;
    while work.stored < work.chunks {
        if !insist(world, nature, hands, work.clone(), Deed::Store).await {
            return;
        }
        work.stored += 1;
    }
    work.percent = 90.0;
    if insist(world, nature, hands, work.clone(), Deed::Report).await {
        insist(world, nature, hands, work, Deed::Complete).await;
    }
}

/// Repeats a deed until it is answered; false when that took too long.
async fn insist(
    world: &World,
    nature: &Nature,
    hands: &Rc<RefCell<Hands>>,
    work: InHand,
    deed: Deed,
) -> bool {
    for _ in 0..TRIES {
        if perform(world, &nature.id, hands, work.clone(), deed).await {
            return true;
        }
    }
    false
}
