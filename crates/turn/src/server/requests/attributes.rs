//! Attributes that several requests have in common.

use crate::{
    server::rejection::Rejection,
    stun::{
        Message, Method,
        attribute::{
            CHANNEL_NUMBER, CONNECTION_ID, DONT_FRAGMENT, EVEN_PORT, Family, LIFETIME, NONCE,
            PASSWORD_ALGORITHM, REALM, REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT,
            RESERVATION_TOKEN, USERHASH, USERNAME, XOR_PEER_ADDRESS,
        },
    },
};

/// The attributes of a credential, allowed in any request.
const CREDENTIAL: &[u16] = &[USERNAME, USERHASH, REALM, NONCE, PASSWORD_ALGORITHM];

/// The comprehension-required attributes that a request may carry besides those of its credential.
pub(super) fn known(method: Method, dont_fragment: bool) -> &'static [u16] {
    const ALLOCATE: &[u16] = &[
        LIFETIME,
        REQUESTED_TRANSPORT,
        REQUESTED_ADDRESS_FAMILY,
        EVEN_PORT,
        RESERVATION_TOKEN,
        DONT_FRAGMENT,
    ];
    match method {
        Method::ALLOCATE if dont_fragment => ALLOCATE,
        Method::ALLOCATE => ALLOCATE.split_last().map_or(ALLOCATE, |(_, others)| others),
        Method::REFRESH => &[LIFETIME, REQUESTED_ADDRESS_FAMILY],
        Method::CREATE_PERMISSION | Method::CONNECT => &[XOR_PEER_ADDRESS],
        Method::CONNECTION_BIND => &[CONNECTION_ID],
        _ => &[XOR_PEER_ADDRESS, CHANNEL_NUMBER],
    }
}

/// The comprehension-required attributes of a message that are neither `known` nor of a credential.
pub(super) fn unknown<'m>(
    message: &Message<'m>,
    known: &'static [u16],
) -> impl Iterator<Item = u16> + use<'m> {
    message.unknown(known).filter(|kind| !CREDENTIAL.contains(kind))
}

/// The value of REQUESTED-ADDRESS-FAMILY.
pub(super) fn requested_family(message: &Message<'_>) -> Result<Option<Family>, Rejection> {
    match message.attribute(REQUESTED_ADDRESS_FAMILY) {
        None => Ok(None),
        Some(&[family, _, _, _]) => {
            Family::from_byte(family).map(Some).ok_or(Rejection::FAMILY_NOT_SUPPORTED)
        }
        Some(_) => Err(Rejection::BAD_REQUEST),
    }
}
