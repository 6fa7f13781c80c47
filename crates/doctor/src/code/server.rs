//! Codes about the server and their texts.

use super::declare::codes;

codes! {
    /// A diagnosis of the server or its machine.
    ServerCode {
        /// The configuration has a mistake.
        ConfigInvalid = "CONFIG-INVALID", Broken,
            en: "moim can't start with this configuration: {problem}.",
                "Correct it, then run `moim config check`, which shows all mistakes with their lines.",
            ko: "이 설정으로는 moim을 시작할 수 없습니다: {problem}.",
                "설정을 고친 뒤 `moim config check`를 실행하면 남은 오류를 줄 번호와 함께 볼 수 있습니다.";
        /// Another program has the port.
        PortTaken = "PORT-TAKEN", Broken,
            en: "{protocol} port {port} is taken by {holder}, so moim can't start on it.",
                "Stop {holder}, or give moim another port: `moim serve --listen {suggestion}`.",
            ko: "{protocol} {port}번 포트를 이미 {holder} 프로그램이 쓰고 있어서 moim을 시작할 수 없습니다.",
                "{holder} 프로그램을 멈추거나 다른 포트를 지정하세요: `moim serve --listen {suggestion}`.";
        /// Another program has the port, and this user may not see which.
        PortInUse = "PORT-IN-USE", Broken,
            en: "{protocol} port {port} is taken by another program, so moim can't start on it.",
                "Run `sudo ss -lntup 'sport = :{port}'` to see which, then stop it or use `moim serve --listen {suggestion}`.",
            ko: "{protocol} {port}번 포트를 다른 프로그램이 쓰고 있어서 moim을 시작할 수 없습니다.",
                "`sudo ss -lntup 'sport = :{port}'` 명령으로 어떤 프로그램인지 확인해 멈추거나 `moim serve --listen {suggestion}`(으)로 시작하세요.";
        /// This user may not bind the port.
        PortForbidden = "PORT-FORBIDDEN", Broken,
            en: "This user may not bind port {port}: ports below 1024 need a capability.",
                "Run `sudo setcap cap_net_bind_service=+ep {binary}`, or add AmbientCapabilities=CAP_NET_BIND_SERVICE to the systemd unit.",
            ko: "이 사용자에게는 {port}번 포트를 열 권한이 없습니다. 1024 미만의 포트에는 별도 권한이 필요합니다.",
                "`sudo setcap cap_net_bind_service=+ep {binary}`를 실행하거나 systemd 유닛에 AmbientCapabilities=CAP_NET_BIND_SERVICE를 추가하세요.";
        /// `--listen` names an address of no interface.
        AddressAbsent = "ADDRESS-ABSENT", Broken,
            en: "No network interface of this computer has the address {address} of --listen.",
                "Listen on every address with `--listen 0.0.0.0:{port}`; a public address behind a NAT belongs in --announce.",
            ko: "--listen의 주소 {address}에 해당하는 네트워크 인터페이스가 이 컴퓨터에 없습니다.",
                "`--listen 0.0.0.0:{port}`(으)로 모든 주소에서 받고, NAT 밖의 공인 주소는 --announce에 적으세요.";
        /// The server runs but its port does not answer on this machine.
        ServerSilent = "SERVER-SILENT", Broken,
            en: "moim runs, but {protocol} port {port} does not answer on this computer.",
                "Restart it (`sudo systemctl restart moim`); if that doesn't help, look for a firewall rule on the loopback interface.",
            ko: "moim은 실행 중이지만 이 컴퓨터에서 {protocol} {port}번 포트가 응답하지 않습니다.",
                "다시 시작해 보고(`sudo systemctl restart moim`), 그래도 같으면 루프백 인터페이스에 걸린 방화벽 규칙을 확인하세요.";
        /// A shard's thread makes no progress.
        ShardStuck = "SHARD-STUCK", Broken,
            en: "{stuck} of moim's media threads make no progress, so calls on them stand still.",
                "Restart moim (`sudo systemctl restart moim`) and report its log: this should not happen.",
            ko: "moim의 미디어 스레드 {stuck}개가 멈춰 있어 해당 통화가 진행되지 않습니다.",
                "moim을 다시 시작하고(`sudo systemctl restart moim`) 로그를 보내 주세요. 일어나서는 안 되는 문제입니다.";
        /// A firewall of this machine drops packets to the port.
        FirewallDrops = "FIREWALL-DROPS", Broken,
            en: "The firewall of this computer drops {protocol} {port} ({rule}).",
                "Allow it: `{command}`.",
            ko: "이 컴퓨터의 방화벽이 {protocol} {port}번 포트를 차단합니다({rule}).",
                "다음 명령으로 허용하세요: `{command}`.";
        /// No outside network ever had UDP.
        UdpClosedServer = "UDP-CLOSED-SERVER", Broken,
            en: "UDP {port} of {address} has reached nobody from outside: {networks} networks had to do without.",
                "Open UDP {port} in the firewall of the server and of its provider (AWS: security group, inbound, UDP {port}, 0.0.0.0/0).",
            ko: "외부에서 {address}의 UDP {port}번 포트로 연결된 적이 없습니다. 네트워크 {networks}곳이 UDP 없이 접속했습니다.",
                "서버와 호스팅 업체의 방화벽에서 UDP {port}번 포트를 여세요(AWS: 보안 그룹, 인바운드, UDP {port}, 0.0.0.0/0).";
        /// Another server could not open a TCP connection.
        TcpClosedServer = "TCP-CLOSED-SERVER", Broken,
            en: "{witness} could not open TCP {port} of {address}.",
                "Open TCP {port} in the firewall of the server and of its provider, and forward it in the router if there is one.",
            ko: "{witness}에서 {address}의 TCP {port}번 포트에 연결하지 못했습니다.",
                "서버와 호스팅 업체의 방화벽에서 TCP {port}번 포트를 열고, 공유기가 있다면 포트 포워딩도 설정하세요.";
        /// Clients outside are given inner addresses only.
        NatUnannounced = "NAT-UNANNOUNCED", Broken,
            en: "This server is behind a NAT: clients outside are told {inner}, which they can't reach.",
                "Say its public address: `--announce {address}`, and forward port {port} to it over TCP and UDP; `--ask-router` has the router do both, if it can.",
            ko: "이 서버는 NAT 뒤에 있어서 외부 사용자에게 닿을 수 없는 주소 {inner}만 알려 줍니다.",
                "`--announce {address}`(으)로 공인 주소를 알리고, 공유기에서 {port}번 포트를 TCP와 UDP 모두 이 서버로 포워딩하세요. 공유기가 지원하면 `--ask-router`가 둘 다 처리합니다.";
        /// The router forwards no port for `--ask-router`.
        RouterRefuses = "ROUTER-REFUSES", Degraded,
            en: "The router forwards no port for --ask-router: {reason}.",
                "Switch on PCP, NAT-PMP or UPnP in the router, or forward port {port} by hand over TCP and UDP and leave out --ask-router.",
            ko: "--ask-router로 요청했지만 공유기가 포트를 열어 주지 않습니다: {reason}.",
                "공유기 설정에서 PCP, NAT-PMP나 UPnP를 켜거나, {port}번 포트를 TCP와 UDP 모두 직접 포워딩하고 --ask-router를 빼세요.";
        /// A name has no address.
        DnsNone = "DNS-NONE", Broken,
            en: "{name} has no address yet.",
                "Make an A record for {name} that points to {address}.",
            ko: "{name} 이름에 아직 주소가 없습니다.",
                "DNS에서 {name}의 A 레코드를 {address}(으)로 만드세요.";
        /// A name points to another machine.
        DnsElsewhere = "DNS-ELSEWHERE", Broken,
            en: "{name} points to {found}, but this server is at {address}.",
                "Change the record of {name} to {address}; if {found} is a NAT or proxy before this server, say `--announce {found}`.",
            ko: "{name} 이름은 {found}을(를) 가리키지만 이 서버의 주소는 {address}입니다.",
                "{name}의 DNS 레코드를 {address}(으)로 바꾸세요. {found}이(가) 이 서버 앞의 NAT나 프록시라면 `--announce {found}`(으)로 알리세요.";
        /// The certificate is not valid now.
        CertExpired = "CERT-EXPIRED", Broken,
            en: "The certificate that visitors get for {name} expired on {date}.",
                "Renew it and write the new chain to {file}; moim reads it again within seconds.",
            ko: "방문자가 {name}에서 받는 인증서가 {date}에 만료되었습니다.",
                "인증서를 갱신해 {file}에 저장하세요. moim이 몇 초 안에 다시 읽습니다.";
        /// The certificate does not have the server's name.
        CertName = "CERT-NAME", Broken,
            en: "The certificate is not for {name}, only for {names}: browsers warn visitors of {name}.",
                "Get a certificate that includes {name}, or open the page as {names}.",
            ko: "인증서에 {name} 이름이 없습니다(포함된 이름: {names}). {name} 주소로 접속하면 브라우저가 경고합니다.",
                "{name} 이름이 포함된 인증서를 받거나 {names} 주소로 접속하게 하세요.";
        /// The relay does not work over one transport.
        RelayFailed = "RELAY-FAILED", Broken,
            en: "The relay does not work over {transport} on this computer: {reason}.",
                "Visitors whose network needs it can't call. Restart moim, and if it stays, report this with its log (port {port}).",
            ko: "이 컴퓨터에서 {transport} 릴레이가 동작하지 않습니다: {reason}.",
                "릴레이가 꼭 필요한 사용자는 통화할 수 없습니다. moim을 다시 시작하고, 계속되면 로그와 함께 알려 주세요({port}번 포트).";
        /// The data folder can't be written.
        DataUnwritable = "DATA-UNWRITABLE", Broken,
            en: "{user} can't write to the data folder {folder}.",
                "Give it to that user: `{command}`, or name another folder with --data.",
            ko: "{user} 사용자가 데이터 폴더 {folder}에 쓸 수 없습니다.",
                "`{command}` 명령으로 소유자를 바꾸거나 --data로 다른 폴더를 지정하세요.";
        /// The disk of the data folder is full.
        DataFull = "DATA-FULL", Broken,
            en: "The disk of the data folder {folder} has only {free} MiB left.",
                "Make room: `du -xh {mount} | sort -h | tail` shows what is large.",
            ko: "데이터 폴더 {folder}의 디스크에 {free} MiB밖에 남지 않았습니다.",
                "공간을 확보하세요. `du -xh {mount} | sort -h | tail` 명령으로 큰 파일을 찾을 수 있습니다.";
        /// The database of the store can't be used.
        StoreUnusable = "STORE-UNUSABLE", Broken,
            en: "{problem}. Until that ends, moim keeps no rooms and calls, and can't start again.",
                "Start the database, or correct --store and its password: `moim config show` says where they come from.",
            ko: "{problem}. 해결될 때까지 moim은 방과 통화 기록을 저장하지 못하고, 다시 시작할 수도 없습니다.",
                "데이터베이스를 시작하거나 --store와 비밀번호를 고치세요. 설정값의 출처는 `moim config show`로 볼 수 있습니다.";
        /// The kernel forgets connections because its table is full.
        ConntrackFull = "CONNTRACK-FULL", Broken,
            en: "The kernel's connection table is almost full ({count} of {max}): when it is, it drops packets of new calls.",
                "Enlarge it: `sysctl -w net.netfilter.nf_conntrack_max={suggestion}`, and write that line to /etc/sysctl.d/.",
            ko: "커널의 연결 추적 테이블이 거의 찼습니다({max}개 중 {count}개). 가득 차면 새 통화의 패킷이 버려집니다.",
                "`sysctl -w net.netfilter.nf_conntrack_max={suggestion}` 명령으로 늘리고 /etc/sysctl.d/에도 적어 두세요.";
        /// Visitors' clocks and the server's differ.
        ClockWrong = "CLOCK-WRONG", Degraded,
            en: "This computer's clock differs by {seconds} seconds from that of {witness}.",
                "Set it by the network: `timedatectl set-ntp true`. TURN credentials and tokens depend on it.",
            ko: "이 컴퓨터의 시계가 {witness}의 시계와 {seconds}초 다릅니다.",
                "`timedatectl set-ntp true` 명령으로 시계를 맞추세요. TURN 자격 증명과 토큰이 시계에 의존합니다.";
        /// A name's IPv6 address is not this server's.
        DnsAaaa = "DNS-AAAA", Degraded,
            en: "The AAAA record of {name} names {found}, which is no address of this server: visitors with IPv6 try it first.",
                "Remove the AAAA record {found}, or change it to an address of this server that moim listens on.",
            ko: "{name}의 AAAA 레코드 {found}은(는) 이 서버의 주소가 아닙니다. IPv6 사용자는 이 주소로 먼저 접속합니다.",
                "AAAA 레코드 {found}을(를) 지우거나 moim이 받는 이 서버의 주소로 바꾸세요.";
        /// The certificate expires soon.
        CertExpiring = "CERT-EXPIRING", Degraded,
            en: "The certificate for {name} expires in {days} days, on {date}.",
                "Renew it and write the new chain to {file}; moim reads it again within seconds.",
            ko: "{name} 인증서가 {days}일 뒤({date})에 만료됩니다.",
                "인증서를 갱신해 {file}에 저장하세요. moim이 몇 초 안에 다시 읽습니다.";
        /// The CA has not issued a certificate yet.
        CertUnissued = "CERT-UNISSUED", Degraded,
            en: "There is no certificate for {name} yet, so browsers warn its visitors: {problem}.",
                "Do what that says; moim tries again by itself at {next}.",
            ko: "아직 {name} 인증서가 없어서 방문자의 브라우저가 경고합니다: {problem}.",
                "위에 적힌 대로 하세요. moim이 {next}에 스스로 다시 시도합니다.";
        /// The CA does not renew a certificate that ends soon.
        CertUnrenewed = "CERT-UNRENEWED", Degraded,
            en: "The certificate for {name} ends on {date}, and could not be renewed: {problem}.",
                "Do what that says; moim tries again by itself at {next}.",
            ko: "{name} 인증서가 {date}에 끝나는데 갱신하지 못했습니다: {problem}.",
                "위에 적힌 대로 하세요. moim이 {next}에 스스로 다시 시도합니다.";
        /// No further attempt is made with this configuration.
        CertRefused = "CERT-REFUSED", Degraded,
            en: "The CA refuses a certificate for {name}: {problem}.",
                "Correct --domain or the --acme options, then run `moim ctl reload`: until then moim doesn't ask again.",
            ko: "인증 기관이 {name} 인증서를 거부했습니다: {problem}.",
                "--domain이나 --acme 옵션을 고친 뒤 `moim ctl reload`를 실행하세요. 그때까지 다시 요청하지 않습니다.";
        /// CAA records forbid the CA.
        DnsCaa = "DNS-CAA", Degraded,
            en: "The CAA record of {found} allows {allowed} to issue certificates for {name}, but not {ca}, which moim asks.",
                "Add a CAA record for {name}: `0 issue \"{ca}\"`.",
            ko: "{found}의 CAA 레코드는 {name} 인증서를 {allowed}에만 허용하고, moim이 요청하는 {ca}에는 허용하지 않습니다.",
                "{name}에 CAA 레코드를 추가하세요: `0 issue \"{ca}\"`.";
        /// The chain lacks an intermediate certificate.
        CertChain = "CERT-CHAIN", Degraded,
            en: "The certificate for {name} is sent without that of its issuer, {issuer}: phones and TURN clients reject it.",
                "Put the intermediate certificate into {file} after the first one (certbot: fullchain.pem, not cert.pem).",
            ko: "{name} 인증서가 발급자({issuer})의 인증서 없이 전송됩니다. 휴대전화와 TURN 클라이언트가 거부합니다.",
                "{file} 파일에 중간 인증서를 이어서 넣으세요(certbot: cert.pem이 아니라 fullchain.pem).";
        /// A proxy is not trusted.
        ProxyUntrusted = "PROXY-UNTRUSTED", Degraded,
            en: "Requests come through a proxy at {proxy} that moim does not trust: all its visitors share one limit.",
                "If it is yours, say so: `--trusted-proxy {proxy}`.",
            ko: "신뢰 목록에 없는 프록시 {proxy}을(를) 거친 요청이 들어옵니다. 그 뒤의 모든 방문자가 하나의 제한을 나눠 씁니다.",
                "직접 운영하는 프록시라면 `--trusted-proxy {proxy}`(으)로 알려 주세요.";
        /// A NAT before the server hides the addresses of STUN clients.
        StunMasked = "STUN-MASKED", Degraded,
            en: "Visitors of {clients} different addresses all reach UDP {port} from {shared}: a NAT hides them, so direct calls fail.",
                "Let moim see the real addresses: use host networking (`docker run --network host`), or a load balancer that keeps the source address.",
            ko: "서로 다른 주소의 방문자 {clients}명이 모두 {shared}에서 UDP {port}번 포트로 들어옵니다. NAT가 주소를 가려 직접 통화가 실패합니다.",
                "호스트 네트워크(`docker run --network host`)를 쓰거나 원래 주소를 유지하는 로드 밸런서를 써서 moim이 실제 주소를 보게 하세요.";
        /// A container's inner address is the only one.
        ContainerNat = "CONTAINER-NAT", Degraded,
            en: "moim runs in a container and knows only its inner address {inner}: clients can't send media there.",
                "Use host networking (`docker run --network host`), or say the outer address: `--announce ADDRESS:{port}`.",
            ko: "moim이 컨테이너 안에서 내부 주소 {inner}만 알고 있어서 사용자가 미디어를 보낼 수 없습니다.",
                "호스트 네트워크(`docker run --network host`)를 쓰거나 `--announce 주소:{port}`(으)로 바깥 주소를 알리세요.";
        /// The data folder vanishes with the container.
        DataEphemeral = "DATA-EPHEMERAL", Degraded,
            en: "The data folder {folder} is inside the container: keys and rooms vanish with it at the next update.",
                "Mount a volume: `docker run -v moim:/data …`.",
            ko: "데이터 폴더 {folder}이(가) 컨테이너 안에 있어서 다음 업데이트 때 키와 방이 사라집니다.",
                "볼륨을 연결하세요: `docker run -v moim:/data …`.";
        /// Others may read the data folder's secrets.
        DataOpen = "DATA-OPEN", Degraded,
            en: "Other users can read {file}, which holds a secret.",
                "Keep it from them: `chmod 600 {file}`.",
            ko: "비밀이 담긴 {file} 파일을 다른 사용자도 읽을 수 있습니다.",
                "`chmod 600 {file}` 명령으로 권한을 제한하세요.";
        /// The kernel drops datagrams because a socket's buffer is full.
        UdpDrops = "UDP-DROPS", Degraded,
            en: "The kernel dropped {dropped} packets to moim since it started, because its receive buffer was full.",
                "Enlarge the buffers, then restart moim: `sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304`.",
            ko: "수신 버퍼가 가득 차서 moim이 시작된 뒤 커널이 패킷 {dropped}개를 버렸습니다.",
                "버퍼를 늘린 뒤 moim을 다시 시작하세요: `sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304`.";
        /// Too few descriptors for the configured connections.
        FilesFew = "FILES-FEW", Degraded,
            en: "moim may open {limit} files, but {connections} connections need {needed}.",
                "Raise the limit: LimitNOFILE={suggestion} in the systemd unit (`docker run --ulimit nofile={suggestion}`).",
            ko: "moim이 열 수 있는 파일은 {limit}개인데 연결 {connections}개에는 {needed}개가 필요합니다.",
                "systemd 유닛에 LimitNOFILE={suggestion}을 넣어 제한을 늘리세요(`docker run --ulimit nofile={suggestion}`).";
        /// A media thread has no time left.
        ShardBusy = "SHARD-BUSY", Degraded,
            en: "A media thread of moim is busy {percent} % of the time: packets are late above 80 %.",
                "Use a machine with more or faster cores, or spread the rooms over two servers.",
            ko: "moim의 미디어 스레드 하나가 {percent}% 바쁩니다. 80%를 넘으면 패킷이 늦어집니다.",
                "코어가 더 많거나 빠른 서버를 쓰거나 방을 두 서버로 나누세요.";
        /// The machine's memory is nearly used up.
        MemoryLow = "MEMORY-LOW", Degraded,
            en: "This computer has only {available} MiB of memory left (of {total}).",
                "Stop what else runs here, or use a larger machine: without memory the kernel ends moim and all its calls.",
            ko: "이 컴퓨터의 메모리가 {total} MiB 중 {available} MiB밖에 남지 않았습니다.",
                "다른 프로그램을 줄이거나 더 큰 서버를 쓰세요. 메모리가 모자라면 커널이 moim과 모든 통화를 끝냅니다.";
        /// The system gives UDP sockets less buffer than requested.
        UdpBufferSmall = "UDP-BUFFER-SMALL", Advice,
            en: "The system limits UDP receive buffers to {granted} KiB: a burst of a large call overflows that.",
                "Allow 4 MiB: `sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304`, and write that to /etc/sysctl.d/60-moim.conf.",
            ko: "시스템이 UDP 수신 버퍼를 {granted} KiB로 제한하고 있어서 큰 통화의 순간 트래픽이 넘칠 수 있습니다.",
                "`sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304` 명령으로 4 MiB를 허용하고 /etc/sysctl.d/60-moim.conf에도 적어 두세요.";
        /// Nothing keeps the clock right.
        ClockUnsynced = "CLOCK-UNSYNCED", Advice,
            en: "Nothing synchronises this computer's clock.",
                "Let the network set it: `timedatectl set-ntp true`. TURN credentials and tokens depend on it.",
            ko: "이 컴퓨터의 시계가 동기화되지 않고 있습니다.",
                "`timedatectl set-ntp true` 명령으로 동기화를 켜세요. TURN 자격 증명과 토큰이 시계에 의존합니다.";
        /// The last backup is old.
        BackupOld = "BACKUP-OLD", Advice,
            en: "The last backup of the data folder {folder} is {days} days old.",
                "Make one (`moim backup FILE`), best every day by a timer.",
            ko: "데이터 폴더 {folder}의 마지막 백업이 {days}일 전 것입니다.",
                "`moim backup 파일`로 백업하세요. 타이머로 매일 하는 것이 좋습니다.";
        /// The running server is another version.
        VersionDiffers = "VERSION-DIFFERS", Advice,
            en: "The running server is moim {running}, this program is {own}.",
                "Restart the server to use {own}: `sudo systemctl restart moim`.",
            ko: "실행 중인 서버는 moim {running}이고 이 프로그램은 {own}입니다.",
                "{own} 버전을 쓰려면 서버를 다시 시작하세요: `sudo systemctl restart moim`.";
        /// The configuration has something to improve.
        ConfigWarning = "CONFIG-WARNING", Advice,
            en: "The configuration works, but: {problem}.",
                "`moim config show` prints each value and where it comes from.",
            ko: "설정은 동작하지만 확인할 점이 있습니다: {problem}.",
                "`moim config show`로 각 값과 그 출처를 볼 수 있습니다.";
        /// No server runs in the data folder.
        ServerStopped = "SERVER-STOPPED", Advice,
            en: "No moim server runs with the data folder {folder}, so only the machine was examined.",
                "Start it (`moim serve`, `sudo systemctl start moim`), or name its folder with --data, and run this again.",
            ko: "데이터 폴더 {folder}을(를) 쓰는 moim 서버가 실행 중이지 않아 컴퓨터만 점검했습니다.",
                "`moim serve`나 `sudo systemctl start moim`으로 시작하거나 --data로 폴더를 지정한 뒤 다시 실행하세요.";
    }
}
