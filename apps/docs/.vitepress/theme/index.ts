// The theme: VitePress' own in the colours of the house, without its web fonts, and the
// playgrounds, each of which is a chunk that only its page asks for.

import type { Router, SiteData, Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import type { Ref } from 'vue'
import playgrounds from '../../playgrounds/index.ts'
import { playgroundPlace } from './playground-place.ts'
import './style.css'
import './house.css'
import './playground-place.css'

export default {
  extends: DefaultTheme,
  enhanceApp({ app, router, siteData }) {
    for (const [name, component] of Object.entries(playgrounds)) {
      app.component(name, playgroundPlace(name, component))
    }
    routeBetweenLanguages(router, siteData)
  },
} satisfies Theme

/** Lets the menu of languages lead to the same page where there is one, else to the first page. */
function routeBetweenLanguages({ route }: Router, siteData: Ref<SiteData>): void {
  Object.defineProperty(siteData.value.themeConfig, 'i18nRouting', {
    configurable: true,
    enumerable: true,
    get: () => route.data.frontmatter.isTranslated === true,
  })
}
