// Chromium as the system installed it, with a fake camera and microphone.

/** Test tools must not download a browser of their own. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const QUIET = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--mute-audio",
];

/** Pages in the background are as awake as the one in front. */
const AWAKE = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--autoplay-policy=no-user-gesture-required",
];

const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Lets two pages of one machine meet where it has no other interface than loopback. */
const LOOPBACK = [
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

export const CHROMIUM_FLAGS = [...QUIET, ...AWAKE, ...FAKE_DEVICES, ...LOOPBACK];

/** For machines of their own, in namespaces: no loopback shortcut, and the server's local CA is not installed. */
export const CHROMIUM_FLAGS_BEHIND_NAT = [
  ...QUIET,
  ...AWAKE,
  ...FAKE_DEVICES,
  "--ignore-certificate-errors",
];

/** Whoever is asked for a camera or a microphone says no. */
export const CHROMIUM_FLAGS_REFUSING = [
  ...QUIET,
  ...AWAKE,
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream=deny",
  ...LOOPBACK,
];
