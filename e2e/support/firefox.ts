// The system's Firefox, driven over WebDriver BiDi: Playwright only drives its own build.

import { type Browser, launch } from "puppeteer-core";

export const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** `profile`: folder of a prepared profile, for example with certificates. */
export function launchFirefox(profile?: string): Promise<Browser> {
  return launch({
    ...(profile && { userDataDir: profile }),
    browser: "firefox",
    protocol: "webDriverBiDi",
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
      "media.peerconnection.ice.loopback": true,
      "intl.accept_languages": "en-US",
      "permissions.default.camera": 1,
      "permissions.default.microphone": 1,
    },
  });
}
