//! Rules about the visitor's camera and microphone.

use serde::{Deserialize, Serialize};

use super::VisitorCode;
use crate::{Certainty, Finding};

/// Level of a microphone (0 to 1) below which a second of it is silence: the noise of a quiet room
/// is ten times as loud.
const SILENT: f64 = 0.000_05;
/// Brightness of a picture (0 to 255) up to which it is black. Dark rooms are brighter: cameras
/// amplify.
const BLACK: f64 = 8.0;

/// Results of opening the devices. Absent where not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Devices {
    /// The camera.
    pub camera: Option<Device>,
    /// The microphone.
    pub microphone: Option<Device>,
    /// Loudest level in a second, 0 to 1.
    pub level: Option<f64>,
    /// Brightest part of the brightest picture in a second, 0 to 255.
    pub brightness: Option<f64>,
}

/// Outcome of opening a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Open.
    Opened,
    /// The visitor, the system or a policy forbids it.
    Refused,
    /// There is none.
    Missing,
    /// Another program has it.
    InUse,
    /// It can't be opened for another reason, or nobody answered.
    Failed,
}

pub(super) fn judge(devices: &Devices) -> Vec<Finding> {
    use VisitorCode as Code;
    let camera = devices.camera.and_then(|camera| match camera {
        Device::Refused => Some(Code::CameraDenied),
        Device::Missing => Some(Code::CameraMissing),
        Device::InUse => Some(Code::CameraInUse),
        Device::Opened => {
            devices.brightness.filter(|&light| light <= BLACK).map(|_| Code::CameraBlack)
        }
        Device::Failed => None,
    });
    let microphone = devices.microphone.and_then(|microphone| match microphone {
        Device::Refused => Some(Code::MicrophoneDenied),
        Device::Missing => Some(Code::MicrophoneMissing),
        Device::InUse => Some(Code::MicrophoneInUse),
        Device::Opened => {
            devices.level.filter(|&level| level <= SILENT).map(|_| Code::MicrophoneSilent)
        }
        Device::Failed => None,
    });
    let certainty = |code| match code {
        Code::CameraBlack | Code::MicrophoneSilent => Certainty::Likely,
        _ => Certainty::Certain,
    };
    let codes = camera.into_iter().chain(microphone);
    codes.map(|code| Finding::new(code, certainty(code))).collect()
}
