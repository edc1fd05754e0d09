//! A tiny executor that decides by the seed which of the woken futures goes on next.
//!
//! Operations of the control layer stop at every store call, so that several of them interleave
//! there in every order that a real, concurrent server could produce.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use parking_lot::Mutex;

use crate::random::Random;

/// Futures that end together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Clients, agents and operators: they outlive the server.
    Actors,
    /// What a server does: gone when it crashes.
    Server(usize),
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Takes in new futures, also from inside of running ones.
#[derive(Clone, Default)]
pub struct Spawner {
    fresh: Rc<RefCell<Vec<(Group, Work)>>>,
}

impl Spawner {
    /// Has a future run beside the others.
    pub fn spawn(&self, group: Group, work: impl Future<Output = ()> + 'static) {
        self.fresh.borrow_mut().push((group, Box::pin(work)));
    }
}

/// The futures of a run.
#[derive(Default)]
pub struct Executor {
    spawner: Spawner,
    running: BTreeMap<u64, (Group, Work, Waker)>,
    woken: Arc<Mutex<Vec<u64>>>,
    next: u64,
}

struct Signal {
    number: u64,
    queued: AtomicBool,
    woken: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.woken.lock().push(self.number);
        }
    }
}

impl Executor {
    /// A handle to add futures with.
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Lets one woken future, drawn by chance, go on until it waits; false when none is woken.
    pub fn step(&mut self, random: &mut Random) -> bool {
        self.take_in();
        let number = {
            let mut woken = self.woken.lock();
            woken.retain(|number| self.running.contains_key(number));
            if woken.is_empty() {
                return false;
            }
            let at = random.below(woken.len());
            woken.swap_remove(at)
        };
        let Some((group, mut work, signal)) = self.running.remove(&number) else {
            return true;
        };
        let waker = Waker::from(self.signal(number));
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => {}
            Poll::Pending => {
                self.running.insert(number, (group, work, signal));
            }
        }
        true
    }

    /// How many futures of servers there are.
    pub fn count_servers(&self) -> usize {
        let of_servers = |group: &Group| matches!(group, Group::Server(_));
        let fresh = self.spawner.fresh.borrow();
        let waiting = fresh.iter().filter(|(of, _)| of_servers(of)).count();
        let running = self.running.values();
        waiting + running.filter(|(of, _, _)| of_servers(of)).count()
    }

    /// Drops all futures of a group in the middle of whatever they were doing.
    pub fn drop_all(&mut self, group: Group) {
        self.take_in();
        let doomed: Vec<u64> = self
            .running
            .iter()
            .filter(|(_, (of, _, _))| *of == group)
            .map(|(number, _)| *number)
            .collect();
        for number in doomed {
            self.running.remove(&number);
        }
    }

    fn take_in(&mut self) {
        let fresh = std::mem::take(&mut *self.spawner.fresh.borrow_mut());
        for (group, work) in fresh {
            let number = self.next;
            self.next += 1;
            let waker = Waker::from(self.signal(number));
            waker.wake_by_ref();
            self.running.insert(number, (group, work, waker));
        }
    }

    /// A fresh signal for each poll: one that was used may still be held by somebody.
    fn signal(&self, number: u64) -> Arc<Signal> {
        Arc::new(Signal {
            number,
            queued: AtomicBool::new(false),
            woken: self.woken.clone(),
        })
    }
}

/// Waits until the executor picks the future again.
pub fn yield_now() -> impl Future<Output = ()> + Send {
    let mut yielded = false;
    std::future::poll_fn(move |context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// The outcome of a future that is known not to wait.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let work = std::pin::pin!(work);
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the in-memory store answers at once"),
    }
}
