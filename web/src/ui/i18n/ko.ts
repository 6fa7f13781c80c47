import type { Messages } from "./en.ts";
import { koCall } from "./ko-call.ts";
import { koErrors } from "./ko-errors.ts";
import { koHome } from "./ko-home.ts";
import { koPeople } from "./ko-people.ts";
import { koReach } from "./ko-reach.ts";
import { koSound } from "./ko-sound.ts";

/** 한국어. 사람 이름 뒤에는 ‘님’을 붙이고, 방 이름은 작은따옴표로 묶어요. 문장은 해요체로 써요. */
export const ko: Messages = {
  ...koHome,
  ...koCall,
  ...koPeople,
  ...koErrors,

  languageLabel: "언어",
  tagline: "클릭 한\u00a0번이면 모여요.",
  lead: "누구나 열 수 있는 영상 통화예요. 브라우저만 있으면 되고, 설치도 가입도 필요 없어요.",
  pageNotFound: "이 주소에는 페이지가 없어요.",
  close: "닫기",
  yourName: "이름",
  namePlaceholder: "다른 사람에게 보일 이름",
  nameRequired: "이름을 입력해 주세요.",
  preview: {
    title: (room) => `‘${room}’ 방에 들어갈까요?`,
    documentTitle: (room) => `${room} · 참여 준비`,
    video: "내 카메라 미리 보기",
    cameraOff: "카메라가 꺼져 있어요",
    cameraStarting: "카메라를 켜고 있어요…",
    asking: "브라우저가 묻고 있어요. ‘허용’을 눌러 주세요.",
    startBoth: "카메라와 마이크 켜기",
    devicesOff: "링크를 눌러 들어와서 아직 카메라와 마이크가 꺼져 있어요.",
    level: "마이크 음량",
    join: "참여하기",
    joinWithout: "카메라와 마이크 없이 참여하기",
    waitForPlace: "자리가 나면 들어가기",
    waitingForPlace: "누군가 나가면 바로 들어가요.",
    anotherRoom: "다른 방 만들기",
    joining: "들어가고 있어요…",
    empty: "아직 아무도 없어요. 가장 먼저 들어가요.",
    someoneHere: (here, capacity) => `${capacity}명 중 ${here}명이 들어와 있어요`,
    opensAtJoin: "아직 없는 방이면 새로 열려요.",
    password: "방 비밀번호",
  },
  devices: {
    title: "카메라와 소리",
    camera: "카메라",
    microphone: "마이크",
    speaker: "스피커",
    unnamed: {
      camera: (n) => `카메라 ${n}`,
      microphone: (n) => `마이크 ${n}`,
      speaker: (n) => `스피커 ${n}`,
    },
    none: "기기를 찾을 수 없어요",
    notAllowed: "권한이 필요해요",
    systemDefault: "시스템 기본값",
    mirror: "내 영상을 거울처럼 보기",
  },
  sound: koSound,
  reach: koReach,
  leaving: {
    title: "통화에서 나갈까요?",
    hint: "내가 나가도 통화는 계속돼요.",
    stay: "계속 통화하기",
    leave: "나가기",
  },
  elsewhere: {
    title: "다른 탭에서 이 통화에 참여하고 있어요",
    hint: "마이크가 두 개 켜지면 모두에게 소리가 울려요.",
    move: "여기로 옮기기",
    otherCall: (room) => `다른 탭에서 ‘${room}’ 통화에 참여하고 있어요`,
    otherCallHint:
      "그 통화에서 마이크가 켜져 있어요. 여기서도 켜면 두 통화에 모두 목소리가 들려요.",
    muteThere: "그 통화에서 음소거하고 참여하기",
    second: "여기서도 음소거로 참여하기",
    moved: "다른 탭에서 통화를 이어가요",
    movedHint: "통화를 그 탭으로 옮겼어요. 이 탭은 닫아도 돼요.",
  },
  comingBack: {
    title: "통화로 돌아가고 있어요…",
    stayOut: "돌아가지 않기",
  },
  callEnded: {
    title: "통화에서 나왔어요",
    removed: "통화에서 내보내졌어요",
    removedHint: "진행자가 내보냈어요. 이 통화에는 다시 들어갈 수 없어요.",
    ended: "통화가 끝났어요",
    endedHint: "진행자가 모두의 통화를 끝냈어요.",
    lost: "연결이 끊겼어요",
    lostHint: "오랫동안 서버에 연결할 수 없었어요.",
    again: "다시 참여하기",
    home: "처음으로 돌아가기",
    documentTitle: (room) => `${room} · 통화 종료`,
  },
};
