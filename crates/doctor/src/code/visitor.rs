//! Codes about a visitor's network or computer and their texts.

use super::declare::codes;

codes! {
    /// A diagnosis of a visitor's network or computer.
    VisitorCode {
        /// Neither UDP nor TCP carries media.
        MediaClosed = "MEDIA-CLOSED", Broken,
            en: "Only web pages pass this network: calls can't connect.",
                "Ask whoever runs this network to allow UDP to {address} port {port}, or use another network, such as mobile data.",
            ko: "이 네트워크에서는 웹 페이지만 열리고 통화는 연결되지 않아요.",
                "이 네트워크의 관리자에게 {address}의 UDP {port}번 포트를 허용해 달라고 요청하거나, 모바일 데이터처럼 다른 네트워크를 써 보세요.";
        /// Not a secure context: browsers give no camera.
        NotSecure = "NOT-SECURE", Broken,
            en: "This page is not encrypted, so the browser gives it no camera and no microphone.",
                "Open the address with https:// at its beginning.",
            ko: "이 페이지가 암호화되지 않아서 브라우저가 카메라와 마이크를 허용하지 않아요.",
                "https://로 시작하는 주소로 열어 주세요.";
        /// All but TLS is blocked.
        TlsOnly = "TLS-ONLY", Degraded,
            en: "Calls work here, over TLS alone: video may stall.",
                "Ask whoever runs this network to allow UDP to {address} port {port}.",
            ko: "여기서는 TLS로만 통화할 수 있어서 영상이 끊길 수 있어요.",
                "이 네트워크의 관리자에게 {address}의 UDP {port}번 포트를 허용해 달라고 요청해 주세요.";
        /// Others have UDP, this visitor has not.
        UdpClosedHere = "UDP-CLOSED-HERE", Degraded,
            en: "Calls work here, over TCP only: video may stall.",
                "Ask whoever runs this network to allow UDP to {address} port {port}.",
            ko: "여기서는 TCP로만 통화할 수 있어서 영상이 끊길 수 있어요.",
                "이 네트워크의 관리자에게 {address}의 UDP {port}번 포트를 허용해 달라고 요청해 주세요.";
        /// UDP does not pass, and nobody knows whose firewall it is.
        UdpClosed = "UDP-CLOSED", Degraded,
            en: "Calls work here, over TCP only: a firewall, here or at the server, blocks UDP.",
                "Try another network: if it is the same there, ask whoever runs the server to open UDP port {port} of {address}.",
            ko: "여기서는 TCP로만 통화할 수 있어요. 이곳이나 서버의 방화벽이 UDP를 막고 있어요.",
                "다른 네트워크에서도 시험해 보고, 거기서도 같으면 서버 관리자에게 {address}의 UDP {port}번 포트를 열어 달라고 요청해 주세요.";
        /// The candidates lead nowhere, the page's host does.
        MediaAddress = "MEDIA-ADDRESS", Degraded,
            en: "The server names addresses for media that can't be reached from here: calls take the detour over its relay.",
                "Ask whoever runs the server to start it with --announce and its public address.",
            ko: "서버가 알려 준 미디어 주소에 여기서는 닿을 수 없어서 통화가 서버의 중계로 돌아가요.",
                "서버 관리자에게 공인 주소를 --announce로 지정해 달라고 요청해 주세요.";
        /// Connections over IPv6 are lost on the way.
        Ipv6Lost = "IPV6-LOST", Degraded,
            en: "IPv6 leads nowhere from this network, so calls take longer to connect.",
                "Ask whoever runs this network, or the server, to repair IPv6 to {address6}.",
            ko: "이 네트워크에서는 IPv6가 통하지 않아서 통화 연결이 오래 걸려요.",
                "이 네트워크나 서버의 관리자에게 {address6}의 IPv6 연결을 고쳐 달라고 요청해 주세요.";
        /// Packets of the size of video are lost.
        LargePackets = "LARGE-PACKETS", Broken,
            en: "This network loses large packets, so video freezes.",
                "Turn the VPN off, or ask whoever runs this network to lower its MTU or to allow ICMP.",
            ko: "이 네트워크가 큰 패킷을 버려서 영상이 멈춰요.",
                "VPN을 끄거나, 이 네트워크의 관리자에게 MTU를 낮추거나 ICMP를 허용해 달라고 요청해 주세요.";
        /// Packets to the server are lost.
        LineLossUp = "LINE-LOSS-UP", Degraded,
            en: "{percent} % of what you send is lost, so others see and hear you badly.",
                "Move closer to the Wi-Fi router or use a cable, and stop other uploads.",
            ko: "보내는 데이터의 {percent}%가 사라져서 내 영상과 소리가 다른 사람에게 제대로 전해지지 않아요.",
                "와이파이 공유기에 가까이 가거나 유선으로 연결하고, 다른 업로드를 멈춰 주세요.";
        /// Packets from the server are lost.
        LineLossDown = "LINE-LOSS-DOWN", Degraded,
            en: "{percent} % of what you should receive is lost, so you see and hear others badly.",
                "Move closer to the Wi-Fi router or use a cable, and stop other downloads.",
            ko: "받는 데이터의 {percent}%가 사라져서 다른 사람의 영상과 소리가 끊겨요.",
                "와이파이 공유기에 가까이 가거나 유선으로 연결하고, 다른 다운로드를 멈춰 주세요.";
        /// The round-trip time is long.
        LineSlow = "LINE-SLOW", Degraded,
            en: "It takes {milliseconds} ms to the server and back, so you talk over each other.",
                "Turn the VPN off if there is one, and stop other transfers on this line.",
            ko: "서버까지 갔다 오는 데 {milliseconds}밀리초가 걸려서 말이 서로 겹쳐요.",
                "VPN을 쓰고 있으면 끄고, 이 회선에서 다른 전송을 멈춰 주세요.";
        /// Packets arrive unevenly.
        LineJitter = "LINE-JITTER", Degraded,
            en: "Packets arrive unevenly, by up to {milliseconds} ms, so video and sound stutter.",
                "Move closer to the Wi-Fi router or use a cable, and stop other transfers.",
            ko: "데이터가 최대 {milliseconds}밀리초까지 고르지 않게 도착해서 영상과 소리가 끊겨요.",
                "와이파이 공유기에 가까이 가거나 유선으로 연결하고, 다른 전송을 멈춰 주세요.";
        /// The uplink carries less than the video needs.
        LineNarrowUp = "LINE-NARROW-UP", Degraded,
            en: "Your upload carries {kbps} kb/s only, so others see you small and blurred.",
                "Stop other uploads, or turn the camera off if the sound breaks up.",
            ko: "업로드 속도가 {kbps}kb/s밖에 되지 않아서 다른 사람에게 내 영상이 작고 흐리게 보여요.",
                "다른 업로드를 멈추고, 소리까지 끊기면 카메라를 꺼 주세요.";
        /// Delay between participants of a call.
        CallDelay = "CALL-DELAY", Degraded,
            en: "It takes {milliseconds} ms to the others and back, so you talk over each other.",
                "Turn the VPN off if there is one, and stop other transfers on this line.",
            ko: "다른 사람에게 갔다 오는 데 {milliseconds}밀리초가 걸려서 말이 서로 겹쳐요.",
                "VPN을 쓰고 있으면 끄고, 이 회선에서 다른 전송을 멈춰 주세요.";
        /// A proxy drops WebSocket upgrades.
        WsEaten = "WS-EATEN", Degraded,
            en: "WebSockets don't get through here: calls work by polling, which reacts more slowly.",
                "Ask whoever runs the server, or a proxy before it, to let \"Upgrade: websocket\" pass on /socket.io/.",
            ko: "서버로 가는 길에서 WebSocket이 막혀 있어요. 통화는 폴링으로 되지만 반응이 느려요.",
                "서버나 그 앞 프록시의 관리자에게 /socket.io/에서 \"Upgrade: websocket\"을 통과시켜 달라고 요청해 주세요.";
        /// Neither WebSocket nor polling.
        SignalingClosed = "SIGNALING-CLOSED", Broken,
            en: "Neither WebSockets nor polling reach the server: rooms can't be entered.",
                "Ask whoever runs the server, or a proxy before it, to forward /socket.io/.",
            ko: "WebSocket도 폴링도 서버에 닿지 않아서 방에 들어갈 수 없어요.",
                "서버나 그 앞 프록시의 관리자에게 /socket.io/를 전달해 달라고 요청해 주세요.";
        /// A device opens TLS.
        TlsOpened = "TLS-OPENED", Advice,
            en: "A device or program in your network opens encrypted connections and reads them.",
                "If you don't want that, ask whoever runs this network for an exception for {host}.",
            ko: "네트워크의 장비나 프로그램이 암호화된 연결을 열어서 내용을 읽고 있어요.",
                "원하지 않으면 이 네트워크의 관리자에게 {host}를 예외로 해 달라고 요청해 주세요.";
        /// The page and the media take different ways.
        VpnSplit = "VPN-SPLIT", Advice,
            en: "Your VPN or proxy carries the page but not the call: the two leave from different addresses.",
                "If calls fail, turn the VPN off, or let it carry UDP too.",
            ko: "VPN이나 프록시가 페이지만 전달하고 통화는 전달하지 않아요. 둘이 서로 다른 주소에서 나가요.",
                "통화가 되지 않으면 VPN을 끄거나 UDP도 VPN으로 보내 주세요.";
        /// The browser hides all addresses.
        AddressesHidden = "ADDRESSES-HIDDEN", Advice,
            en: "This browser is set to send no UDP of its own, so calls take longer ways.",
                "Ask whoever manages this browser about the policy WebRtcIPHandling, or turn off the extension that hides addresses.",
            ko: "이 브라우저는 UDP를 직접 보내지 않도록 설정되어 있어서 통화가 먼 길로 돌아가요.",
                "이 브라우저의 관리자에게 WebRtcIPHandling 정책을 문의하거나, 주소를 숨기는 확장 프로그램을 꺼 주세요.";
        /// The NAT maps each destination to another port.
        NatSymmetric = "NAT-SYMMETRIC", Advice,
            en: "Your router gives each connection another port, so calls between two go through the server.",
                "Nothing needs to be done; direct calls need a router with endpoint-independent mapping.",
            ko: "공유기가 연결마다 다른 포트를 쓰기 때문에 둘이 하는 통화도 서버를 거쳐요.",
                "따로 할 일은 없어요. 직접 통화하려면 상대와 관계없이 같은 포트를 쓰는 공유기가 필요해요.";
        /// The encoder is slow.
        Cpu = "CPU", Degraded,
            en: "This computer is too slow to send video of {height} lines smoothly.",
                "Close other programs, or share a smaller picture.",
            ko: "이 컴퓨터는 {height}줄 영상을 부드럽게 보내기에는 느려요.",
                "다른 프로그램을 닫거나 더 작은 영상을 보내 주세요.";
        /// The camera may not be used.
        CameraDenied = "CAMERA-DENIED", Degraded,
            en: "This browser or computer does not let the page use the camera.",
                "Allow the camera for this page beside its address, and for the browser in the system's settings.",
            ko: "브라우저나 컴퓨터가 이 페이지의 카메라 사용을 막고 있어요.",
                "주소창 옆에서 이 페이지의 카메라를 허용하고, 시스템 설정에서도 브라우저의 카메라 사용을 허용해 주세요.";
        /// There is no camera.
        CameraMissing = "CAMERA-MISSING", Degraded,
            en: "No camera is connected to this computer.",
                "Connect a camera, or open its cover and turn its switch on.",
            ko: "이 컴퓨터에 연결된 카메라가 없어요.",
                "카메라를 연결하거나, 덮개를 열고 스위치를 켜 주세요.";
        /// Another program has the camera.
        CameraInUse = "CAMERA-IN-USE", Degraded,
            en: "Another program uses the camera.",
                "Close other programs and tabs that have calls.",
            ko: "다른 프로그램이 카메라를 쓰고 있어요.",
                "통화에 쓰는 다른 프로그램과 탭을 닫아 주세요.";
        /// The camera shows nothing.
        CameraBlack = "CAMERA-BLACK", Degraded,
            en: "The camera shows a black picture.",
                "Open its cover, turn its switch on, or choose another camera.",
            ko: "카메라 영상이 까맣게 나와요.",
                "카메라 덮개를 열고 스위치를 켜거나 다른 카메라를 선택해 주세요.";
        /// The microphone may not be used.
        MicrophoneDenied = "MICROPHONE-DENIED", Degraded,
            en: "This browser or computer does not let the page use the microphone.",
                "Allow the microphone for this page beside its address, and for the browser in the system's settings.",
            ko: "브라우저나 컴퓨터가 이 페이지의 마이크 사용을 막고 있어요.",
                "주소창 옆에서 이 페이지의 마이크를 허용하고, 시스템 설정에서도 브라우저의 마이크 사용을 허용해 주세요.";
        /// There is no microphone.
        MicrophoneMissing = "MICROPHONE-MISSING", Degraded,
            en: "No microphone is connected to this computer.",
                "Connect a headset or a microphone.",
            ko: "이 컴퓨터에 연결된 마이크가 없어요.",
                "헤드셋이나 마이크를 연결해 주세요.";
        /// Another program has the microphone.
        MicrophoneInUse = "MICROPHONE-IN-USE", Degraded,
            en: "Another program uses the microphone.",
                "Close other programs and tabs that have calls.",
            ko: "다른 프로그램이 마이크를 쓰고 있어요.",
                "통화에 쓰는 다른 프로그램과 탭을 닫아 주세요.";
        /// The microphone gives nothing.
        MicrophoneSilent = "MICROPHONE-SILENT", Degraded,
            en: "The microphone gives no sound at all.",
                "Turn its switch on, raise its level in the system's settings, or choose another microphone.",
            ko: "마이크에서 아무 소리도 들어오지 않아요.",
                "마이크 스위치를 켜고, 시스템 설정에서 입력 음량을 높이거나 다른 마이크를 선택해 주세요.";
        /// The decoder is slow.
        CpuShow = "CPU-SHOW", Degraded,
            en: "This computer is too slow to show all the video it receives.",
                "Close other programs and tabs, or switch to the speaker view.",
            ko: "이 컴퓨터는 받는 영상을 모두 보여 주기에는 느려요.",
                "다른 프로그램과 탭을 닫거나 발표자 보기로 바꿔 주세요.";
        /// Videos of some participants stall, those of others do not.
        SenderStalls = "SENDER-STALLS", Degraded,
            en: "{still} of the {pictures} videos you see stall, the others do not: the trouble is at their senders.",
                "Ask those people to press this button too, or to open the connection test.",
            ko: "보이는 영상 {pictures}개 가운데 {still}개만 멈추니까 그 영상을 보내는 쪽의 문제예요.",
                "그분들께 이 버튼을 눌러 보거나 연결 검사를 열어 보라고 알려 주세요.";
        /// Videos stall, and nothing that the page sees explains it.
        VideoStalls = "VIDEO-STALLS", Degraded,
            en: "The video you see stalls, and nothing on this side explains it.",
                "Ask the others to press this button too, or test the connection.",
            ko: "보이는 영상이 멈추는데 이쪽에서는 원인을 찾지 못했어요.",
                "다른 사람에게도 이 버튼을 눌러 보라고 하거나 연결 검사를 해 보세요.";
        /// The clock is wrong.
        Clock = "CLOCK-VISITOR", Advice,
            en: "The clock of this computer differs from the server's by {minutes} minutes.",
                "Let the computer set its clock by itself.",
            ko: "이 컴퓨터의 시계가 서버와 {minutes}분 차이 나요.",
                "컴퓨터가 시계를 자동으로 맞추게 해 주세요.";
    }
}
