//! Options as given: on the command line, in the environment, in the file.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use serde::{Deserialize, Deserializer, de::Error};
use turn::Cidr;

use super::{
    AccessOptions, AnnounceChoice, ClusterOptions, DomainName, HostName, OidcOptions, Origin,
    PortRange, StoreOptions, WebhookOptions,
    acme_choices::{AcmeMode, ChallengeChoice, Port80},
    limit_options::LimitOptions,
    merging::{first_of, one_or_many},
    names::{LogAddressesName, LogFormatName, RoomKind, TopologyName},
};

/// All options, each optional. The file uses the same names.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Options {
    /// Address and port, for TCP and UDP [default: port 4000 of every address]
    #[arg(long, env = "MOIM_LISTEN", value_name = "ADDR:PORT")]
    pub(super) listen: Option<SocketAddr>,

    /// Additional address and port; may be repeated
    #[arg(long, env = "MOIM_ALSO", value_name = "ADDR:PORT", value_delimiter = ',')]
    pub(super) also: Option<Vec<SocketAddr>>,

    /// Folder for keys and state [default: $STATE_DIRECTORY of systemd, /data if writable, or the
    /// platform's data folder]
    #[arg(long, env = "MOIM_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,

    /// Folder to serve in place of the built-in page
    #[arg(long = "static", env = "MOIM_STATIC", value_name = "DIR")]
    #[serde(rename = "static")]
    pub(super) folder: Option<PathBuf>,

    /// File with these options in TOML [default: moim.toml in the data folder, if there]
    #[arg(long, env = "MOIM_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub(super) config: Option<PathBuf>,

    /// Certificate chain in PEM, reloaded when it changes [default: signed by a local CA]
    #[arg(long, env = "MOIM_CERT", value_name = "FILE")]
    pub(super) cert: Option<PathBuf>,

    /// Private key of --cert in PEM
    #[arg(long, env = "MOIM_KEY", value_name = "FILE")]
    pub(super) key: Option<PathBuf>,

    /// Public DNS name to get a certificate for from the CA; may be repeated. Giving one agrees to
    /// the CA's terms of service
    #[arg(long, env = "MOIM_DOMAIN", value_name = "NAME", value_delimiter = ',')]
    pub(super) domain: Option<Vec<DomainName>>,

    /// Certificates from a CA over ACME: auto, with --domain or --acme-address, or off [default:
    /// auto]
    #[arg(long, env = "MOIM_ACME", value_name = "WHEN")]
    pub(super) acme: Option<AcmeMode>,

    /// Get a certificate for the addresses of --announce too, for clients that use no name
    #[arg(long, env = "MOIM_ACME_ADDRESS", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) acme_address: Option<bool>,

    /// The CA: letsencrypt, letsencrypt-staging, zerossl, google, or the URL of an ACME directory
    /// [default: letsencrypt]
    #[arg(long, env = "MOIM_ACME_DIRECTORY", value_name = "CA")]
    pub(super) acme_directory: Option<String>,

    /// Root certificate in PEM that the CA's own HTTPS is trusted by, for a private CA [default:
    /// the system's]
    #[arg(long, env = "MOIM_ACME_ROOT", value_name = "FILE")]
    pub(super) acme_root: Option<PathBuf>,

    /// Mail address of the account at the CA
    #[arg(long, env = "MOIM_ACME_EMAIL", value_name = "MAIL")]
    pub(super) acme_email: Option<String>,

    /// Key id of the external account that the CA demands
    #[arg(long, env = "MOIM_ACME_EAB_KID", value_name = "ID")]
    pub(super) acme_eab_kid: Option<String>,

    /// File with the HMAC key of --acme-eab-kid, in base64url
    #[arg(long, env = "MOIM_ACME_EAB_KEY_FILE", value_name = "FILE")]
    pub(super) acme_eab_key_file: Option<PathBuf>,

    /// Certificate profile of the CA [default: shortlived for addresses, the CA's for names]
    #[arg(long, env = "MOIM_ACME_PROFILE", value_name = "PROFILE")]
    pub(super) acme_profile: Option<String>,

    /// Proof of control: auto, tls-alpn-01 over port 443, or http-01 over port 80 [default: auto]
    #[arg(long, env = "MOIM_ACME_CHALLENGE", value_name = "TYPE")]
    pub(super) acme_challenge: Option<ChallengeChoice>,

    /// Port 80 during an order: auto binds it if it is free and needed, or off [default: auto]
    #[arg(long, env = "MOIM_ACME_HTTP", value_name = "WHEN")]
    pub(super) acme_http: Option<Port80>,

    /// Public address of a server behind a NAT, with the external port if it differs; may be
    /// repeated. `auto` or `auto:PORT` finds it by the interfaces and by where --domain and --host
    /// lead. Clients are also given the addresses of network interfaces
    #[arg(long, env = "MOIM_ANNOUNCE", value_name = "IP[:PORT]", value_delimiter = ',')]
    pub(super) announce: Option<Vec<AnnounceChoice>>,

    /// Have the router forward the port and say its public address, by PCP, NAT-PMP or UPnP. It is
    /// announced where --announce gives none
    #[arg(long, env = "MOIM_ASK_ROUTER", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) ask_router: Option<bool>,

    /// Give clients only the addresses of --announce, and no addresses of network interfaces
    #[arg(long, env = "MOIM_ANNOUNCE_ONLY", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) announce_only: Option<bool>,

    /// Serve STUN and TURN alone: no page, no rooms
    #[arg(long, env = "MOIM_TURN_ONLY", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) turn_only: Option<bool>,

    /// HMAC secret of TURN REST credentials issued by other services; may be repeated, all are
    /// valid [default: created at the first start]
    #[arg(
        long,
        env = "MOIM_TURN_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_delimiter = '\n'
    )]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) turn_secret: Option<Vec<String>>,

    /// File with --turn-secret, one on each line
    #[arg(long, env = "MOIM_TURN_SECRET_FILE", value_name = "FILE")]
    pub(super) turn_secret_file: Option<PathBuf>,

    /// TURN user with a permanent credential; may be repeated
    #[arg(
        long,
        env = "MOIM_TURN_USER",
        value_name = "NAME:PASSWORD",
        hide_env_values = true,
        value_delimiter = '\n'
    )]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) turn_user: Option<Vec<String>>,

    /// File with --turn-user, one on each line
    #[arg(long, env = "MOIM_TURN_USER_FILE", value_name = "FILE")]
    pub(super) turn_user_file: Option<PathBuf>,

    /// Realm of TURN credentials [default: moim]
    #[arg(long, env = "MOIM_TURN_REALM", value_name = "REALM")]
    pub(super) turn_realm: Option<String>,

    /// Ports of relayed addresses [default: 49152-65535]
    #[arg(long, env = "MOIM_TURN_PORTS", value_name = "FIRST-LAST")]
    pub(super) turn_ports: Option<PortRange>,

    /// Peer range to permit although the relay denies it by default; may be repeated
    #[arg(long, env = "MOIM_TURN_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    #[serde(default, deserialize_with = "ranges")]
    pub(super) turn_allow: Option<Vec<Cidr>>,

    /// Permit TCP allocations (RFC 6062) to participants of rooms; browsers don't use them
    #[arg(long, env = "MOIM_TURN_TCP", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) turn_tcp: Option<bool>,

    /// Threads that relay and forward media [default: one per core]
    #[arg(long, env = "MOIM_SHARDS", value_name = "N")]
    pub(super) shards: Option<u8>,

    /// Second address and port for NAT behaviour discovery (RFC 5780); both must differ from
    /// --listen
    #[arg(long, env = "MOIM_STUN_ALTERNATE", value_name = "IP:PORT")]
    pub(super) stun_alternate: Option<SocketAddr>,

    /// Dial servers back whose operators run `moim doctor --by` with this one's address
    #[arg(long, env = "MOIM_PROBE_OTHERS", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) probe_others: Option<bool>,

    /// Bearer token for reads of /metrics by others than the server's own user on this host
    #[arg(long, env = "MOIM_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(super) metrics_token: Option<String>,

    /// File with --metrics-token
    #[arg(long, env = "MOIM_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(super) metrics_token_file: Option<PathBuf>,

    /// Topology of rooms: mesh, sfu, or auto, which switches with the room's size [default: auto]
    #[arg(long, env = "MOIM_TOPOLOGY", value_name = "WHICH")]
    pub(super) topology: Option<TopologyName>,

    /// Rooms with hosts, who may mute, remove and lock (hosted), or without (open) [default: hosted]
    #[arg(long, env = "MOIM_ROOMS", value_name = "KIND")]
    pub(super) rooms: Option<RoomKind>,

    /// Host name of this server, as in https://NAME, besides its addresses, the system's host name
    /// and the names in its certificate; may be repeated
    #[arg(long, env = "MOIM_HOST", value_name = "NAME", value_delimiter = ',')]
    pub(super) host: Option<Vec<HostName>>,

    /// Address or range of a trusted reverse proxy, whose X-Forwarded-* or Forwarded headers, or
    /// PROXY protocol, count; may be repeated
    #[arg(long, env = "MOIM_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    #[serde(default, deserialize_with = "ranges")]
    pub(super) trusted_proxy: Option<Vec<Cidr>>,

    /// Origin of another site whose pages may connect; may be repeated
    #[arg(long, env = "MOIM_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub(super) origin: Option<Vec<Origin>>,

    /// Origin of another site whose pages may show the call in a frame; may be repeated
    #[arg(long, env = "MOIM_EMBED", value_name = "ORIGIN", value_delimiter = ',')]
    pub(super) embed: Option<Vec<Origin>>,

    /// Time from SIGTERM to the end of the server. Calls go on in it, except for the last 5 seconds,
    /// in which connections close; a second SIGTERM ends them at once [default: 5, or 9 if
    /// other servers of a cluster can take the calls]
    #[arg(long, env = "MOIM_DRAIN_TIMEOUT", value_name = "SECONDS")]
    pub(super) drain_timeout: Option<u64>,

    /// Options about the store.
    #[command(flatten)]
    #[serde(skip)]
    pub(super) stored: StoreOptions,

    /// Other servers of the same cluster.
    #[command(flatten)]
    #[serde(skip)]
    pub(super) clustered: ClusterOptions,

    /// Days for which each call's quality is kept every ten seconds, later every minute for 90 days
    /// in all; 0 records no calls [default: 7]
    #[arg(long, env = "MOIM_HISTORY", value_name = "DAYS")]
    pub(super) history: Option<u32>,

    /// Names of rooms and participants in the log; otherwise they are hashes that change with each
    /// start
    #[arg(long, env = "MOIM_LOG_NAMES", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) log_names: Option<bool>,

    /// Addresses in the log: cut (to /24 or /48), full or none [default: cut]
    #[arg(long, env = "MOIM_LOG_ADDRESSES", value_name = "HOW")]
    pub(super) log_addresses: Option<LogAddressesName>,

    /// Form of log lines: text, json, journald (a priority in front, no time), or auto, which is
    /// journald where systemd's journal reads the log [default: auto]
    #[arg(long, env = "MOIM_LOG_FORMAT", value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormatName>,

    /// Log level: error, warn, info, debug, trace, or `tracing` directives [default: info]
    #[arg(long, env = "MOIM_LOG", value_name = "LEVEL")]
    pub(super) log: Option<String>,

    /// Who may do what.
    #[command(flatten)]
    #[serde(skip)]
    pub(super) access: AccessOptions,

    /// Sign-in of hosts.
    #[command(flatten)]
    #[serde(skip)]
    pub(super) oidc: OidcOptions,

    /// Receivers of what happens in rooms.
    #[command(flatten)]
    #[serde(skip)]
    pub(super) webhooks: WebhookOptions,

    /// Limits of all resources; `[limits]` in the file.
    #[command(flatten)]
    #[serde(default)]
    pub(super) limits: LimitOptions,
}

impl Options {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; listen, also, data, folder, config, cert, key, domain,
            acme, acme_address, acme_directory, acme_root, acme_email, acme_eab_kid,
            acme_eab_key_file, acme_profile, acme_challenge, acme_http, announce, ask_router, announce_only, turn_only,
            turn_secret, turn_secret_file, turn_user, turn_user_file, turn_realm, turn_ports, turn_allow, turn_tcp, shards,
            stun_alternate, probe_others, metrics_token, metrics_token_file, topology, rooms, host, trusted_proxy, origin, embed, drain_timeout, history, log_names, log_addresses, log_format, log; access, oidc, stored, clustered, webhooks, limits)
    }
}

fn ranges<'de, D: Deserializer<'de>>(file: D) -> Result<Option<Vec<Cidr>>, D::Error> {
    let texts = Vec::<String>::deserialize(file)?;
    let ranges: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
    ranges.map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Command, CommandLine};
    use clap::Parser;

    fn typed(args: &[&str]) -> Options {
        let line = CommandLine::try_parse_from(["moim", "serve"].iter().chain(args)).unwrap();
        let Command::Serve(options) = line.command else { panic!("it is `serve`") };
        *options
    }

    fn file(text: &str) -> Options {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn command_line_overrides_the_file_per_option() {
        let options = typed(&["--listen", "127.0.0.1:1", "--max-rooms", "5"]).or(file(
            "listen = '127.0.0.1:2'\ntopology = 'mesh'\n\
             [limits]\nmax-rooms = 6\nroom-capacity = 7",
        ));
        assert_eq!(options.listen, Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(options.topology, Some(TopologyName::Mesh));
        assert_eq!(options.limits.max_rooms, Some(5));
        assert_eq!(options.limits.room_capacity, Some(7));
    }

    #[test]
    fn list_flags_may_be_repeated() {
        let options = typed(&["--also", "127.0.0.1:1", "--also", "[::1]:2"]);
        assert_eq!(options.also.map(|also| also.len()), Some(2));
    }

    #[test]
    fn secrets_may_be_one_text_or_a_list() {
        let two = Some(vec!["a,b".to_owned(), "c".to_owned()]);
        assert_eq!(typed(&["--turn-secret", "a,b", "--turn-secret", "c"]).turn_secret, two);
        assert_eq!(file("turn-secret = ['a,b', 'c']").turn_secret, two);
        assert_eq!(file("turn-secret = 'c'").turn_secret, Some(vec!["c".to_owned()]));
        let error = toml::from_str::<Options>("turn-secret = 5").unwrap_err();
        assert!(error.message().contains("a text or a list of texts"), "{error}");
    }

    #[test]
    fn turn_only_takes_an_optional_value() {
        assert_eq!(typed(&["--turn-only"]).turn_only, Some(true));
        assert_eq!(typed(&["--turn-only=false"]).turn_only, Some(false));
        assert_eq!(typed(&[]).turn_only, None);
        assert_eq!(typed(&["--turn-only", "--log", "info"]).turn_only, Some(true));
    }

    #[test]
    fn file_accepts_every_option_and_rejects_others() {
        let text = "listen = '0.0.0.0:443'\nalso = ['[::]:443']\ndata = '/d'\n\
            static = '/s'\ncert = 'c'\n\
            key = 'k'\nannounce = ['192.0.2.1']\nask-router = true\nannounce-only = true\nturn-only = true\nturn-secret = 's'\n\
            turn-user = ['u:p']\nturn-secret-file = 'f'\nturn-user-file = 'f'\nmetrics-token-file = 'f'\nturn-realm = 'r'\nturn-ports = '50000-50999'\n\
            turn-allow = ['10.0.0.0/8']\nturn-tcp = true\nstun-alternate = '192.0.2.2:3479'\n\
            metrics-token = 't'\nshards = 2\n\
            topology = 'sfu'\nhost = ['b.example']\ntrusted-proxy = ['10.0.0.0/8']\n\
            origin = ['https://a.example']\nembed = ['https://b.example']\ndrain-timeout = 60\nhistory = 3\nprobe-others = true\nlog-names = true\nlog-addresses = 'none'\nlog-format = 'json'\nlog = 'debug'\n[limits]\n\
            max-connections = 1\nmax-connections-per-address = 1\nmax-rooms = 1\n\
            max-rooms-per-address = 1\nmax-queue-memory = 1\nroom-capacity = 2\nmax-file-size = 1\n\
            max-message-bytes = 1\nmax-messages-per-second = 1\n\
            ping-interval = 1\nping-timeout = 1\nhandshake-timeout = 1\nidle-timeout = 1\n\
            max-allocations = 1\nmax-allocations-per-user = 1\nmax-bandwidth = 1\n\
            max-bandwidth-per-user = 1\nmax-allocations-per-address = 1\n\
            max-bandwidth-per-address = 1";
        assert!(toml::from_str::<Options>(text).is_ok());
        assert!(toml::from_str::<Options>("lisen = '0.0.0.0:443'").is_err());
        assert!(toml::from_str::<Options>("[limits]\nmax-room = 1").is_err());
    }
}
