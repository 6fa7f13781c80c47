//! Many Socket.IO clients in one thread, close to the system, so that the load costs much less than
//! what it loads.

mod client;
mod frame;

use std::{
    net::SocketAddr,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::event::{Timespec, epoll};

use client::Client;
pub(crate) use client::Notice;

/// Read at once.
const SCRATCH: usize = 64 * 1024;
/// Connections that may be under way at once, so that no backlog overflows.
const UNDER_WAY: usize = 64;
/// How long what must come may take.
const SOON: Duration = Duration::from_secs(30);

/// A client's number; that of one that is gone may be given to another after the next poll.
pub(crate) type Id = usize;

/// The clients.
#[derive(Debug)]
pub(crate) struct Fleet {
    address: SocketAddr,
    epoll: OwnedFd,
    clients: Vec<Option<Client>>,
    free: Vec<Id>,
    /// Numbers of those who are gone, until whoever polls has been told.
    retired: Vec<Id>,
    scratch: Box<[u8]>,
    seed: u32,
}

impl Fleet {
    /// No client yet, and the server they will go to.
    pub(crate) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).context("no epoll")?;
        let scratch = vec![0; SCRATCH].into();
        let (clients, free, retired) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { address, epoll, clients, free, retired, scratch, seed: 1 })
    }

    /// Sets a client on its way; [`Notice::Connected`] follows.
    pub(crate) fn open(&mut self) -> anyhow::Result<Id> {
        self.seed += 1;
        let client = Client::open(self.address, self.seed)?;
        let id = self.free.pop().unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        let data = epoll::EventData::new_u64(id as u64);
        epoll::add(&self.epoll, &client, data, epoll::EventFlags::IN)?;
        let slot = self.clients.get_mut(id).context("no place for a client")?;
        *slot = Some(client);
        self.flush(id)?;
        Ok(id)
    }

    /// So many clients, all connected. What else comes meanwhile is an error.
    pub(crate) fn open_all(&mut self, count: usize) -> anyhow::Result<Vec<Id>> {
        let (mut ids, mut connected) = (Vec::new(), 0);
        let end = Instant::now() + SOON;
        while connected < count {
            ensure!(Instant::now() < end, "{connected} of {count} connected in {SOON:?}");
            while ids.len() < count && ids.len() < connected + UNDER_WAY {
                ids.push(self.open()?);
            }
            for (id, notice) in self.poll(end)? {
                ensure!(notice == Notice::Connected, "client {id}, connecting, hears {notice:?}");
                connected += 1;
            }
        }
        Ok(ids)
    }

    /// Emits: the JSON array of an event's name and arguments.
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

    /// A client leaves as a page that is closed in good order.
    pub(crate) fn close(&mut self, id: Id) -> anyhow::Result<()> {
        if let Some(client) = self.clients.get_mut(id).and_then(Option::as_mut) {
            client.queue("41");
            client.queue_close();
            self.flush(id)?;
        }
        Ok(())
    }

    /// All clients are gone at once.
    pub(crate) fn drop_all(&mut self) {
        self.clients.clear();
        self.free.clear();
        self.retired.clear();
    }

    /// Waits until then for what comes, and gives it. Comes back early, perhaps with nothing.
    pub(crate) fn poll(&mut self, until: Instant) -> anyhow::Result<Vec<(Id, Notice)>> {
        self.free.append(&mut self.retired);
        let wait = until.saturating_duration_since(Instant::now());
        let wait =
            Timespec { tv_sec: wait.as_secs().try_into()?, tv_nsec: wait.subsec_nanos().into() };
        let mut ready = Vec::with_capacity(256);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&wait)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("can't wait for clients"),
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
