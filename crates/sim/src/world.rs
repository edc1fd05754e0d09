//! The world of one run: servers that crash and come back, and how their callers reach them.

mod labelled;
mod server;
mod sleep;

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::BinaryHeap,
    rc::Rc,
    sync::Arc,
};

use mcpanel_control::{Control, Scope};
use mcpanel_domain::{AgentId, Namespace, TaskId, task::Proof};
use mcpanel_store::memory::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    executor::{Group, Spawner},
    ground::Ground,
    mutation::Mutation,
    random::Random,
    shared::{Operation, Shared},
    store::distributed::Common,
};
use labelled::Labelled;
use server::Server;

/// Most servers of a run: three meet in every way that more would.
const SERVERS_MAX: u64 = 3;

/// A handle to the world; cheap to clone.
#[derive(Clone)]
pub struct World {
    inner: Rc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    spawner: Spawner,
    random: RefCell<Random>,
    servers: RefCell<Vec<Server>>,
    /// The documents, where several servers share them.
    common: Option<(Arc<MemoryStore>, Arc<Common>)>,
    sleepers: RefCell<BinaryHeap<Reverse<(u64, u64)>>>,
    alarms: RefCell<std::collections::BTreeMap<u64, oneshot::Sender<()>>>,
    next: Cell<u64>,
    calm: Cell<bool>,
    over: Cell<bool>,
    crashes: Cell<u32>,
}

/// Why a call got no answer: what it asked for may have happened or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

/// The outcome of a call: what the control layer said, if it said anything.
pub type Answer<T> = Result<mcpanel_control::Result<T>, NoAnswer>;

/// Who calls, and what for.
pub struct Call<'a> {
    /// What is called.
    pub name: &'static str,
    /// Who calls.
    pub by: &'a str,
    /// The task and lease that the caller claims to hold.
    pub held: Option<(TaskId, Proof)>,
}

impl World {
    /// A world with an empty store.
    pub fn new(shared: Arc<Shared>, spawner: Spawner, mut random: Random, ground: Ground) -> Self {
        let clock = shared.clock.clone();
        let empty = MemoryStore::new(Arc::new(move || clock.time()));
        let (servers, common) = match ground {
            Ground::Embedded => (vec![Server::over(empty, &shared, 0)], None),
            Ground::Distributed => {
                let common = (Arc::new(empty), Arc::new(Common::default()));
                let count = random.within(2..=SERVERS_MAX) as usize;
                let servers = (0..count).map(|number| Server::beside(number, &common, &shared, 0));
                (servers.collect(), Some(common))
            }
        };
        let world = Self {
            inner: Rc::new(Inner {
                shared,
                spawner,
                random: RefCell::new(random),
                servers: RefCell::new(servers),
                common,
                sleepers: RefCell::default(),
                alarms: RefCell::default(),
                next: Cell::new(0),
                calm: Cell::new(false),
                over: Cell::new(false),
                crashes: Cell::new(0),
            }),
        };
        for number in 0..world.servers() {
            world.start_reconcilers(number);
        }
        world
    }

    /// A lease for a task that waits, as somebody might make it up who knows what leases look like.
    pub fn forged_lease(&self) -> Option<(TaskId, Proof)> {
        let observer = self.inner.shared.observer.lock();
        let waiting: Vec<(TaskId, u32)> = observer
            .tasks()
            .values()
            .filter(|task| task.ready_at().is_some())
            .map(|task| (task.id.clone(), task.attempt))
            .collect();
        let (id, attempt) = self.draw(|random| random.pick(&waiting).cloned())?;
        let nonce = self.draw(Random::wide_bits);
        Some((
            id,
            Proof {
                attempt: attempt + 1,
                nonce,
            },
        ))
    }

    /// How many servers there are.
    pub fn servers(&self) -> usize {
        self.inner.servers.borrow().len()
    }

    /// The namespace that everybody works in.
    pub fn namespace(&self) -> Namespace {
        Namespace::default_namespace()
    }

    /// A caller that is no agent.
    pub fn scope(&self, actor: &str) -> Scope {
        Scope::new(self.namespace(), actor)
    }

    /// A caller that is an agent.
    pub fn agent_scope(&self, id: &AgentId) -> Scope {
        Scope {
            agent: Some(id.clone()),
            ..Scope::new(self.namespace(), id.as_str())
        }
    }

    /// What the store and the actors share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// Draws from the actors' source of chance.
    pub fn draw<T>(&self, with: impl FnOnce(&mut Random) -> T) -> T {
        with(&mut self.inner.random.borrow_mut())
    }

    /// Has an actor act beside the others.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.inner.spawner.spawn(Group::Actors, work);
    }

    /// Whether the ills are over and everybody finishes honestly.
    pub fn is_calm(&self) -> bool {
        self.inner.calm.get()
    }

    /// Ends the ills.
    pub fn calm(&self) {
        self.inner.calm.set(true);
        self.inner.shared.clock.heal();
        self.inner
            .shared
            .trace(|| "the world is well again".to_owned());
    }

    /// Whether actors should go home.
    pub fn is_over(&self) -> bool {
        self.inner.over.get()
    }

    /// Sends actors home.
    pub fn end(&self) {
        self.inner.over.set(true);
    }

    /// How often the server crashed.
    pub fn crashes(&self) -> u32 {
        self.inner.crashes.get()
    }

    /// Calls the server and waits for its answer. The connection may break at any moment.
    pub async fn call<T, F, W>(&self, call: Call<'_>, work: F) -> Answer<T>
    where
        T: 'static,
        F: FnOnce(Control) -> W,
        W: Future<Output = mcpanel_control::Result<T>> + 'static,
    {
        let now = self.inner.shared.clock.elapsed_ms();
        let number = match self.servers() {
            1 => 0,
            several => self.draw(|random| random.below(several)),
        };
        let (control, down_until_ms) = {
            let server = &self.inner.servers.borrow()[number];
            (server.control.clone(), server.down_until_ms)
        };
        if now < down_until_ms {
            self.sleep(down_until_ms - now).await;
            return Err(NoAnswer);
        }
        // A caller that hangs up: the server drops what it was doing for it.
        let patience = (!self.is_calm())
            .then(|| self.draw(|random| random.chance(3).then(|| random.within(1..=12))))
            .flatten();
        let (send, answer) = oneshot::channel();
        let work = work(control);
        let operation = self.operation(&call);
        self.inner.spawner.spawn(
            Group::Server(number),
            Labelled {
                world: self.clone(),
                stalled: None,
                operation,
                patience,
                work: Box::pin(async move {
                    // Whoever asked may have hung up.
                    let _ = send.send(work.await);
                }),
            },
        );
        let answer = answer.await.map_err(|_| NoAnswer);
        // An answer that gets lost on its way is no answer.
        if !self.is_calm() && self.draw(|random| random.chance(2)) {
            return Err(NoAnswer);
        }
        answer
    }

    /// A server dies and comes back over what is durable.
    pub fn restart(&self, number: usize) {
        let shared = &self.inner.shared;
        let down = self.draw(|random| random.within(0..=3_000));
        let down_until_ms = shared.clock.elapsed_ms() + down;
        let next = match &self.inner.common {
            None => {
                let left = self.inner.servers.borrow()[number].store.crashed();
                let namespace = self.namespace();
                shared.observer.lock().restarted(&left, &namespace);
                Server::over(left, shared, down_until_ms)
            }
            Some(common) => {
                self.inner.servers.borrow()[number].store.kill();
                Server::beside(number, common, shared, down_until_ms)
            }
        };
        self.inner.crashes.set(self.inner.crashes.get() + 1);
        self.inner.servers.borrow_mut()[number] = next;
        shared.trace(|| format!("server {number} is restarted, down for {down} ms"));
        self.start_reconcilers(number);
    }

    /// Lets the observer look at a store in which nothing is under way.
    pub fn inspect(&self, look: impl FnOnce(&MemoryStore)) {
        let store = self.inner.servers.borrow()[0].store.clone();
        look(store.documents());
    }

    /// A server's own loop: it ticks, and now and then it sweeps.
    fn start_reconcilers(&self, number: usize) {
        let world = self.clone();
        let (control, down_until_ms) = {
            let server = &self.inner.servers.borrow()[number];
            (server.control.clone(), server.down_until_ms)
        };
        let now = self.inner.shared.clock.elapsed_ms();
        self.inner.spawner.spawn(Group::Server(number), async move {
            world.sleep(down_until_ms.saturating_sub(now)).await;
            let mut rounds = 0_u32;
            while !world.is_over() {
                let name = if rounds.is_multiple_of(6) {
                    "sweep"
                } else {
                    "tick"
                };
                let control = control.clone();
                let (send, done) = oneshot::channel();
                let call = Call {
                    name,
                    by: "mcpanel",
                    held: None,
                };
                let work = Labelled {
                    world: world.clone(),
                    stalled: None,
                    operation: world.operation(&call),
                    patience: None,
                    work: Box::pin(async move {
                        // A round that failed is followed by another.
                        let _ = match name {
                            "sweep" => control.sweep().await,
                            _ => control.tick().await,
                        };
                        let _ = send.send(());
                    }),
                };
                world.inner.spawner.spawn(Group::Server(number), work);
                let _ = done.await;
                rounds += 1;
                let pause = world.draw(|random| random.within(200..=1_500));
                world.sleep(pause).await;
            }
        });
    }

    fn operation(&self, call: &Call<'_>) -> Arc<Operation> {
        Arc::new(Operation {
            number: self.number(),
            name: call.name,
            by: call.by.to_owned(),
            held: call.held.clone(),
            earliest: Mutex::new(self.inner.shared.clock.earliest()),
            least_held: Mutex::new(usize::MAX),
            given: Mutex::default(),
        })
    }

    fn number(&self) -> u64 {
        let number = self.inner.next.get();
        self.inner.next.set(number + 1);
        number
    }

    /// The lease that a caller shows. With the fencing rule broken, a stale one passes for the present one.
    pub fn shown_lease(&self, id: &TaskId, proof: Proof) -> Proof {
        if !self.inner.shared.breaks(Mutation::SkipFencing) {
            return proof;
        }
        let observer = self.inner.shared.observer.lock();
        let present = observer.tasks().get(id).and_then(|task| task.lease());
        present.map_or(proof, mcpanel_domain::task::Lease::proof)
    }
}
