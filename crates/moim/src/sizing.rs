//! How large a server calls need: pure numbers, for `moim size` and the admin page. Their sources
//! are in docs/performance.md.

use serde::Serialize;
use utoipa::ToSchema;

/// Maximum rate of a camera in three layers, in kilobits per second.
const CAMERA_KBPS: u64 = 2_500;
/// A microphone with the headers of its packets.
const AUDIO_KBPS: u64 = 50;
/// Packets of a microphone per second.
const AUDIO_PACKETS: u64 = 50;
/// Payload of a video packet in bits: 500 kb/s are 75 packets per second.
const VIDEO_PACKET_BITS: u64 = 6_667;
/// Processor time of a forwarded packet on a server at 80 % of a core, in microseconds.
const PACKET_MICROS: u64 = 6;
/// Share of a core that may be in use, in thousandths; from there on packets wait.
const BUSY_PERMILLE: u64 = 800;
/// Memory of a participant's link to the media server, in KiB.
const LINK_KIB: u64 = 1_010;
/// Pictures that each participant sees, unless given: a grid of three by three.
const DEFAULT_PICTURES: u32 = 9;
/// Kilobits per second of one picture that somebody sees, unless given.
const DEFAULT_PICTURE_KBPS: u32 = 500;

/// Limits of the questions.
pub(crate) const MAX_ROOMS: u32 = 100_000;
pub(crate) const MAX_PEOPLE: u32 = 10_000;
pub(crate) const MAX_PICTURE_KBPS: u32 = 20_000;

/// Calls that go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) rooms: u32,
    /// People in each room.
    pub(crate) people: u32,
    /// Pictures that each of them sees at once; `None`: the others, nine at most.
    pub(crate) pictures: Option<u32>,
    /// Kilobits per second of a picture; `None`: 500.
    pub(crate) picture_kbps: Option<u32>,
}

/// Bandwidth, CPU and memory that calls need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Sizing {
    /// Two people talk directly; the numbers are those of a call that has to go through the server.
    pub(crate) is_direct: bool,
    /// Pictures that each participant sees.
    pub(crate) pictures: u32,
    /// Kilobits per second of each picture.
    pub(crate) picture_kbps: u32,
    /// From the server to one room, kilobits per second.
    pub(crate) room_out_kbps: u64,
    /// From one room to the server, kilobits per second, if all cameras send all layers.
    pub(crate) room_in_kbps: u64,
    /// From the server in all, kilobits per second.
    pub(crate) out_kbps: u64,
    /// To the server in all, kilobits per second, at most.
    pub(crate) in_kbps: u64,
    /// Packets that the server sends per second.
    pub(crate) packets_per_second: u64,
    /// Cores at 80 % of their time, thousandths.
    pub(crate) cores_permille: u64,
    /// Memory for participants, MiB.
    pub(crate) memory_mib: u64,
}

impl Sizing {
    /// Needs of these calls.
    pub(crate) fn of(calls: Calls) -> Self {
        let rooms = u64::from(calls.rooms.min(MAX_ROOMS));
        let people = calls.people.min(MAX_PEOPLE);
        let others = people.saturating_sub(1);
        let pictures = calls.pictures.unwrap_or(DEFAULT_PICTURES).min(others);
        let picture_kbps = calls.picture_kbps.unwrap_or(DEFAULT_PICTURE_KBPS).min(MAX_PICTURE_KBPS);
        let people = u64::from(people);
        let streams = people * u64::from(pictures);
        let room_out_kbps = streams * (u64::from(picture_kbps) + AUDIO_KBPS);
        let room_in_kbps = if others == 0 { 0 } else { people * (CAMERA_KBPS + AUDIO_KBPS) };
        let video_packets = (u64::from(picture_kbps) * 1000).div_ceil(VIDEO_PACKET_BITS);
        let packets_per_second = rooms * streams * (video_packets + AUDIO_PACKETS);
        let busy_permille = packets_per_second * PACKET_MICROS / 1_000;
        Self {
            is_direct: people == 2,
            pictures,
            picture_kbps,
            room_out_kbps,
            room_in_kbps,
            out_kbps: rooms * room_out_kbps,
            in_kbps: rooms * room_in_kbps,
            packets_per_second,
            cores_permille: (busy_permille * 1000).div_ceil(BUSY_PERMILLE),
            memory_mib: (rooms * people * LINK_KIB).div_ceil(1024),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizing(rooms: u32, people: u32) -> Sizing {
        Sizing::of(Calls { rooms, people, pictures: None, picture_kbps: None })
    }

    /// docs/benchmarks.md: one room of eight is 7,000 packets per second.
    #[test]
    fn room_of_eight_has_the_packets_of_the_benchmark() {
        let one = sizing(1, 8);
        assert_eq!((one.packets_per_second, one.pictures), (7_000, 7));
        assert_eq!((one.room_out_kbps, one.room_in_kbps), (30_800, 20_400));
        assert!(!one.is_direct && sizing(1, 2).is_direct);
    }

    /// docs/benchmarks.md: at 80 % of one core there were 29 rooms of eight.
    #[test]
    fn measured_load_fits_two_cores_of_the_estimate() {
        let cores = sizing(29, 8).cores_permille;
        assert!((1_000..2_000).contains(&cores), "{cores}");
    }

    #[test]
    fn class_sees_nine_and_a_lone_person_nothing() {
        let class = sizing(1, 30);
        assert_eq!((class.pictures, class.room_out_kbps), (9, 148_500));
        let lone = sizing(5, 1);
        assert_eq!((lone.out_kbps, lone.in_kbps, lone.cores_permille), (0, 0, 0));
    }

    #[test]
    fn largest_questions_do_not_overflow() {
        let all = Some(u32::MAX);
        let calls = Calls { rooms: u32::MAX, people: u32::MAX, pictures: all, picture_kbps: all };
        let sizing = Sizing::of(calls);
        assert!(sizing.out_kbps > sizing.room_out_kbps);
        let least = Calls { rooms: 0, people: 0, pictures: Some(0), picture_kbps: Some(0) };
        assert_eq!(Sizing::of(least).out_kbps, 0);
    }
}
