/** English texts of the settings and tests of sound and picture, and of the hints about them. */
export const enSound = {
  title: "Audio and video",
  sound: "Audio",
  picture: "Video",
  testSpeaker: "Test speaker",
  playing: "Playing…",
  speakerFailed: "The sound couldn't be played. Choose another speaker.",
  testMic: "Test microphone",
  testMicHint: "The microphone test records three seconds and plays them back. Only you hear them.",
  recording: "Say something…",
  playingBack: "Playing back…",
  micFailed: "The microphone couldn't be recorded. Choose another one.",
  muted: "You're muted",
  mutedHint: "The others can't hear what you say.",
  silent: "We can't hear you",
  silentHint: "No sound arrives from your microphone. Check its switch, or choose another one.",
  neverAgain: "Don't show again",
  noise: "Noise suppression",
  noiseOf: { off: "Off", browser: "Standard", strong: "Strong" },
  noiseFailed: "Strong suppression didn't start, so your sound is sent as it is.",
  autoGain: "Adjust my volume automatically",
  music: "Music mode",
  musicHint:
    "For instruments and singing: nothing is filtered out. Use headphones so that the others hear no echo.",
  pushToTalk: "Push to talk",
  pushToTalkHint: "Your microphone is on only while you hold V or the space bar.",
  flip: "Switch camera",
  data: "Data",
  receive: "What you receive",
  receiveOf: { all: "Everything", less: "Smaller videos", sound: "Sound only" },
  receiveLessHint:
    "Has an effect once the call goes through the media server. In a small, direct call you receive everything.",
  send: "Your video",
  sendOf: { auto: "Automatic", low: "Low quality", saver: "Data saver" },
  weakUpload: "Your upload is weak",
  weakUploadHint:
    "Others may not see or hear you well. Send less video, or move closer to your router.",
  sendLess: "Send less video",
  soundOnly: "You receive sound only",
  showVideo: "Show video",
};

export type SoundMessages = typeof enSound;
