import { type Clock, MeshError } from '#kit';

import { type Check, fail, type Finding, type Scene } from './check.ts';

/** A finding, and whose. */
export type Diagnosis = { readonly check: string } & Finding;

/** Runs the checks side by side, none longer than `timeoutMs`, so that a server that hangs holds up nobody. */
export async function runChecks(checks: readonly Check[], scene: Scene, timeoutMs: number): Promise<readonly Diagnosis[]> {
  const all = await Promise.all(checks.map((check) => runCheck(check, scene, timeoutMs)));
  return checks.flatMap(({ name }, index) => (all[index] ?? []).map((finding) => ({ check: name, ...finding })));
}

async function runCheck(check: Check, scene: Scene, timeoutMs: number): Promise<readonly Finding[]> {
  const over = new AbortController();
  try {
    return await Promise.race([check.run(scene, over.signal), tooLate(scene.clock, timeoutMs, over.signal)]);
  } catch (thrown) {
    return [fail(MeshError.from(thrown).message, '')];
  } finally {
    over.abort();
  }
}

async function tooLate(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<readonly Finding[]> {
  await clock.sleep(timeoutMs, signal);
  return [fail(`no answer within ${timeoutMs / 1_000} s`, 'one of the servers that the settings name takes connections and does not answer; restart it')];
}
