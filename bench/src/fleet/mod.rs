//! Many Socket.IO clients in one thread. It uses epoll directly, so that the generator costs much
//! less than the server.

mod client;
mod frame;

use std::{
    net::SocketAddr,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::event::{Timespec, epoll};

use self::client::Client;
pub(crate) use client::Notice;

/// Size of the read buffer.
const SCRATCH: usize = 64 * 1024;
/// Maximum number of connections being opened, so that no backlog overflows.
const UNDER_WAY: usize = 64;
/// Timeout of expected events.
const DEADLINE: Duration = Duration::from_secs(30);

/// The index of a client. That of a closed client is reused after the next poll.
pub(crate) type Id = usize;

/// A set of clients of one server.
#[derive(Debug)]
pub(crate) struct Fleet {
    address: SocketAddr,
    epoll: OwnedFd,
    clients: Vec<Option<Client>>,
    free: Vec<Id>,
    /// Indexes of closed clients, free after the next poll.
    retired: Vec<Id>,
    scratch: Box<[u8]>,
    seed: u32,
}

impl Fleet {
    /// An empty fleet for this server.
    pub(crate) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).context("no epoll")?;
        let scratch = vec![0; SCRATCH].into();
        let (clients, free, retired) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { address, epoll, clients, free, retired, scratch, seed: 1 })
    }

    /// Opens a client; [`Notice::Connected`] follows.
    pub(crate) fn open(&mut self) -> anyhow::Result<Id> {
        self.seed += 1;
        let client = Client::open(self.address, self.seed)?;
        let id = self.free.pop().unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        let data = epoll::EventData::new_u64(id as u64);
        epoll::add(&self.epoll, &client, data, epoll::EventFlags::IN)?;
        let slot = self.clients.get_mut(id).context("no slot for a client")?;
        *slot = Some(client);
        self.flush(id)?;
        Ok(id)
    }

    /// Opens clients and waits until all are connected. Any other event is an error.
    pub(crate) fn open_all(&mut self, count: usize) -> anyhow::Result<Vec<Id>> {
        let (mut ids, mut connected) = (Vec::new(), 0);
        let end = Instant::now() + DEADLINE;
        while connected < count {
            ensure!(Instant::now() < end, "{connected} of {count} connected in {DEADLINE:?}");
            while ids.len() < count && ids.len() < connected + UNDER_WAY {
                ids.push(self.open()?);
            }
            for (id, notice) in self.poll(end)? {
                ensure!(notice == Notice::Connected, "client {id}, while connecting: {notice:?}");
                connected += 1;
            }
        }
        Ok(ids)
    }

    /// Emits an event: the JSON array of its name and arguments.
    pub(crate) fn emit(&mut self, id: Id, event: &str) -> anyhow::Result<()> {
        self.emit_all(id, [event])
    }

    /// Emits several events at once.
    pub(crate) fn emit_all<S: AsRef<str>>(
        &mut self,
        id: Id,
        events: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<()> {
        let client = self.clients.get_mut(id).and_then(Option::as_mut).context("no such client")?;
        for event in events {
            client.queue(&format!("42{}", event.as_ref()));
        }
        self.flush(id)
    }

    /// Disconnects a client as a closed page does.
    pub(crate) fn close(&mut self, id: Id) -> anyhow::Result<()> {
        if let Some(client) = self.clients.get_mut(id).and_then(Option::as_mut) {
            client.queue("41");
            client.queue_close();
            self.flush(id)?;
        }
        Ok(())
    }

    /// Drops all connections at once.
    pub(crate) fn drop_all(&mut self) {
        self.clients.clear();
        self.free.clear();
        self.retired.clear();
    }

    /// Waits until a time for events and returns them. May return early, even without events.
    pub(crate) fn poll(&mut self, until: Instant) -> anyhow::Result<Vec<(Id, Notice)>> {
        self.free.append(&mut self.retired);
        let wait = until.saturating_duration_since(Instant::now());
        let wait =
            Timespec { tv_sec: wait.as_secs().try_into()?, tv_nsec: wait.subsec_nanos().into() };
        let mut ready = Vec::with_capacity(256);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&wait)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll_wait failed"),
        }
        let mut notices = Vec::new();
        for event in ready {
            let id = Id::try_from(event.data.u64())?;
            let Some(client) = self.clients.get_mut(id).and_then(Option::as_mut) else { continue };
            client.read(&mut self.scratch, |notice| notices.push((id, notice)))?;
            self.flush(id)?;
            if notices.last() == Some(&(id, Notice::Gone)) {
                self.forget(id);
            }
        }
        Ok(notices)
    }

    fn forget(&mut self, id: Id) {
        if let Some(slot) = self.clients.get_mut(id)
            && slot.take().is_some()
        {
            self.retired.push(id);
        }
    }

    fn flush(&mut self, id: Id) -> anyhow::Result<()> {
        let Some(client) = self.clients.get_mut(id).and_then(Option::as_mut) else { return Ok(()) };
        let all_out = client.flush().context("can't write to the server")?;
        let mut wanted = epoll::EventFlags::IN;
        if !all_out {
            wanted |= epoll::EventFlags::OUT;
        }
        if client.wants(wanted) {
            let data = epoll::EventData::new_u64(id as u64);
            epoll::modify(&self.epoll, &*client, data, wanted)?;
        }
        Ok(())
    }
}
