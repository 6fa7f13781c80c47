//! Codes about the server and their texts.

use super::declare::codes;

codes! {
    /// A diagnosis of the server or its machine.
    ServerCode {
        /// No outside network ever had UDP.
        UdpClosedServer = "UDP-CLOSED-SERVER", Broken,
            en: "UDP {port} of {address} has reached nobody from outside: {networks} networks had to use TCP.",
                "Open UDP {port} in the firewall of the server and of its provider (AWS: security group, inbound, UDP {port}, 0.0.0.0/0).",
            ko: "{address}의 UDP {port}번 포트로는 외부에서 아무도 연결하지 못했습니다. 네트워크 {networks}곳이 TCP로만 연결했습니다.",
                "서버와 호스팅 업체의 방화벽에서 UDP {port}번 포트를 여세요(AWS: 보안 그룹, 인바운드, UDP {port}, 0.0.0.0/0).";
    }
}
