// A page of the site in Chromium, and all that the browser complained about.

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright'
import { CHROMIUM_ARGS } from '../../../tools/chromium.mjs'

/** An open page. */
export interface SitePage {
  readonly page: Page
  /** Errors of the console and of scripts, failed requests, requests to other hosts. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Starts the Chromium of this machine, for which no other host is there. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium'
  const alone = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
  return chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, alone] })
}

/** A visitor who has not been here before. */
export function newVisitor(
  browser: Browser,
  options: BrowserContextOptions,
): Promise<BrowserContext> {
  return browser.newContext({ reducedMotion: 'reduce', ...options })
}

/** Opens a page for a visitor of its own. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
): Promise<SitePage> {
  const visitor = await newVisitor(browser, options)
  const opened = await openFor(visitor, url, options)
  return { ...opened, close: () => visitor.close() }
}

/** Opens a page for a visitor, waits until its scripts have arrived and its playgrounds stand. */
export async function openFor(
  visitor: BrowserContext,
  url: string,
  { javaScriptEnabled = true }: BrowserContextOptions = {},
): Promise<SitePage> {
  const page = await visitor.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (!response.ok() && response.status() !== 304) {
      complaints.push(`${response.status()}: ${response.url()}`)
    }
  })
  const { origin } = new URL(url)
  page.on('request', (request) => {
    const to = new URL(request.url())
    if (to.origin !== origin && !/^(?:data|blob):/u.test(to.protocol)) {
      complaints.push(`another host: ${to}`)
    }
  })
  await page.goto(url)
  if (javaScriptEnabled) await settled(page)
  return { page, complaints, close: () => page.close() }
}

/** Waits until the page is mounted, and its playgrounds stand where their places were. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const places = [...document.querySelectorAll('.playground-place')]
    const isMounted = '__vue_app__' in (document.querySelector('#app') ?? {})
    return isMounted && places.every((place) => place.querySelector('.playground') !== null)
  })
  // What would still move after that has the time to do so, and be noticed.
  await page.waitForTimeout(100)
}

/** How far things have moved since the page began to load, as browsers score it; 0: not at all. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(async () => {
    interface Shift extends PerformanceEntry {
      readonly value: number
    }
    let sum = 0
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) sum += entry.value
    })
    observer.observe({ type: 'layout-shift', buffered: true })
    // Browsers tell of what has moved a frame or two later.
    await new Promise((resolve) => setTimeout(resolve, 100))
    return sum
  })
}
