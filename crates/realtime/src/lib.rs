//! Socket.IO: agents that live on a socket, and people who watch.
