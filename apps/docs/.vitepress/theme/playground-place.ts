// Where a playground will stand: a place of its final height in the page as it is served, so that
// nothing moves when the playground's own script has arrived. Before that, or where no script
// runs, it says what would be there.

import { type Component, defineComponent, h, onMounted, ref } from 'vue'

/** The place of one playground; its height is in playground-place.css. */
export function playgroundPlace(name: string, playground: Component): Component {
  return defineComponent({
    name: `${name}Place`,
    inheritAttrs: false,
    setup(_, { attrs }) {
      const isMounted = ref(false)
      onMounted(() => {
        isMounted.value = true
      })
      return () =>
        h('div', { class: 'playground-place', 'data-playground': name }, [
          isMounted.value ? h(playground, attrs) : h('p', { class: 'playground-note' }, NOTE),
        ])
    },
  })
}

const NOTE = 'Here is a playground that runs the package itself. It needs JavaScript.'
