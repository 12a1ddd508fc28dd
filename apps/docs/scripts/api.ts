// The API reference: typedoc reads the docstrings of every module that a package exports and writes
// Markdown to api/, which VitePress renders with the rest. What typedoc complains about, an export
// without a docstring or a link that leads nowhere, fails the build.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Application, type DeclarationReflection, LogLevel, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { ApiLogger } from './api-logger.ts'
import { entryPoints } from './entry-points.ts'
import { site } from './house.ts'

const options: Partial<TypeDocOptions & PluginOptions> & { docsRoot: string; sidebar: object } = {
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
  name: 'API',
  docsRoot: site,
  out: join(site, 'api'),
  entryPoints: entryPoints().map(({ file }) => file),
  tsconfig: join(site, 'tsconfig.api.json'),
  // `tsc -b` is a check of its own; here it would only be done once more, by another version.
  skipErrorChecking: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  readme: 'none',
  logLevel: LogLevel.Warn,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: false,
  useCodeBlocks: false,
  useHTMLAnchors: true,
  excludeExternals: true,
  expandObjects: false,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  enumMembersFormat: 'table',
  sidebar: { autoConfiguration: true, pretty: true },
}

/** Writes the reference; says and returns whether there was nothing to complain about. */
export async function writeApi(): Promise<boolean> {
  const app = await Application.bootstrapWithPlugins(options)
  const logger = new ApiLogger()
  app.logger = logger
  const project = await app.convert()
  if (project !== undefined) {
    for (const module of project.children ?? []) rename(module)
    app.validate(project)
    rmSync(join(site, 'api'), { recursive: true, force: true })
    await app.generateOutputs(project)
  }
  for (const complaint of logger.complaints) console.error(complaint)
  console.log(`API reference: ${logger.complaints.length} complaints`)
  return project !== undefined && logger.complaints.length === 0
}

/** typedoc calls a module by its file; readers know it by what they import. */
function rename(module: DeclarationReflection): void {
  const path = `packages/${module.name}`
  const entry = entryPoints().find(({ file }) => {
    return file.endsWith(`${path}.ts`) || file.endsWith(`${path}/index.ts`)
  })
  if (entry !== undefined) module.name = entry.name
}
