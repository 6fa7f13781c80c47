//! The task of one session. Owns the [`Session`], the pending poll or WebSocket, and the event
//! handlers.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use hyper::upgrade::{OnUpgrade, Upgraded};
use serde_json::value::RawValue;
use socketio::{Body, Closed, Event, Namespace, Rejection, Session, Transmit};
use tokio::{
    sync::{mpsc, oneshot},
    time::Sleep,
};

use super::{
    ack::Ack,
    app::{Application, CloseReason, Events, Incoming},
    client::{Client, Origin, generate_id},
    held::Holding,
    outbox::Overflow,
    outgoing::Outgoing,
    registry::{Listing, Permit},
    request::Request,
    shared::Shared,
    socket::{Socket, SocketId},
    websocket::{End, WebSocket},
};

/// Maximum number of bytes passed to the transport at once.
const BATCH_BYTES: usize = 256 * 1024;

/// One session.
pub(super) struct Task<A: Application> {
    shared: Arc<Shared<A>>,
    session: Session,
    origin: Origin,
    /// One per connected namespace; usually one.
    clients: Vec<Client<A::Events>>,
    /// Packets taken from a client's outbox but not sent yet.
    taken: Option<OutgoingBatch>,
    /// Size of the messages whose events are being handled, in bytes.
    handling_bytes: usize,
    holding: Holding,
    polling: Option<Box<Polling>>,
    listing: Option<Listing>,
    web: Web,
    timer: Pin<Box<Sleep>>,
    /// Polling order, alternated so that neither direction starves.
    outgoing_first: bool,
    /// The client closed its WebSocket with status 1000 or 1001.
    is_going_away: bool,
    _permit: Permit,
}

/// Packets waiting for the transport.
struct OutgoingBatch {
    namespace: Namespace,
    packets: VecDeque<Outgoing>,
    bytes: usize,
}

/// Initial transport of a session.
pub(super) enum Transport {
    Polling(mpsc::Receiver<Request>, Listing),
    WebSocket(WebSocket),
}

/// Polling state of a session.
struct Polling {
    requests: mpsc::Receiver<Request>,
    waiting: Option<oneshot::Sender<Result<Body, Rejection>>>,
    posted: Option<Posted>,
}

/// A handled POST and its pending response.
struct Posted {
    reply: oneshot::Sender<Result<(), Rejection>>,
    result: Result<(), Rejection>,
}

/// The session's WebSocket.
enum Web {
    None,
    Opening(OnUpgrade),
    Open(Box<WebSocket>),
}

/// Reason for which a task wakes up.
enum Step {
    Request(Request),
    PollGone,
    Opened(hyper::Result<Upgraded>),
    Received(io::Result<()>),
    Flushed(io::Result<()>),
    Outgoing(Namespace, Result<VecDeque<Outgoing>, Overflow>),
    Cut,
    Timer,
}

impl Polling {
    fn new(requests: mpsc::Receiver<Request>) -> Self {
        Self { requests, waiting: None, posted: None }
    }
}

impl<A: Application> Task<A> {
    /// Creates a session on polling or on an open WebSocket.
    pub(super) fn new(
        shared: Arc<Shared<A>>,
        session: Session,
        origin: Origin,
        permit: Permit,
        transport: Transport,
    ) -> Box<Self> {
        let (polling, listing, web) = match transport {
            Transport::Polling(requests, listing) => {
                (Some(Box::new(Polling::new(requests))), Some(listing), Web::None)
            }
            Transport::WebSocket(websocket) => (None, None, Web::Open(Box::new(websocket))),
        };
        let due = session.poll_timeout().unwrap_or_else(Instant::now);
        let holding = shared.holding(origin.connection);
        Box::new(Self {
            shared,
            session,
            origin,
            clients: Vec::new(),
            taken: None,
            handling_bytes: 0,
            holding,
            polling,
            listing,
            web,
            timer: Box::pin(tokio::time::sleep_until(due.into())),
            outgoing_first: false,
            is_going_away: false,
            _permit: permit,
        })
    }

    /// Runs the session to its end. Boxed, since the future would hold it twice.
    pub(super) async fn run(mut self: Box<Self>) {
        while !self.drain().await {
            match poll_fn(|context| self.poll_step(context)).await {
                Step::Request(request) => self.handle_request(request),
                Step::PollGone => self.session.handle_poll_gone(),
                Step::Opened(Ok(io)) => self.web = Web::Open(Box::new(self.shared.websocket(io))),
                Step::Received(Ok(())) => self.handle_received(),
                Step::Outgoing(namespace, Ok(packets)) => {
                    let bytes = packets.iter().map(Outgoing::len).sum();
                    self.taken = Some(OutgoingBatch { namespace, packets, bytes });
                }
                Step::Outgoing(_, Err(Overflow)) => self.session.close(Closed::TooSlow),
                Step::Cut => self.handle_cut(),
                Step::Opened(Err(_)) | Step::Received(Err(_)) | Step::Flushed(Err(_)) => {
                    self.handle_websocket_gone();
                }
                Step::Flushed(Ok(())) | Step::Timer => {}
            }
        }
    }

    /// Drains the session after input; `true` once it is over.
    async fn drain(&mut self) -> bool {
        let now = Instant::now();
        self.handle_timeout(now);
        // Event handlers may take long.
        self.holding.set(self.held());
        loop {
            self.send_taken(now);
            self.transmit_all();
            match self.session.poll_event() {
                Some(Event::Closed(why)) => {
                    self.handle_closed(why).await;
                    return true;
                }
                Some(event) => self.handle_event(event).await,
                None if self.taken.is_none() || !self.may_send() => break,
                None => {}
            }
        }
        self.handling_bytes = 0;
        self.holding.set(self.held());
        self.answer_post();
        if self.session.is_upgraded() && self.polling.take().is_some() {
            self.listing.iter().for_each(Listing::upgrade);
        }
        false
    }

    /// Bytes held outside of the outboxes.
    fn held(&self) -> usize {
        let web = match &self.web {
            Web::Open(websocket) => websocket.held(),
            Web::None | Web::Opening(_) => 0,
        };
        let taken = self.taken.as_ref().map_or(0, |taken| taken.bytes);
        web + taken + self.handling_bytes + self.session.partial_bytes()
    }

    /// Drops everything without a close handshake, because the memory budget is exceeded.
    fn handle_cut(&mut self) {
        self.taken = None;
        self.web = Web::None;
        self.session.close(Closed::TooSlow);
    }

    /// Handles a due timeout. Timers fire slightly late.
    fn handle_timeout(&mut self, now: Instant) {
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now);
        }
    }

    async fn handle_event(&mut self, event: Event) {
        match event {
            Event::Connect { namespace, auth, own_id } => {
                self.handle_connect(namespace, auth, own_id).await;
            }
            Event::Event { namespace, name, args, attachments, ack } => {
                let Some(at) = self.client_index(namespace) else { return };
                let Some(client) = self.clients.get_mut(at) else { return };
                let ack = ack.map(|id| Ack { id, socket: client.socket.clone() });
                client.events.event(Incoming { name, args, attachments, ack }).await;
            }
            Event::Disconnect { namespace } => {
                self.taken.take_if(|taken| taken.namespace == namespace);
                let Some(at) = self.client_index(namespace) else { return };
                let Client { mut events, dismissed, .. } = self.clients.swap_remove(at);
                events
                    .gone(if dismissed { CloseReason::ByServer } else { CloseReason::ByClient })
                    .await;
            }
            // The server requests no acknowledgements.
            Event::Ack { .. } | Event::Closed(_) => {}
        }
    }

    async fn handle_connect(
        &mut self,
        namespace: Namespace,
        auth: Option<Box<RawValue>>,
        own_id: Option<Arc<str>>,
    ) {
        let now = Instant::now();
        let Ok(id) = own_id.map_or_else(generate_id, Ok) else {
            return self.session.reject(now, namespace, "Server error");
        };
        let id = SocketId(id);
        let (socket, outbox) = Socket::new(id.clone(), self.shared.outbox);
        let config = Arc::clone(&self.shared.active.load().session);
        let name = config.namespaces.name(namespace);
        match self.shared.app.connect(socket.clone(), self.origin.handshake(name, auth)) {
            Ok(mut events) => {
                self.session.accept(namespace, &id.0);
                events.connected().await;
                self.clients.reserve_exact(1);
                self.clients.push(Client { namespace, events, socket, outbox, dismissed: false });
            }
            Err(message) => self.session.reject(now, namespace, &message),
        }
    }

    async fn handle_closed(&mut self, why: Closed) {
        tracing::debug!(
            ?why,
            peer = crate::log_privacy::address(self.origin.connection.peer.ip()),
            "session ended"
        );
        self.transmit_all();
        self.answer_post();
        self.polling = None;
        for Client { mut events, outbox, dismissed, .. } in std::mem::take(&mut self.clients) {
            drop(outbox);
            let gone = match (dismissed, why) {
                (true, _) => CloseReason::ByServer,
                (false, Closed::TransportLost) if self.is_going_away => CloseReason::GoingAway,
                (false, _) => CloseReason::Lost,
            };
            events.gone(gone).await;
        }
    }

    /// Index of a namespace's client.
    fn client_index(&self, namespace: Namespace) -> Option<usize> {
        self.clients.iter().position(|client| client.namespace == namespace)
    }

    fn handle_request(&mut self, request: Request) {
        // An overdue session is closed first.
        self.handle_timeout(Instant::now());
        let Some(polling) = &mut self.polling else { return };
        match request {
            Request::Poll(reply) => match self.session.handle_poll() {
                Ok(()) => polling.waiting = Some(reply),
                Err(rejection) => {
                    let _ = reply.send(Err(rejection));
                }
            },
            Request::Post(body, reply) => {
                self.handling_bytes += body.len();
                let result = self.session.handle_post(Instant::now(), &body);
                polling.posted = Some(Posted { reply, result });
            }
            Request::Upgrade(upgrade, reply) => {
                let result = self.session.handle_upgrade(Instant::now());
                if result.is_ok() {
                    self.web = Web::Opening(upgrade);
                }
                let _ = reply.send(result);
            }
        }
    }

    /// Answers a POST after its events were handled, as back-pressure for fast clients.
    fn answer_post(&mut self) {
        if let Some(polling) = &mut self.polling
            && let Some(Posted { reply, result }) = polling.posted.take()
        {
            let _ = reply.send(result);
        }
    }

    fn handle_received(&mut self) {
        let Web::Open(websocket) = &mut self.web else { return };
        let now = Instant::now();
        let End { status, is_going_away } = loop {
            match websocket.next_message() {
                Ok(Some(message)) => {
                    self.handling_bytes += message.len();
                    self.session.handle_websocket(now, message);
                }
                Ok(None) => return,
                Err(end) => break end,
            }
        };
        self.is_going_away = is_going_away;
        self.close_websocket(status);
        self.session.handle_websocket_gone();
    }

    fn handle_websocket_gone(&mut self) {
        self.web = Web::None;
        self.session.handle_websocket_gone();
    }

    /// Returns whether packets sent now are transmitted immediately. Otherwise they stay in the
    /// bounded outbox.
    fn may_send(&self) -> bool {
        let flushed = match &self.web {
            Web::Open(websocket) => websocket.is_flushed(),
            Web::None | Web::Opening(_) => true,
        };
        flushed && self.session.is_ready()
    }

    fn send_taken(&mut self, now: Instant) {
        if !self.may_send() {
            return;
        }
        let Some(mut taken) = self.taken.take() else { return };
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some(outgoing) = taken.packets.pop_front()
        {
            bytes += outgoing.len();
            match outgoing {
                Outgoing::Packet(packet) => self.session.send(packet),
                Outgoing::Binary(packet, attachments) => {
                    self.session.send(packet);
                    attachments.iter().for_each(|data| self.session.send_attachment(data.clone()));
                }
                Outgoing::Disconnect => {
                    let mut clients = self.clients.iter_mut();
                    if let Some(client) = clients.find(|client| client.namespace == taken.namespace)
                    {
                        client.dismissed = true;
                    }
                    return self.session.disconnect(now, taken.namespace);
                }
            }
        }
        if !taken.packets.is_empty() {
            taken.bytes = taken.bytes.saturating_sub(bytes);
            self.taken = Some(taken);
        }
    }

    fn transmit_all(&mut self) {
        while let Some(transmit) = self.session.poll_transmit() {
            match transmit {
                Transmit::Poll(body) => self.answer_poll(body),
                Transmit::Frame(frame) => {
                    if let Web::Open(websocket) = &mut self.web {
                        websocket.send(&frame);
                        // Application packets wait in the outbox. Exceeding this with protocol
                        // packets means that the client does not read.
                        if websocket.unsent() > BATCH_BYTES + self.shared.outbox.bytes {
                            self.session.close(Closed::TooSlow);
                        }
                    }
                }
                Transmit::CloseWebSocket => self.close_websocket(1000),
            }
        }
    }

    fn answer_poll(&mut self, body: Body) {
        let waiting = self.polling.as_mut().and_then(|polling| polling.waiting.take());
        if waiting.is_none_or(|waiting| waiting.send(Ok(body)).is_err()) {
            self.session.close(Closed::TransportLost);
        }
    }

    fn close_websocket(&mut self, status: u16) {
        if let Web::Open(websocket) = std::mem::replace(&mut self.web, Web::None) {
            tokio::spawn(websocket.close(status));
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        self.outgoing_first = !self.outgoing_first;
        let mut step = self.holding.poll_cut(context).map(|()| Step::Cut);
        if step.is_pending() && self.outgoing_first {
            step = self.poll_outgoing(context);
        }
        if step.is_pending() {
            step = self.poll_web(context);
        }
        if step.is_pending() {
            step = self.poll_http(context);
        }
        if step.is_pending() && !self.outgoing_first {
            step = self.poll_outgoing(context);
        }
        if step.is_pending() {
            step = self.poll_timer(context);
        }
        step
    }

    fn poll_outgoing(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let may_take = self.taken.is_none() && self.may_send();
        for at in 0..self.clients.len() {
            let Some(client) = self.clients.get_mut(at) else { break };
            let namespace = client.namespace;
            let taken = if may_take {
                client.outbox.poll_take(context)
            } else {
                client.outbox.poll_overflow(context).map(Err)
            };
            if let Poll::Ready(taken) = taken {
                // The served client is polled last next time, so that it starves no other.
                self.clients.rotate_left(at + 1);
                return Poll::Ready(Step::Outgoing(namespace, taken));
            }
        }
        Poll::Pending
    }

    fn poll_web(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        match &mut self.web {
            Web::None => Poll::Pending,
            Web::Opening(upgrade) => Pin::new(upgrade).poll(context).map(Step::Opened),
            Web::Open(websocket) => {
                if !websocket.is_flushed()
                    && let Poll::Ready(flushed) = websocket.poll_flush(context)
                {
                    return Poll::Ready(Step::Flushed(flushed));
                }
                websocket.poll_read(context).map(Step::Received)
            }
        }
    }

    fn poll_http(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let Some(polling) = &mut self.polling else { return Poll::Pending };
        if let Some(waiting) = &mut polling.waiting
            && waiting.poll_closed(context).is_ready()
        {
            polling.waiting = None;
            return Poll::Ready(Step::PollGone);
        }
        match polling.requests.poll_recv(context) {
            Poll::Ready(Some(request)) => Poll::Ready(Step::Request(request)),
            // Unreachable: our listing holds a sender.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let Some(due) = self.session.poll_timeout() else { return Poll::Pending };
        // A timer that fires early is re-armed then; resetting it at each packet would cost more.
        if self.timer.is_elapsed() || self.timer.deadline() > due.into() {
            self.timer.as_mut().reset(due.into());
        }
        self.timer.as_mut().poll(context).map(|()| Step::Timer)
    }
}
