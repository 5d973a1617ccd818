import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

const MAIN = join(import.meta.dirname, '..', '..', 'bench', 'main.ts');

describe('npm run bench', function () {
  this.timeout(60_000);

  it('measures calls against a peer in one run, as one JSON document a figure', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'rpc', '--quick', '--json']);
    const figures = stdout.trim().split('\n').map((line): Record<string, unknown> => JSON.parse(line));
    expect(figures.map(({ figure }) => figure)).to.deep.equal(['rpc.unary_vs_grpc_js']);
    expect(figures[0]).to.have.all.keys('figure', 'value', 'unit', 'peer', 'peerValue', 'ratio', 'aim', 'met');
    // That both were measured; how fast is no test's business.
    expect(figures[0]?.['value']).to.be.above(0);
    expect(figures[0]?.['peerValue']).to.be.above(0);
  });

  it('names the benchmarks when asked for one there is not', async () => {
    const failed = await promisify(execFile)(process.execPath, [MAIN, 'nothing']).catch((thrown: { stderr: string }) => thrown);
    expect(failed.stderr).to.include('start, rpc');
  });
});
