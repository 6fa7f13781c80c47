//! A proxy in front of a server, by which other servers reach it, and whose connections can be broken
//! while everything else goes on.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

#[derive(Default)]
struct State {
    target: Option<SocketAddr>,
    /// Both ends of each connection.
    streams: Vec<TcpStream>,
    connections: usize,
    is_silent: bool,
    has_ended: bool,
}

/// A running proxy.
pub(super) struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut state = shared.lock().unwrap();
                if state.has_ended {
                    return;
                }
                // One that breaks at once is none.
                let _ = stream.and_then(|stream| accept(&mut state, stream));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes connections on to this server.
    pub(super) fn lead_to(&self, server: SocketAddr) {
        self.state.lock().unwrap().target = Some(server);
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Breaks all connections. New ones are passed on.
    pub(super) fn cut(&self) {
        for stream in self.state.lock().unwrap().streams.drain(..) {
            // It may have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Breaks all connections, and takes new ones without a word.
    pub(super) fn fall_silent(&self) {
        self.state.lock().unwrap().is_silent = true;
        self.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.lock().unwrap().has_ended = true;
        let _ = TcpStream::connect(self.address);
        self.cut();
    }
}

fn accept(state: &mut State, here: TcpStream) -> io::Result<()> {
    state.connections += 1;
    let Some(target) = state.target.filter(|_| !state.is_silent) else {
        state.streams.push(here);
        return Ok(());
    };
    let there = TcpStream::connect(target)?;
    for stream in [&here, &there] {
        stream.set_nodelay(true)?;
        state.streams.push(stream.try_clone()?);
    }
    for (mut from, mut to) in [(here.try_clone()?, there.try_clone()?), (there, here)] {
        thread::spawn(move || {
            // However it ends, the other end hears of it.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}
