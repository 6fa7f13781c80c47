/** English texts of the settings and tests of sound and picture, and of the hints about them. */
export const enSound = {
  title: "Sound and picture",
  sound: "Sound",
  picture: "Picture",
  testSpeaker: "Test speaker",
  playing: "Playing…",
  speakerFailed: "The sound couldn't be played. Choose another speaker.",
  testMic: "Test microphone",
  testMicHint: "Records three seconds and plays them back. Only you hear them.",
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
  autoGain: "Adjust my volume automatically",
  music: "Music mode",
  musicHint:
    "For instruments and singing: stereo, without processing. Use headphones, so that the others hear no echo.",
  pushToTalk: "Push to talk",
  pushToTalkHint: "Your microphone is on only while you hold V or the space bar.",
  flip: "Switch camera",
};

export type SoundMessages = typeof enSound;
