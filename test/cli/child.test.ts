import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { MeshError } from '#kit';

import { type Child, spawnChild } from '../../cli/local/child.ts';
import { inherited } from './support/shop-folder.ts';

describe('a process under the supervisor', function () {
  this.timeout(30_000);
  this.slow(3_000);

  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-child-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function spawnProgram(text: string | undefined, stopTimeoutMs = 20_000): Promise<Child> {
    const launcher = join(folder, 'program.mjs');
    if (text !== undefined) await writeFile(launcher, text);
    const options = { name: 'order', services: ['order'] as const, logFolder: folder, stopTimeoutMs, environment: inherited() };
    return spawnChild({ ...options, ...(text !== undefined && { launcher }) });
  }

  it('that falls before it serves is refused with what it said last, and where the rest is', async () => {
    const child = await spawnProgram('console.log("loading");\nthrow new TypeError("cannot even begin");\n');
    const error = await failureOf(child.start({}));
    expect(error.reason).to.equal('START_FAILED');
    expect(error.message).to.equal(
      `order ended with exit code 1 before it was ready: TypeError: cannot even begin. Its log: ${join(folder, 'order.log')}`,
    );
    expect(await child.exited).to.equal('ended with exit code 1');
  });

  it('that was killed says by what', async () => {
    const child = await spawnProgram('process.kill(process.pid, "SIGKILL");\n');
    expect((await failureOf(child.start({}))).message).to.match(/^order was killed \(SIGKILL\) before it was ready/);
    expect(await child.exited).to.equal('was killed (SIGKILL)');
  });

  it('that is stopped before it has its settings ends at once, and well', async () => {
    const child = await spawnProgram(undefined);
    const began = performance.now();
    await child.stop();
    expect(performance.now() - began).to.be.lessThan(10_000);
    expect(await child.exited).to.be.oneOf(['', 'was killed (SIGTERM)']);
  });

  it('that does not stop is killed', async () => {
    const child = await spawnProgram('process.on("SIGTERM", () => {});\nprocess.on("message", () => process.send({ kind: "ready", services: [] }));\n', 100);
    await child.start({});
    await child.stop();
    expect(await child.exited).to.equal('was killed (SIGKILL)');
  });
});

async function failureOf(attempt: Promise<unknown>): Promise<MeshError> {
  const thrown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (thrown instanceof MeshError) return thrown;
  throw new Error('it should have been refused');
}
