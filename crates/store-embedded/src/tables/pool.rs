//! Connections that read, lent out one at a time.

use std::{ops::Deref, path::PathBuf};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::open_reader;
use crate::limits::READERS_MAX;

/// Reading connections, opened when first needed.
pub struct Pool {
    path: PathBuf,
    idle: Mutex<Idle>,
    returned: Condvar,
}

struct Idle {
    connections: Vec<Connection>,
    open: usize,
}

/// A connection on loan.
pub struct Reader<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Pool {
    /// A pool of connections to this file.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(Idle {
                connections: Vec::new(),
                open: 0,
            }),
            returned: Condvar::new(),
        }
    }

    /// Lends a connection; waits when all are out.
    pub fn get(&self) -> rusqlite::Result<Reader<'_>> {
        let mut idle = self.idle.lock();
        loop {
            if let Some(connection) = idle.connections.pop() {
                return Ok(Reader {
                    pool: self,
                    connection: Some(connection),
                });
            }
            if idle.open < READERS_MAX {
                idle.open += 1;
                drop(idle);
                return match open_reader(&self.path) {
                    Ok(connection) => Ok(Reader {
                        pool: self,
                        connection: Some(connection),
                    }),
                    Err(error) => {
                        self.idle.lock().open -= 1;
                        self.returned.notify_one();
                        Err(error)
                    }
                };
            }
            self.returned.wait(&mut idle);
        }
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("it is given back only when this is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().connections.push(connection);
            self.pool.returned.notify_one();
        }
    }
}
