//! Links of the description: what can be asked of a thing that an operation has made. Tools that test
//! or explore the API follow them.

use utoipa::openapi::{
    OpenApi, RefOr,
    link::{Link, LinkBuilder},
    path::{Operation, PathItem},
};

/// A room's name, as a link finds it in the response that has made the room.
const MADE_NAME: (&str, &str) = ("name", "$response.body#/name");
const MADE_ID: (&str, &str) = ("id", "$response.body#/id");
const SAME_NAME: (&str, &str) = ("name", "$request.path.name");

/// An operation that makes something.
pub(super) struct Making {
    pub(super) maker: &'static str,
    /// Operations that follow.
    pub(super) followers: &'static [&'static str],
    /// Their parameters.
    pub(super) parameters: &'static [(&'static str, &'static str)],
}

/// Operations that make something, with those that follow.
pub(super) const MAKING: [Making; 4] = [
    Making {
        maker: "rooms_create",
        followers: &[
            "rooms_show",
            "rooms_settings",
            "rooms_change",
            "rooms_send",
            "rooms_end",
            "participants_list",
            "participants_mute_all",
            "participants_waiting",
            "invitations_list",
            "invitations_invite",
        ],
        parameters: &[MADE_NAME],
    },
    Making {
        maker: "invitations_invite",
        followers: &["invitations_revoke"],
        parameters: &[SAME_NAME, MADE_ID],
    },
    Making { maker: "keys_create", followers: &["keys_remove"], parameters: &[MADE_ID] },
    Making {
        maker: "webhooks_create",
        followers: &["webhooks_show", "webhooks_change", "webhooks_remove"],
        parameters: &[MADE_ID],
    },
];

/// All operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .flatten()
}

/// Gives each operation an id of its own, and adds the links.
pub(super) fn add(api: &mut OpenApi) {
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            operation.operation_id = Some(own_id(path, operation));
            add_links(operation);
        }
    }
}

/// The name of the handler after that of its group: in a room the tag, otherwise the beginning of the
/// path.
fn own_id(path: &str, operation: &Operation) -> String {
    let tag = operation.tags.iter().flatten().next().map_or("", String::as_str);
    let group = match path.split('/').nth(1).unwrap_or_default() {
        "rooms" => tag,
        group => group,
    };
    let handler = operation.operation_id.as_deref().unwrap_or_default();
    format!("{group}_{handler}")
}

fn add_links(operation: &mut Operation) {
    let id = operation.operation_id.as_deref();
    let known = MAKING.iter().find(|making| Some(making.maker) == id);
    let Some(Making { followers, parameters, .. }) = known else { return };
    let Some(RefOr::T(made)) = operation.responses.responses.get_mut("201") else { return };
    for follower in *followers {
        let link = LinkBuilder::new().operation_id(*follower);
        let link: Link = parameters
            .iter()
            .fold(link, |link, (name, value)| link.parameter(*name, *value))
            .build();
        made.links.insert((*follower).to_owned(), RefOr::T(link));
    }
}
