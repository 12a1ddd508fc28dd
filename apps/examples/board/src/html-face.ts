// The board for people: plain HTML that needs no script.

import type { Shown } from './board.ts'
import type { BoardError } from './board-error.ts'
import { type Fields, LIMITS } from './draft.ts'
import { type Html, html } from './html.ts'
import type { Front, Post, Summary, Thread } from './post-store.ts'

/** How requests are read and answers written. The routes of all faces are the same. */
export interface Face {
  readonly contentType: string
  /** Takes a body apart. @throws {BoardError} `BAD_REQUEST` */
  fieldsOf(body: string): Fields
  front(shown: Shown<Front>): string
  thread(shown: Shown<Thread>): string
  posted(post: { readonly threadId: string; readonly id: string }): Answer
  /** What went wrong, along with what was written, so that nothing is lost. */
  failed(error: BoardError, attempt: Attempt | undefined): string
}

/** An answer, but for the headers that all answers have. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** What somebody wrote, and where; without a thread to begin one. */
export interface Attempt {
  readonly fields: Fields
  readonly threadId: string | undefined
}

/** @param newId names the post of each form that is drawn, so that it is posted once */
export function htmlFace(newId: () => string): Face {
  const formOf = (threadId?: string) => form({ fields: { id: newId() }, threadId })
  return {
    contentType: 'text/html; charset=utf-8',
    fieldsOf: (body) => Object.fromEntries(new URLSearchParams(body)),
    front: (shown) => page('The board', front(shown, formOf())),
    thread: (shown) => page(shown.view.title, thread(shown, formOf(shown.view.id))),
    posted: ({ threadId, id }) => {
      return { status: 303, headers: { Location: `/threads/${threadId}#${id}` }, body: '' }
    },
    failed: (error, attempt) => page('Not done', failure(error, attempt)),
  }
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/board.css">
<header><a href="/">The board</a></header>
<main>
${content}
</main>
`.text
}

function front({ view, isStale }: Shown<Front>, newThread: Html): Html {
  const { threads, next } = view
  return html`${isStale ? staleNote(view.readAtMs) : ''}
<h1>Latest threads</h1>
<ol class="threads">${threads.map(line)}</ol>
${threads.length === 0 ? html`<p>Nothing yet.</p>` : ''}
${next ? html`<p><a rel="next" href="/?before=${next}">Older threads</a></p>` : ''}
<h2>Begin a thread</h2>
${newThread}`
}

function line({ id, title, posts, lastAtMs }: Summary): Html {
  const count = posts === 1 ? '1 post' : `${posts} posts`
  return html`
<li><a href="/threads/${id}">${title}</a> <small>${count}, the last ${time(lastAtMs)}</small></li>`
}

function thread({ view, isStale }: Shown<Thread>, reply: Html): Html {
  return html`${isStale ? staleNote(view.readAtMs) : ''}
<h1>${view.title}</h1>
${view.posts.map(article)}
<h2>Reply</h2>
${reply}`
}

function article({ id, name, text, atMs }: Post): Html {
  return html`
<article id="${id}"><h3>${name} <small>${time(atMs)}</small></h3><p>${text}</p></article>`
}

function failure(error: BoardError, attempt: Attempt | undefined): Html {
  return html`<p class="failed" role="alert">${error.message}</p>
${attempt ? html`<p>Nothing that you wrote is lost: here it is.</p>${form(attempt)}` : ''}`
}

function staleNote(readAtMs: number): Html {
  return html`<p class="stale" role="status">The database cannot be reached. This is how it was at
${time(readAtMs)}.</p>`
}

function form({ fields, threadId }: Attempt): Html {
  const { name, title, text } = LIMITS
  const titleField = html`
<label>Title <input name="title" required maxlength="${title}" value="${fields.title}"></label>`
  return html`
<form method="post" action="/threads${threadId ? `/${threadId}/posts` : ''}">
<input type="hidden" name="id" value="${fields.id}">${threadId ? '' : titleField}
<label>Your name <input name="name" maxlength="${name}" value="${fields.name}"
 placeholder="Anonymous" autocomplete="nickname"></label>
<label>Text <textarea name="text" required maxlength="${text}" rows="6">
${fields.text}</textarea></label>
<button>Post</button>
</form>`
}

function time(atMs: number): Html {
  const iso = new Date(atMs).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`
}
