// The system's Firefox, driven over WebDriver BiDi: Playwright only drives its own build.

import { type Browser, launch } from "puppeteer-core";

export const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** Preferences with which Firefox paints pages in the colours of the system (`forced-colors`). */
export const FORCED_COLOURS = { "browser.display.document_color_use": 2 };

/** `profile`: folder of a prepared profile, for example with certificates. */
export function launchFirefox(
  profile?: string,
  preferences: Readonly<Record<string, number>> = {},
): Promise<Browser> {
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
      ...preferences,
    },
  });
}
