//! A TURN client over UDP.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::UdpSocket, time::timeout};
use turn::{
    rest::Credential,
    stun::{
        Class, Key, Message, Method, TransactionId, Writer,
        attribute::{
            CHANNEL_NUMBER, ERROR_CODE, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME,
            XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
        },
    },
};

/// Number of the client's only channel.
pub(crate) const CHANNEL: u16 = 0x4000;
const RETRANSMIT_AFTER: Duration = Duration::from_millis(500);
const MAX_ATTEMPTS: u32 = 6;

/// A TURN client with one allocation.
pub(crate) struct TurnClient {
    pub(crate) socket: UdpSocket,
    pub(crate) relayed: SocketAddr,
    session: Session,
}

/// Failure of a TURN request.
#[derive(Debug)]
pub(crate) enum TurnRequestError {
    /// An error response with this code.
    ErrorResponse(u16),
    Timeout,
    Io(io::Error),
}

impl From<io::Error> for TurnRequestError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for TurnRequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ErrorResponse(code) => write!(f, "error response {code}"),
            Self::Timeout => f.write_str("no response"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TurnRequestError {}

struct Session {
    credential: Credential,
    realm: Vec<u8>,
    nonce: Vec<u8>,
}

impl TurnClient {
    pub(crate) async fn allocate(
        server: SocketAddr,
        credential: Credential,
    ) -> Result<Self, TurnRequestError> {
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(server).await?;
        let mut session = Session { credential, realm: Vec::new(), nonce: Vec::new() };
        let response = session
            .request(&socket, Method::ALLOCATE, |request| {
                request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            })
            .await?;
        let relayed = Message::parse(&response)
            .ok()
            .and_then(|message| message.xor_address(XOR_RELAYED_ADDRESS));
        Ok(Self { socket, relayed: relayed.ok_or(TurnRequestError::Timeout)?, session })
    }

    pub(crate) async fn bind_channel(&mut self, peer: SocketAddr) -> Result<(), TurnRequestError> {
        let write_attributes = |request: &mut Writer<'_>| {
            let [high, low] = CHANNEL.to_be_bytes();
            request.attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
            request.xor_address(XOR_PEER_ADDRESS, peer);
        };
        self.session.request(&self.socket, Method::CHANNEL_BIND, write_attributes).await.map(drop)
    }
}

impl Session {
    async fn request(
        &mut self,
        socket: &UdpSocket,
        method: Method,
        write_attributes: impl Fn(&mut Writer<'_>),
    ) -> Result<Vec<u8>, TurnRequestError> {
        let mut errors = 0;
        for _ in 0..MAX_ATTEMPTS {
            let mut id = [0; 12];
            getrandom::fill(&mut id).map_err(io::Error::other)?;
            let mut bytes = Vec::new();
            let mut request = Writer::new(&mut bytes, Class::Request, method, TransactionId(id));
            write_attributes(&mut request);
            if !self.nonce.is_empty() {
                let Credential { username, password } = &self.credential;
                let realm = String::from_utf8_lossy(&self.realm);
                request.attribute(USERNAME, username.as_bytes());
                request.attribute(REALM, &self.realm).attribute(NONCE, &self.nonce);
                request.integrity(&Key::long_term(username, &realm, password));
            }
            socket.send(&bytes).await?;
            let Ok(response) = timeout(RETRANSMIT_AFTER, response_to(socket, id)).await else {
                continue;
            };
            let response = response?;
            let Ok(message) = Message::parse(&response) else { continue };
            if message.class() == Class::Success {
                return Ok(response);
            }
            let code = match message.attribute(ERROR_CODE) {
                Some([_, _, class, number, ..]) => u16::from(*class) * 100 + u16::from(*number),
                _ => 0,
            };
            errors += 1;
            // 401 carries the realm and nonce, 438 a new nonce; a repeated 401 is a rejection.
            if !matches!(code, 401 | 438) || errors > 2 {
                return Err(TurnRequestError::ErrorResponse(code));
            }
            self.realm = message.attribute(REALM).unwrap_or_default().to_vec();
            self.nonce = message.attribute(NONCE).unwrap_or_default().to_vec();
        }
        Err(TurnRequestError::Timeout)
    }
}

async fn response_to(socket: &UdpSocket, id: [u8; 12]) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 2048];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if Message::parse(bytes).is_ok_and(|message| message.transaction() == TransactionId(id)) {
            return Ok(bytes.to_vec());
        }
    }
}
