// The site: English at the root, Korean under /ko/. It asks nobody for anything: fonts are those of
// the machine, the search index is a file of the site. Packages resolve through their `source`
// condition, so that a playground runs the very code that is published.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { dark, light } from '../scripts/code-colours.ts'
import { pagesIn, rooms, site, titleOf } from '../scripts/house.ts'
import { pageElements } from '../scripts/page-elements.ts'
import { KOREAN } from './korean.ts'

const description =
  'The parts that every distributed system is built from, each its own npm package'

export default defineConfig({
  title: 'Ashlar',
  description,
  lang: 'en',
  cleanUrls: false,
  srcExclude: ['README.md', '**/node_modules/**'],
  head: [
    ['link', { rel: 'icon', href: '/favicon.svg', type: 'image/svg+xml' }],
    ['meta', { name: 'theme-color', content: '#efeae0', media: '(prefers-color-scheme: light)' }],
    ['meta', { name: 'theme-color', content: '#15161a', media: '(prefers-color-scheme: dark)' }],
    ['meta', { name: 'color-scheme', content: 'light dark' }],
    ['meta', { property: 'og:title', content: 'Ashlar' }],
    ['meta', { property: 'og:description', content: description }],
  ],
  markdown: {
    theme: { light, dark },
    config: (markdown) => pageElements(markdown, '/'),
  },
  vite: {
    resolve: { conditions: ['source'] },
    ssr: { noExternal: [/^@ashlar\//u], resolve: { conditions: ['source'] } },
    build: { chunkSizeWarningLimit: 4_000 },
  },
  transformPageData({ frontmatter, relativePath }) {
    const other = relativePath.startsWith('ko/') ? relativePath.slice(3) : `ko/${relativePath}`
    frontmatter.isTranslated = existsSync(join(site, other))
  },
  transformHtml: (html) => steady(html),
  locales: {
    root: { label: 'English', lang: 'en', themeConfig: english() },
    ko: { label: '한국어', lang: 'ko', ...KOREAN.site, themeConfig: korean() },
  },
  themeConfig: {
    logo: '/favicon.svg',
    search: { provider: 'local', options: { locales: { ko: KOREAN.search } } },
  },
})

/** VitePress gives the bar at the top its class only after the page is mounted: it would jump. */
function steady(html: string): string {
  return html.includes('class="VPSidebar"')
    ? html.replace('class="VPNavBar"', 'class="VPNavBar has-sidebar"')
    : html
}

function english(): DefaultTheme.Config {
  const guides = pages('guide', '')
  return {
    nav: [
      { text: 'Guides', link: guides[0]?.link ?? '/', activeMatch: '^/guide/' },
      { text: 'Packages', link: '/packages/ring', activeMatch: '^/packages/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: {
      '/api/': reference(),
      '/': [
        { text: 'Guides', items: guides },
        { text: 'Packages', items: packages() },
        ...group('About', pages('about', '')),
      ],
    },
    outline: { level: [2, 3] },
  }
}

function korean(): DefaultTheme.Config {
  const guides = pages('ko/guide', '')
  return {
    nav: [
      { text: KOREAN.guides, link: guides[0]?.link ?? '/ko/', activeMatch: '^/ko/guide/' },
      { text: KOREAN.packages, link: '/packages/ring', activeMatch: '^/packages/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: {
      '/ko/': [
        ...group(KOREAN.guides, guides),
        { text: KOREAN.packages, items: packages() },
        ...group(KOREAN.about, pages('ko/about', '')),
      ],
    },
    ...KOREAN.theme,
  }
}

function group(text: string, items: DefaultTheme.SidebarItem[]): DefaultTheme.SidebarItem[] {
  return items.length > 0 ? [{ text, items }] : []
}

function pages(folder: string, prefix: string): { text: string; link: string }[] {
  return pagesIn(folder).map((file) => ({
    text: prefix + titleOf(join(site, folder, file)),
    link: `/${folder}/${file.replace('.md', '')}`,
  }))
}

function packages(): DefaultTheme.SidebarItem[] {
  return rooms().map(({ name }) => ({ text: name, link: `/packages/${name}` }))
}

/**
 * The sidebar that typedoc wrote, if it has run: the modules alone, and without the scope that all
 * names have. A module's namespaces have links on its page.
 */
function reference(): DefaultTheme.SidebarItem[] {
  const file = join(site, 'api', 'typedoc-sidebar.json')
  if (!existsSync(file)) return []
  const modules: DefaultTheme.SidebarItem[] = JSON.parse(readFileSync(file, 'utf8'))
  const items = modules.map(({ text = '', link = '' }) => {
    return { link, text: text.replace('@ashlar/', '') }
  })
  return [{ text: 'API reference', link: '/api/', items }]
}
