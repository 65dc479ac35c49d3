/**
 * Loaded before a test file (`--import`): spares `node:test`'s record of every asynchronous resource, a fifth of the CPU of a test over HTTP.
 *
 * The runner keeps it to tell in which test an error was thrown that nobody caught. Without it such an error fails the file instead
 * (`runner.test.ts` proves it).
 */
import asyncHooks, { type AsyncHook, type HookCallbacks } from 'node:async_hooks'

const RUNNER = 'node:internal/test_runner/'
const createHook = asyncHooks.createHook
const unused: AsyncHook = { enable: () => unused, disable: () => unused }

asyncHooks.createHook = (callbacks: HookCallbacks) => (new Error('who asks').stack?.includes(RUNNER) ? unused : createHook(callbacks))
