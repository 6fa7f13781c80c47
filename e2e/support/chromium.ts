// The system's Chromium, with a fake camera and microphone.

/** The system's browser: tests do not download one. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const BASE_FLAGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--mute-audio",
];

/** Background pages run unthrottled, like the one in front. */
const UNTHROTTLED = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--autoplay-policy=no-user-gesture-required",
];

const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Lets two pages on one machine connect even if loopback is its only interface. */
const LOOPBACK = [
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

export const CHROMIUM_FLAGS = [...BASE_FLAGS, ...UNTHROTTLED, ...FAKE_DEVICES, ...LOOPBACK];

/** Flags for network namespaces: no loopback shortcut, and the server's CA is not installed. */
export const CHROMIUM_FLAGS_BEHIND_NAT = [
  ...BASE_FLAGS,
  ...UNTHROTTLED,
  ...FAKE_DEVICES,
  "--ignore-certificate-errors",
];

/** Denies every request for a camera or microphone. */
export const CHROMIUM_FLAGS_DENYING_DEVICES = [
  ...BASE_FLAGS,
  ...UNTHROTTLED,
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream=deny",
  ...LOOPBACK,
];
