import type { SoundMessages } from "./en-sound.ts";

export const koSound: SoundMessages = {
  title: "카메라와 소리",
  sound: "소리",
  picture: "영상",
  testSpeaker: "스피커 확인",
  playing: "소리를 내고 있어요…",
  speakerFailed: "소리를 내지 못했어요. 다른 스피커를 골라 주세요.",
  testMic: "마이크 확인",
  testMicHint: "마이크를 확인할 때는 3초 동안 녹음해서 나에게만 다시 들려줘요.",
  recording: "아무 말이나 해 보세요…",
  playingBack: "다시 들려주고 있어요…",
  micFailed: "마이크 소리를 녹음하지 못했어요. 다른 마이크를 골라 주세요.",
  muted: "마이크가 꺼져 있어요",
  mutedHint: "지금 하는 말이 다른 사람에게 들리지 않아요.",
  silent: "내 목소리가 전해지지 않아요",
  silentHint:
    "마이크에서 소리가 들어오지 않아요. 마이크 스위치를 확인하거나 다른 마이크를 골라 주세요.",
  neverAgain: "다시 보지 않기",
  noise: "소음 제거",
  noiseOf: { off: "끄기", browser: "보통", strong: "강하게" },
  noiseFailed: "강한 소음 제거를 시작하지 못해서 소리를 그대로 보내고 있어요.",
  autoGain: "음량 자동 조절",
  music: "음악 모드",
  musicHint:
    "악기나 노래를 들려줄 때 써요. 소리를 다듬지 않고 그대로 보내요. 울리지 않도록 이어폰을 써 주세요.",
  pushToTalk: "누르고 말하기",
  pushToTalkHint: "V 키나 스페이스 바를 누르고 있는 동안에만 마이크가 켜져요.",
  flip: "카메라 전환",
  data: "데이터",
  receive: "받는 영상",
  receiveOf: { all: "모두 받기", less: "작은 영상으로 받기", sound: "소리만 받기" },
  receiveLessHint:
    "통화가 미디어 서버를 거칠 때만 적용돼요. 몇 명이 직접 연결된 통화에서는 모두 받아요.",
  send: "내 영상 화질",
  sendOf: { auto: "자동", low: "낮음", saver: "데이터 절약" },
  weakUpload: "업로드 속도가 느려요",
  weakUploadHint:
    "내 모습과 목소리가 끊겨 전해질 수 있어요. 영상을 적게 보내거나 공유기에 더 가까이 가 보세요.",
  sendLess: "영상을 적게 보내기",
  soundOnly: "소리만 받고 있어요",
  showVideo: "영상 보기",
};
