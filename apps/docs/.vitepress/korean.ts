// The words of the theme in Korean: those that VitePress itself shows around the pages.

/** What config.ts puts into the locale `ko`. */
export const KOREAN = {
  guides: '안내서',
  packages: '패키지',
  about: '소개',
  site: {
    description: '분산 시스템을 이루는 부품들, 하나하나가 독립된 npm 패키지',
  },
  theme: {
    outline: { level: [2, 3] as [number, number], label: '이 페이지에서' },
    docFooter: { prev: '이전', next: '다음' },
    darkModeSwitchLabel: '화면 모드',
    lightModeSwitchTitle: '밝은 화면으로',
    darkModeSwitchTitle: '어두운 화면으로',
    sidebarMenuLabel: '메뉴',
    returnToTopLabel: '맨 위로',
    langMenuLabel: '언어 바꾸기',
    skipToContentLabel: '본문으로 건너뛰기',
    notFound: {
      title: '찾을 수 없는 페이지',
      quote: '주소가 바뀌었거나 잘못 적혔습니다.',
      linkLabel: '첫 페이지로',
      linkText: '첫 페이지로',
    },
  },
  search: {
    translations: {
      button: { buttonText: '검색', buttonAriaLabel: '검색' },
      modal: {
        displayDetails: '자세히 보기',
        resetButtonTitle: '지우기',
        backButtonTitle: '닫기',
        noResultsText: '결과가 없습니다:',
        footer: {
          selectText: '선택',
          navigateText: '이동',
          closeText: '닫기',
        },
      },
    },
  },
}
