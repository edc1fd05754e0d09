//! Agents in bad times: they work, fail, repeat themselves, use old leases, fall silent, crash and come
//! back under their old name.

use std::{cell::RefCell, rc::Rc};

use mcpanel_control::Claim;
use mcpanel_domain::{
    AgentId, Name, Payload, Rejection, SessionId, TaskId,
    agent::{Health, Registration},
};

use super::{
    deed::{Deed, Hands, InHand, perform},
    honest,
};
use crate::world::{Call, World};

/// What does not change about an agent.
#[derive(Debug, Clone)]
pub struct Nature {
    pub id: AgentId,
    pub skills: Vec<Name>,
    pub slots: u32,
}

/// One process after the other, under one name.
pub async fn live(world: World, nature: Nature) {
    let pause = world.draw(|random| random.within(0..=5_000));
    world.sleep(pause).await;
    while !world.is_over() {
        let Some(session) = sign_on(&world, &nature).await else {
            continue;
        };
        process(&world, &nature, &session).await;
        let pause = world.draw(|random| random.within(0..=15_000));
        world.sleep(pause).await;
    }
}

/// Until it crashes, or is nobody any more.
async fn process(world: &World, nature: &Nature, session: &SessionId) {
    let hands = Rc::new(RefCell::new(Hands::default()));
    while !world.is_over() {
        if hands.borrow().disowned {
            return;
        }
        if world.is_calm() {
            honest::round(world, nature, session, &hands).await;
            continue;
        }
        // Often at once, so that calls about the same task meet in the server.
        let pause = world.draw(|random| {
            let most = if random.chance(40) { 4 } else { 1_500 };
            random.within(0..=most)
        });
        world.sleep(pause).await;
        match world.draw(|random| random.within(0..=99)) {
            0..=24 => claim(world, nature, session, &hands).await,
            25..=39 => {
                let named = world.draw(|random| random.chance(70));
                heartbeat(world, nature, session, &hands, named).await;
            }
            40..=84 => work(world, nature, &hands).await,
            85..=92 => misbehave(world, nature, &hands).await,
            93..=95 => {
                let silence = world.draw(|random| random.within(5_000..=50_000));
                world.sleep(silence).await;
            }
            96..=97 => return,
            _ => {
                let health = Health::Error("out of memory".to_owned());
                say(world, nature, session, None, Some(health), &hands).await;
                let pause = world.draw(|random| random.within(0..=5_000));
                world.sleep(pause).await;
                say(world, nature, session, None, Some(Health::Well), &hands).await;
            }
        }
    }
}

async fn sign_on(world: &World, nature: &Nature) -> Option<SessionId> {
    let registration = Registration {
        id: nature.id.clone(),
        name: nature.id.to_string(),
        agent_type: Name::parse("worker").expect("it is a name"),
        capabilities: nature.skills.clone(),
        concurrency: Some(nature.slots),
        metadata: Payload::empty(),
        permissions: Vec::new(),
        version: None,
        endpoint_url: None,
        health_check_url: None,
    };
    let scope = world.agent_scope(&nature.id);
    let call = Call {
        name: "register",
        by: nature.id.as_str(),
        held: None,
    };
    let answer = world
        .call(call, |control| async move {
            control.agents.register(&scope, registration, None).await
        })
        .await;
    match answer {
        Ok(Ok(created)) => Some(created.value.agent.session.id.clone()),
        Ok(Err(_)) | Err(_) => {
            world.sleep(500).await;
            None
        }
    }
}

/// Asks for work.
pub async fn claim(
    world: &World,
    nature: &Nature,
    session: &SessionId,
    hands: &Rc<RefCell<Hands>>,
) {
    let scope = world.agent_scope(&nature.id);
    let claim = Claim {
        agent_id: nature.id.clone(),
        session: Some(session.clone()),
        max: world.draw(|random| random.within(1..=4)) as u32,
    };
    let call = Call {
        name: "claim",
        by: nature.id.as_str(),
        held: None,
    };
    let answer = world
        .call(call, |control| async move {
            control.tasks.claim(&scope, &claim).await
        })
        .await;
    match answer {
        Ok(Ok(claimed)) => {
            for each in claimed {
                world.shared().observer.lock().answered(&each.task);
                let work = InHand::of(&each.task, each.proof);
                hands.borrow_mut().held.push(work);
            }
        }
        Ok(Err(error)) => hands.borrow_mut().hear(&error),
        Err(_) => {}
    }
}

/// Says that it is alive, and, where `named`, what it holds.
pub async fn heartbeat(
    world: &World,
    nature: &Nature,
    session: &SessionId,
    hands: &Rc<RefCell<Hands>>,
    named: bool,
) {
    let holds = named.then(|| {
        let hands = hands.borrow();
        hands.held.iter().map(|held| held.id.clone()).collect()
    });
    say(world, nature, session, holds, None, hands).await;
}

/// A heartbeat with everything that may be in one.
pub async fn say(
    world: &World,
    nature: &Nature,
    session: &SessionId,
    holds: Option<Vec<TaskId>>,
    health: Option<Health>,
    hands: &Rc<RefCell<Hands>>,
) {
    let scope = world.agent_scope(&nature.id);
    let (id, session) = (nature.id.clone(), session.clone());
    let call = Call {
        name: "heartbeat",
        by: nature.id.as_str(),
        held: None,
    };
    let answer = world
        .call(call, |control| async move {
            control
                .agents
                .heartbeat(&scope, &id, Some(&session), health, holds.as_deref())
                .await
        })
        .await;
    match answer {
        Ok(Ok(heard)) => {
            let mut hands = hands.borrow_mut();
            for held in &mut hands.held {
                held.asked_to_stop |= heard.cancel.contains(&held.id);
            }
            let lost: Vec<InHand> = hands
                .held
                .iter()
                .filter(|held| heard.lost.contains(&held.id))
                .cloned()
                .collect();
            for work in lost {
                hands.let_go(&work);
            }
        }
        Ok(Err(error)) => hands.borrow_mut().hear(&error),
        Err(_) => {}
    }
}

impl Hands {
    /// A process whose session is over has to sign on anew.
    fn hear(&mut self, error: &mcpanel_control::Error) {
        if matches!(
            error,
            mcpanel_control::Error::Rejected(
                Rejection::SessionSuperseded { .. } | Rejection::NotFound { .. }
            )
        ) {
            self.disowned = true;
        }
    }
}

/// One deed with one of the tasks in hand; sometimes without waiting for the answer.
async fn work(world: &World, nature: &Nature, hands: &Rc<RefCell<Hands>>) {
    let held = hands.borrow().held.clone();
    let Some(mut work) = world.draw(|random| random.pick(&held).cloned()) else {
        return;
    };
    let deed = world.draw(|random| match random.within(0..=99) {
        _ if work.asked_to_stop && random.chance(60) => Deed::ConfirmCancel,
        0..=14 => Deed::Start,
        15..=34 => Deed::Report,
        35..=39 => Deed::Log,
        40..=84 if work.stored < work.chunks => Deed::Store,
        40..=59 => Deed::Complete,
        60..=69 => Deed::CompleteInBatch,
        70..=85 => Deed::Fail,
        86..=95 => Deed::Release,
        _ => Deed::ConfirmCancel,
    });
    if deed == Deed::Report {
        // An agent that begins anew reports less than was reported before.
        work.percent = world.draw(|random| random.within(0..=100)) as f64;
    }
    act(world, nature, hands, work, deed).await;
}

/// Uses an old lease, or says the same thing twice at once.
async fn misbehave(world: &World, nature: &Nature, hands: &Rc<RefCell<Hands>>) {
    let (held, old) = {
        let hands = hands.borrow();
        (hands.held.clone(), hands.old.clone())
    };
    let deeds = [
        Deed::Start,
        Deed::Report,
        Deed::Log,
        Deed::Store,
        Deed::Complete,
        Deed::CompleteInBatch,
        Deed::Fail,
        Deed::Release,
        Deed::ConfirmCancel,
    ];
    let deed = world.draw(|random| *random.pick(&deeds).unwrap_or(&Deed::Complete));
    // Where leases may be verified from themselves, somebody makes one up.
    let forged = match world.servers() {
        1 => None,
        _ if world.draw(|random| random.chance(80)) => None,
        _ => world.forged_lease(),
    };
    if let Some((id, proof)) = forged {
        act(world, nature, hands, InHand::old(id, proof), deed).await;
    } else if world.draw(|random| random.chance(70))
        && let Some((id, proof)) = world.draw(|random| random.pick(&old).cloned())
    {
        act(world, nature, hands, InHand::old(id, proof), deed).await;
    } else if let Some(work) = world.draw(|random| random.pick(&held).cloned()) {
        let (world_too, nature_too, hands_too) = (world.clone(), nature.clone(), hands.clone());
        let again = work.clone();
        world.spawn(async move {
            perform(&world_too, &nature_too.id, &hands_too, again, deed).await;
        });
        perform(world, &nature.id, hands, work, deed).await;
    }
}

async fn act(world: &World, nature: &Nature, hands: &Rc<RefCell<Hands>>, work: InHand, deed: Deed) {
    if world.draw(|random| random.chance(35)) {
        let (world_too, id, hands) = (world.clone(), nature.id.clone(), hands.clone());
        world.spawn(async move {
            perform(&world_too, &id, &hands, work, deed).await;
        });
    } else {
        perform(world, &nature.id, hands, work, deed).await;
    }
}
