import type { HomeMessages } from "./en-home.ts";

export const koHome: HomeMessages = {
  rooms: {
    title: "열려 있는 방",
    empty: "아직 열려 있는 방이 없어요",
    emptyHint: "방을 만들고 링크를 보내 보세요.",
    loading: "열려 있는 방을 찾고 있어요…",
    offline: "서버에 연결할 수 없어요. 다시 시도하고 있어요…",
    people: (here, capacity) => `${capacity}명 중 ${here}명이 들어와 있어요`,
    full: "가득 참",
    locked: "비밀번호 필요",
    otherApp: "다른 앱의 방",
    peopleInOtherApp: (here) => `${here}명`,
  },

  signIn: {
    button: "로그인",
    signedInAs: (name) => `${name}님으로 로그인했어요`,
    signOut: "로그아웃",
    signOutFailed: "서버가 응답하지 않아 아직 로그인되어 있어요. 다시 시도해 주세요.",
    errors: {
      away: "지금은 로그인 서비스에 연결할 수 없어요. 잠시 뒤에 다시 시도해 주세요.",
      expired: "로그인하는 데 너무 오래 걸렸거나 다른 브라우저에서 시작했어요. 다시 시도해 주세요.",
      refused: "로그인 서비스에서 로그인하지 못했어요. 다시 시도해 주세요.",
      not_host: "이 계정으로는 방을 열 수 없어요. 링크를 받은 방에는 들어갈 수 있어요.",
      insecure: "로그인하려면 이 페이지를 HTTPS로 열어 주세요.",
      busy: "지금 로그인하는 사람이 너무 많아요. 잠시 뒤에 다시 시도해 주세요.",
      failed: "로그인하지 못했어요. 계속 안 되면 이 서버의 운영자에게 알려 주세요.",
    },
  },

  create: {
    options: "추가 설정",
    capacity: "최대 인원",
    capacityHint: "비워 두면 서버 기본값을 써요.",
    password: "비밀번호",
    passwordHint: "이 방에 들어오려면 입력해야 해요.",
    listed: "열려 있는 방 목록에 보이기",
    listedHint: "이 페이지에 온 사람은 누구나 방을 보고 들어올 수 있어요.",
    unlistedHint: "목록에 없으면 링크를 아는 사람만 들어올 수 있어요.",
    submit: "통화 시작하기",
    submitting: "시작하고 있어요…",
    exists: (room) => `‘${room}’ 방이 이미 있어요.`,
    goThere: "그 방으로 가기",
  },
};
