//! Rate limits of requests.

use super::rate::Rate;

/// Events of one socket; each costs one plus one per KiB. Beyond this rate the socket is read more
/// slowly; no event is dropped.
pub(super) const SOCKET_EVENTS: Rate = Rate { burst: 1000.0, per_second: 200.0 };
/// Requests of one socket to list, create, check and join rooms.
pub(super) const SOCKET_ENTRIES: Rate = Rate { burst: 30.0, per_second: 1.0 };
/// Chat messages of one socket.
pub(super) const SOCKET_CHATS: Rate = Rate { burst: 20.0, per_second: 2.0 };
/// Requests of one socket as a host: a page sends one per click, and a list of people has many
/// buttons. Each may send an event to everybody in the room.
pub(super) const SOCKET_HOSTING: Rate = Rate { burst: 60.0, per_second: 5.0 };
/// Quality reports of one socket, of which a page sends one in ten seconds.
pub(super) const SOCKET_REPORTS: Rate = Rate { burst: 2.0, per_second: 0.2 };
/// Offers of one socket to the media server: a page sends one per device that it turns on, and
/// another one for each collision with the server's offer.
pub(super) const SOCKET_SFU_OFFERS: Rate = Rate { burst: 20.0, per_second: 2.0 };
/// Requests of one dialect client to enter, create and list rooms. Dialects have no event for a
/// rejection, so requests beyond this rate wait; pages that try many rooms at once must not.
pub(super) const DIALECT_ENTRIES: Rate = Rate { burst: 300.0, per_second: 5.0 };

/// Rooms opened by one client prefix, by creation or join.
pub(super) const PREFIX_CREATIONS: Rate = Rate { burst: 100.0, per_second: 1.0 };
/// Rooms checked by one client prefix: as many as it may open, so that trying names is no faster than
/// by joining them.
pub(super) const PREFIX_CHECKS: Rate = PREFIX_CREATIONS;
/// Offers to the media server from one client prefix, which may be a whole office.
pub(super) const PREFIX_SFU_OFFERS: Rate = Rate { burst: 1000.0, per_second: 100.0 };
/// Number of client prefixes tracked for each of these.
pub(super) const MAX_PREFIXES: usize = 16_384;
