//! Codes about a visitor's network or computer and their texts.

use super::declare::codes;

codes! {
    /// A diagnosis of a visitor's network or computer.
    VisitorCode {
        /// Others have UDP, this visitor has not.
        UdpClosedHere = "UDP-CLOSED-HERE", Degraded,
            en: "Calls work here, over TCP only: video may stall.",
                "Ask whoever runs this network to allow UDP to {address} port {port}.",
            ko: "여기서는 TCP로만 통화할 수 있어서 영상이 끊길 수 있습니다.",
                "이 네트워크의 관리자에게 {address}의 UDP {port}번 포트를 허용해 달라고 요청하세요.";
    }
}
