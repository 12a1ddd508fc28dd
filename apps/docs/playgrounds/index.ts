// The playgrounds by the names that pages use, each a chunk that only its page asks for.

import './playground-heights.css'
import { type Component, defineAsyncComponent } from 'vue'

const playgrounds: Readonly<Record<string, Component>> = {
  RingPlayground: defineAsyncComponent(() => import('./ring-playground.vue')),
  IdPlayground: defineAsyncComponent(() => import('./id-playground.vue')),
  ClockPlayground: defineAsyncComponent(() => import('./clock-playground.vue')),
  CachePlayground: defineAsyncComponent(() => import('./cache-playground.vue')),
  BreakerPlayground: defineAsyncComponent(() => import('./breaker-playground.vue')),
  ReshardPlayground: defineAsyncComponent(() => import('./reshard-playground.vue')),
}

export default playgrounds
