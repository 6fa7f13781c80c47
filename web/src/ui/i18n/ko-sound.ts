import type { SoundMessages } from "./en-sound.ts";

export const koSound: SoundMessages = {
  title: "소리와 화면",
  sound: "소리",
  picture: "화면",
  testSpeaker: "스피커 확인",
  playing: "소리를 내고 있어요…",
  speakerFailed: "소리를 내지 못했어요. 다른 스피커를 골라 주세요.",
  testMic: "마이크 확인",
  testMicHint: "3초 동안 녹음해서 다시 들려줘요. 나에게만 들려요.",
  recording: "아무 말이나 해 보세요…",
  playingBack: "다시 들려주고 있어요…",
  micFailed: "마이크 소리를 녹음하지 못했어요. 다른 마이크를 골라 주세요.",
  muted: "마이크가 꺼져 있어요",
  mutedHint: "지금 하는 말이 다른 사람에게 들리지 않아요.",
  silent: "목소리가 들리지 않아요",
  silentHint:
    "마이크에서 소리가 들어오지 않아요. 마이크 스위치를 확인하거나 다른 마이크를 골라 주세요.",
  neverAgain: "다시 보지 않기",
  noise: "소음 제거",
  noiseOf: { off: "끄기", browser: "보통", strong: "강하게" },
  autoGain: "음량 자동 조절",
  music: "음악 모드",
  musicHint:
    "악기나 노래를 들려줄 때 써요. 소리를 다듬지 않고 스테레오로 보내요. 울리지 않도록 이어폰을 쓰세요.",
  pushToTalk: "누르고 말하기",
  pushToTalkHint: "V 키나 스페이스 바를 누르고 있는 동안에만 마이크가 켜져요.",
  flip: "카메라 전환",
};
