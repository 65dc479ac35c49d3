import type { TestApp } from './app.ts'

/** One route as its router has it, e.g. `POST /interacao/:uid/entrar`. */
export interface Route {
  readonly method: string
  readonly pattern: string
}

/** Every route of every router of the application, by walking their stacks; the protocol's own endpoints have no router. */
export function routesOf({ web }: Pick<TestApp, 'web'>): Route[] {
  const routes = web.app.middleware.flatMap(layersOf).flatMap(({ methods, path }) =>
    methods.filter((method) => method !== 'HEAD').map((method) => ({ method, pattern: String(path) })),
  )
  return [...new Map(routes.map((route) => [`${route.method} ${route.pattern}`, route])).values()]
}

interface Layer {
  readonly methods: readonly string[]
  readonly path: unknown
}

function layersOf(middleware: object): Layer[] {
  const router: unknown = Reflect.get(middleware, 'router')
  const stack: unknown = typeof router === 'object' && router !== null ? Reflect.get(router, 'stack') : undefined
  return Array.isArray(stack) ? stack : []
}

/** The route's address with its parameters filled in. */
export function addressOf({ pattern }: Route, { uid, id = '00000000-0000-4000-8000-000000000000' }: { uid: string; id?: string }): string {
  return pattern.replace(':uid', uid).replaceAll(/:(token|link)\b/g, 'a'.repeat(43)).replace(':poder', 'a%3Aa%3A1').replaceAll(/:(id|part|document|signature|attempt|image|item|unit|procuracao)\b/g, id).replace('*rest', 'seja-o-que-for').replaceAll(/:(room|code)\b/g, 'platform').replaceAll(/:\w+/g, 'x')
}
