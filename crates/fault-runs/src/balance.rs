//! A caller that goes to the next instance when one does not answer, as whatever shares out requests would.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mcpanel_client::{Client, Credential, Error};

use crate::book::Book;

/// How long a caller goes on asking for one thing. Elections take about ten seconds, and the longest fault forty-five.
const PERSIST: Duration = Duration::from_secs(90);
/// How long between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// All instances, for one caller.
#[derive(Clone)]
pub struct Balanced {
    clients: Arc<[Client]>,
    at: Arc<AtomicUsize>,
    book: Book,
}

impl Balanced {
    /// A caller that begins with the instance of this number.
    pub fn new(clients: Vec<Client>, first: usize, book: Book) -> Self {
        Self {
            clients: clients.into(),
            at: Arc::new(AtomicUsize::new(first)),
            book,
        }
    }

    /// The same with a credential of its own.
    pub fn with_token(&self, token: &str) -> Result<Self, Error> {
        let with = |client: &Client| client.with_credential(Credential::Token(token.to_owned()));
        let clients: Result<Vec<Client>, Error> = self.clients.iter().map(with).collect();
        Ok(Self {
            clients: clients?.into(),
            at: Arc::new(AtomicUsize::new(self.at.load(Ordering::Relaxed))),
            book: self.book.clone(),
        })
    }

    /// Calls until an instance answers for certain: with success, or that it does not want to. The call must be safe to
    /// repeat.
    pub async fn call<T, F, C>(&self, call: C) -> Result<T, Error>
    where
        C: Fn(Client) -> F,
        F: Future<Output = Result<T, Error>>,
    {
        let until = Instant::now() + PERSIST;
        loop {
            let number = self.at.load(Ordering::Relaxed) % self.clients.len();
            let error = match call(self.clients[number].clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !is_worth_another(&error) {
                return Err(error);
            }
            self.book.note_failure(&error);
            if Instant::now() >= until {
                return Err(error);
            }
            self.at.store(number + 1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether another instance, or the same later, may answer better.
fn is_worth_another(error: &Error) -> bool {
    match error {
        Error::Problem { problem, .. } => problem.status >= 500 || problem.status == 429,
        Error::Unreachable { .. } | Error::Broken { .. } | Error::Timeout { .. } => true,
        _ => false,
    }
}
