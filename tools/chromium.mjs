// Where the browser tests find a Chromium, and what to say where there is none.

import { existsSync } from 'node:fs'

/** The flags that Chromium needs to run headless as root on a machine without a network. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The line that installs Chromium. */
export const INSTALL_CHROMIUM =
  'apt-get install chromium (or set CHROMIUM_BIN to a Chromium or Chrome that is there)'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The path of a Chromium on this machine, or undefined: `CHROMIUM_BIN` goes first. */
export function findChromium() {
  const named = process.env.CHROMIUM_BIN
  if (named !== undefined && !existsSync(named)) {
    throw new Error(`CHROMIUM_BIN names ${named}, which does not exist: mend it or unset it`)
  }
  return named ?? PLACES.find((place) => existsSync(place))
}
