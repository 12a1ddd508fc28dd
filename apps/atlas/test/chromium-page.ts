import { type Browser, chromium, type Page } from 'playwright'
import { CHROMIUM_ARGS } from '../../../tools/chromium.mjs'

/** Starts the Chromium of this machine. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, args: CHROMIUM_ARGS })
}

/** The page in a browser, and all that the browser complained about. */
export interface OpenPage {
  readonly page: Page
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Lets every request from now on be answered before the page is painted again. */
export async function answerAtOnce(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.fetch = async (path, { method = 'GET', headers, body = null } = {}) => {
      const request = new XMLHttpRequest()
      request.open(method, String(path), false)
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.send(body as string | null)
      return new Response(request.responseText, { status: request.status })
    }
  })
}

/** Opens the page and waits until every chapter is drawn. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  // No motion, so that a picture is either that of a change or that of calm.
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (!response.ok()) complaints.push(`${response.status()}: ${response.url()}`)
  })
  await page.goto(url)
  await page.locator('#nodes tr').first().waitFor()
  await page.locator('#lens-note', { hasText: 'arcs' }).waitFor()
  await page.locator('#id-bits .bit').first().waitFor()
  await page.locator('#diagram .happening').first().waitFor()
  await page.locator('#race-chart svg').waitFor()
  await page.locator('#answers svg').waitFor()
  await page.locator('#shards .column').first().waitFor()
  await page.locator('#caches .column').first().waitFor()
  return { page, complaints, close: () => context.close() }
}
