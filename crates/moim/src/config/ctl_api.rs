//! Subcommands of `moim ctl` that use the API over the admin socket.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

/// A request of the API.
pub(crate) struct ApiRequest {
    pub(crate) method: &'static str,
    /// Below `/api/v1`.
    pub(crate) path: String,
    /// Null: none.
    pub(crate) body: Value,
}

/// Requests about rooms.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RoomsCommand {
    /// List the open rooms
    List,
    /// Show a room
    Show {
        /// Its name
        name: String,
    },
    /// Create a room, which stays open for a while even if nobody enters
    Create {
        /// Its name
        name: String,
        /// Maximum number of participants
        #[arg(long)]
        capacity: Option<u32>,
        /// Template of the configuration, for what is not given
        #[arg(long)]
        template: Option<String>,
    },
    /// Make an invitation; the key of its link is shown this once
    Invite {
        /// The room's name
        name: String,
        /// viewer, speaker or co_host
        #[arg(long, default_value = "speaker")]
        role: String,
        /// Number of people who may enter with it [default: any number]
        #[arg(long)]
        uses: Option<u32>,
        /// Seconds until it expires [default: it ends with the room]
        #[arg(long)]
        seconds: Option<u32>,
    },
    /// List the invitations of a room
    Invitations {
        /// The room's name
        name: String,
    },
    /// Revoke an invitation; those who have entered with it stay
    Revoke {
        /// The room's name
        name: String,
        /// The invitation's id
        id: String,
    },
    /// Lock a room: nobody enters any more
    Lock {
        /// Its name
        name: String,
    },
    /// End a room for all
    End {
        /// Its name
        name: String,
    },
}

/// Requests about participants.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ParticipantsCommand {
    /// List the participants of a room
    List {
        /// The room's name
        room: String,
    },
    /// Mute a participant's microphone
    Mute {
        /// The room's name
        room: String,
        /// The participant's id
        id: String,
    },
    /// Give a participant another role
    Role {
        /// The room's name
        room: String,
        /// The participant's id
        id: String,
        /// viewer, speaker, co_host or host
        role: String,
    },
    /// Remove a participant, whose device can't return while the room lives
    Remove {
        /// The room's name
        room: String,
        /// The participant's id
        id: String,
    },
    /// Admit all who wait
    Admit {
        /// The room's name
        room: String,
    },
}

/// Requests about keys of the API.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys of the API
    List,
    /// Make a key, which is shown this once
    Add {
        /// Your name for it
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value = "rooms")]
        access: KeyAccess,
    },
    /// Remove a key: requests with it are rejected at once
    Remove {
        /// Its id
        id: String,
    },
}

/// Requests about webhooks.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List the webhooks, what waits for each, and why its last attempt failed
    List,
    /// Make a webhook; the secret that verifies it is shown this once
    Add {
        /// Where events are sent
        url: String,
        /// In the form of LiveKit's server, signed with the first --api-key
        #[arg(long)]
        livekit: bool,
    },
    /// Remove a webhook, and drop what waits for it
    Remove {
        /// Its id
        id: String,
    },
}

/// Requests about administrators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a link, good once and for an hour, that makes an administrator or sets a new password
    Link,
    /// List the administrators
    List,
    /// Remove an administrator, whose sessions end
    Remove {
        /// The name
        name: String,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KeyAccess {
    /// See rooms, participants and calls
    Read,
    /// Also create, change and end rooms, and act on participants
    Rooms,
    /// Also manage keys and webhooks, and read the audit log
    Admin,
}

impl From<RoomsCommand> for ApiRequest {
    fn from(command: RoomsCommand) -> Self {
        match command {
            RoomsCommand::List => Self::get("/rooms".to_owned()),
            RoomsCommand::Show { name } => Self::get(room(&name)),
            RoomsCommand::Create { name, capacity, template } => {
                let body = json!({ "name": name, "capacity": capacity, "template": template });
                Self { method: "POST", path: "/rooms".to_owned(), body }
            }
            RoomsCommand::Invite { name, role, uses, seconds } => {
                let body = json!({ "role": role, "uses": uses, "expires_in_seconds": seconds });
                Self { method: "POST", path: room(&name) + "/invitations", body }
            }
            RoomsCommand::Invitations { name } => Self::get(room(&name) + "/invitations"),
            RoomsCommand::Revoke { name, id } => {
                Self::delete(format!("{}/invitations/{}", room(&name), segment(&id)))
            }
            RoomsCommand::Lock { name } => {
                let path = room(&name) + "/settings";
                Self { method: "PATCH", path, body: json!({ "policy": { "entry": "locked" } }) }
            }
            RoomsCommand::End { name } => Self::delete(room(&name)),
        }
    }
}

impl From<ParticipantsCommand> for ApiRequest {
    fn from(command: ParticipantsCommand) -> Self {
        match command {
            ParticipantsCommand::List { room } => Self::get(self::room(&room) + "/participants"),
            ParticipantsCommand::Mute { room, id } => Self {
                method: "POST",
                path: participant(&room, &id) + "/mute",
                body: json!({ "sources": ["microphone"] }),
            },
            ParticipantsCommand::Role { room, id, role } => Self {
                method: "PATCH",
                path: participant(&room, &id),
                body: json!({ "role": role }),
            },
            ParticipantsCommand::Remove { room, id } => Self::delete(participant(&room, &id)),
            ParticipantsCommand::Admit { room } => {
                Self { method: "POST", path: self::room(&room) + "/waiting/admit", body: json!({}) }
            }
        }
    }
}

impl From<KeysCommand> for ApiRequest {
    fn from(command: KeysCommand) -> Self {
        match command {
            KeysCommand::List => Self::get("/keys".to_owned()),
            KeysCommand::Add { name, access } => {
                let access = match access {
                    KeyAccess::Read => "read",
                    KeyAccess::Rooms => "rooms",
                    KeyAccess::Admin => "admin",
                };
                let body = json!({ "name": name, "access": access });
                Self { method: "POST", path: "/keys".to_owned(), body }
            }
            KeysCommand::Remove { id } => Self::delete(format!("/keys/{}", segment(&id))),
        }
    }
}

impl From<WebhooksCommand> for ApiRequest {
    fn from(command: WebhooksCommand) -> Self {
        match command {
            WebhooksCommand::List => Self::get("/webhooks".to_owned()),
            WebhooksCommand::Add { url, livekit } => {
                let form = if livekit { "livekit" } else { "standard" };
                let body = json!({ "url": url, "form": form });
                Self { method: "POST", path: "/webhooks".to_owned(), body }
            }
            WebhooksCommand::Remove { id } => Self::delete(format!("/webhooks/{}", segment(&id))),
        }
    }
}

impl From<AdminCommand> for ApiRequest {
    fn from(command: AdminCommand) -> Self {
        match command {
            AdminCommand::Link => {
                Self { method: "POST", path: "/administrators/link".to_owned(), body: Value::Null }
            }
            AdminCommand::List => Self::get("/administrators".to_owned()),
            AdminCommand::Remove { name } => {
                Self::delete(format!("/administrators/{}", segment(&name)))
            }
        }
    }
}

impl ApiRequest {
    pub(super) fn get(path: String) -> Self {
        Self { method: "GET", path, body: Value::Null }
    }

    pub(super) fn delete(path: String) -> Self {
        Self { method: "DELETE", path, body: Value::Null }
    }
}

fn room(name: &str) -> String {
    format!("/rooms/{}", segment(name))
}

fn participant(name: &str, id: &str) -> String {
    format!("{}/participants/{}", room(name), segment(id))
}

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
