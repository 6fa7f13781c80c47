//! A small router that speaks UPnP IGD, in a network where another device answers, too.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The router's address, and that of another device.
const ROUTER: &str = "10.77.0.254";
const OTHER: &str = "10.77.0.1";
const KIND: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

/// A port that the router forwards, or takes back: protocol, external, internal, and the lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) protocol: String,
    pub(crate) external: u16,
    pub(crate) internal: u16,
    pub(crate) lifetime: Option<u32>,
}

/// A router at the default gateway.
pub(crate) struct Igd {
    asked: Arc<Mutex<Vec<Asked>>>,
    table: Arc<Mutex<BTreeMap<(String, u16), u16>>>,
    misled: Arc<AtomicUsize>,
}

/// What a router refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuses {
    Nothing,
    /// External ports below 49152, as another computer's, and lifetimes.
    LowPortsAndLifetimes,
}

impl Igd {
    /// Begins on the addresses of the network.
    pub(crate) fn begin(public: [u8; 4], refuses: Refuses) -> Self {
        let igd = Self { asked: Arc::default(), table: Arc::default(), misled: Arc::default() };
        let search = UdpSocket::bind((ROUTER, 1900)).unwrap();
        let [other, control] = [OTHER, ROUTER].map(|ip| TcpListener::bind((ip, 5000)).unwrap());
        let misled = Arc::clone(&igd.misled);
        thread::spawn(move || {
            for _ in other.incoming() {
                misled.fetch_add(1, Ordering::Relaxed);
            }
        });
        thread::spawn(move || answer_searches(&search));
        let (asked, table) = (Arc::clone(&igd.asked), Arc::clone(&igd.table));
        thread::spawn(move || {
            for stream in control.incoming().map_while(Result::ok) {
                serve(stream, public, refuses, &asked, &table);
            }
        });
        igd
    }

    /// What the router granted so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Number of ports that it forwards now.
    pub(crate) fn forwarded(&self) -> usize {
        self.table.lock().unwrap().len()
    }

    /// Number of requests to the other device.
    pub(crate) fn misled(&self) -> usize {
        self.misled.load(Ordering::Relaxed)
    }
}

fn answer_searches(search: &UdpSocket) {
    let other = UdpSocket::bind((OTHER, 0)).unwrap();
    let mut request = [0; 1500];
    while let Ok((length, client)) = search.recv_from(&mut request) {
        let request = String::from_utf8_lossy(&request[..length]);
        assert!(request.starts_with("M-SEARCH * HTTP/1.1\r\n"), "{request}");
        let reply = |host: &str| {
            format!("HTTP/1.1 200 OK\r\nST: upnp\r\nLOCATION: http://{host}:5000/root.xml\r\n\r\n")
        };
        let _ = other.send_to(reply(OTHER).as_bytes(), client);
        for host in [OTHER, ROUTER] {
            let _ = search.send_to(reply(host).as_bytes(), client);
        }
    }
}

fn serve(
    mut stream: TcpStream,
    public: [u8; 4],
    refuses: Refuses,
    asked: &Mutex<Vec<Asked>>,
    table: &Mutex<BTreeMap<(String, u16), u16>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (status, reply) = match head.split_whitespace().nth(1).unwrap() {
        "/root.xml" => (200, description()),
        "/ctl" => act(&head, &body, public, refuses, asked, table),
        path => panic!("{path}"),
    };
    let length = reply.len();
    let reply = format!(
        "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{reply}"
    );
    let _ = stream.write_all(reply.as_bytes());
}

fn description() -> String {
    format!(
        "<?xml version=\"1.0\"?><root><device><serviceList><service>\
         <serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>\
         <controlURL>/other</controlURL></service></serviceList><deviceList><device>\
         <serviceList><service><serviceType>{KIND}</serviceType><controlURL>/ctl</controlURL>\
         </service></serviceList></device></deviceList></device></root>"
    )
}

fn act(
    head: &str,
    body: &str,
    public: [u8; 4],
    refuses: Refuses,
    asked: &Mutex<Vec<Asked>>,
    table: &Mutex<BTreeMap<(String, u16), u16>>,
) -> (u16, String) {
    let value = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let number = |name: &str| value(name).unwrap().parse::<u32>().unwrap();
    let port = |name: &str| u16::try_from(number(name)).unwrap();
    let name = head.split(&format!("{KIND}#")).nth(1).expect("SOAPAction").split('"').next();
    let name = name.unwrap();
    assert!(body.contains(&format!("<u:{name} xmlns:u=\"{KIND}\">")), "{body}");
    let fault = |code: u16| {
        let fault = format!("<errorCode>{code}</errorCode><errorDescription>no</errorDescription>");
        (500, format!("<s:Envelope><s:Body><s:Fault>{fault}</s:Fault></s:Body></s:Envelope>"))
    };
    let values = match name {
        "GetExternalIPAddress" => {
            let [a, b, c, d] = public;
            format!("<NewExternalIPAddress>{a}.{b}.{c}.{d}</NewExternalIPAddress>")
        }
        "AddPortMapping" => {
            let (external, lifetime) = (port("NewExternalPort"), number("NewLeaseDuration"));
            // The router is this computer in the test, and so is its client.
            assert_eq!(value("NewInternalClient").as_deref(), Some(ROUTER));
            if refuses == Refuses::LowPortsAndLifetimes && external < 49152 {
                return fault(718);
            }
            if refuses == Refuses::LowPortsAndLifetimes && lifetime > 0 {
                return fault(725);
            }
            let (protocol, internal) = (value("NewProtocol").unwrap(), port("NewInternalPort"));
            table.lock().unwrap().insert((protocol.clone(), external), internal);
            let lifetime = Some(lifetime);
            asked.lock().unwrap().push(Asked { protocol, external, internal, lifetime });
            String::new()
        }
        "DeletePortMapping" => {
            let (protocol, external) = (value("NewProtocol").unwrap(), port("NewExternalPort"));
            let Some(internal) = table.lock().unwrap().remove(&(protocol.clone(), external)) else {
                return fault(714);
            };
            asked.lock().unwrap().push(Asked { protocol, external, internal, lifetime: None });
            String::new()
        }
        name => panic!("{name}"),
    };
    let answer = format!("<u:{name}Response xmlns:u=\"{KIND}\">{values}</u:{name}Response>");
    (200, format!("<?xml version=\"1.0\"?><s:Envelope><s:Body>{answer}</s:Body></s:Envelope>"))
}
