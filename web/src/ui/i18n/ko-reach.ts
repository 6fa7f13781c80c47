import type { ReachMessages } from "./en-reach.ts";

export const koReach: ReachMessages = {
  join: {
    label: "방 이름 또는 링크(선택)",
    submit: "참여하기",
    nowhere: "방의 링크나 이름이 아니에요.",
    elsewhere: (host) => `다른 서버(${host})로 가는 링크예요.`,
    goElsewhere: (host) => `${host} 서버로 가기`,
  },
  mine: {
    title: "최근에 간 방",
    justNow: "방금",
    pin: (room) => `‘${room}’ 방 고정하기`,
    unpin: (room) => `‘${room}’ 방 고정 해제하기`,
    remove: (room) => `‘${room}’ 방을 목록에서 지우기`,
    invite: (room) => `‘${room}’ 방에 초대하기`,
    forgetAll: "모두 지우기",
    forgetAllWhy: "이 목록은 이 기기에만 있어요. 고정한 방도 함께 지워져요.",
    keep: "그대로 두기",
  },
  options: {
    waiting: "대기실",
    waitingHint: "한 사람씩 직접 들여보내요.",
    noWaiting: "이 서버의 방에는 진행자가 없어서 대기실을 쓸 수 없어요.",
    template: "방 종류",
    noTemplate: "기본",
  },
  invite: {
    title: (room) => `‘${room}’ 방에 초대하기`,
    people: "초대하기",
    link: "방 링크",
    share: "공유하기…",
    qr: "QR 코드",
    qrHint: "휴대폰 카메라로 찍어 보세요.",
    qrLabel: (link) => `링크 ${link}의 QR 코드`,
    qrTooLong: "링크가 너무 길어서 QR 코드로 만들 수 없어요.",
    qrFailed: "QR 코드를 불러오지 못했어요. 연결을 확인하고 다시 시도해 주세요.",
    mail: "이메일",
    mailSubject: (room) => `영상 통화: ${room}`,
    mailBody: (room, link) =>
      `‘${room}’ 영상 통화에 참여해 주세요.\n\n${link}\n\n브라우저에서 바로 열려요. 따로 설치하지 않아도 돼요.\n`,
    calendar: "캘린더",
    start: "시작 시각",
    length: "통화 시간",
    minutes: (minutes) => (minutes < 60 ? `${minutes}분` : `${minutes / 60}시간`),
    download: "캘린더 파일 저장하기",
    noStart: "날짜와 시간을 골라 주세요.",
    fileName: "통화",
  },
  lobby: {
    willAsk: {
      both: "카메라와 마이크를 써도 되는지 브라우저가 물어봐요. ‘허용’을 눌러 주세요.",
      camera: "카메라를 써도 되는지 브라우저가 물어봐요. ‘허용’을 눌러 주세요.",
      microphone: "마이크를 써도 되는지 브라우저가 물어봐요. ‘허용’을 눌러 주세요.",
    },
    onlyHere: "참여하기 전에는 아무도 나를 보거나 듣지 못해요.",
  },
  waiting: {
    since: "기다리는 동안에는 영상과 소리를 보내지 않아요.",
  },
  after: {
    room: (room) => `‘${room}’ 방`,
    seconds: (seconds) => `${seconds}초`,
    minutes: (minutes) => `${minutes}분`,
    hours: (hours, minutes) => (minutes === 0 ? `${hours}시간` : `${hours}시간 ${minutes}분`),
    lasted: (time) => `${time} 동안 통화했어요.`,
  },
};
