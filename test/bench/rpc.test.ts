import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import type { Figure } from '../../bench/figure.ts';
import { locateBackend, requireBackend } from '../backends/locate.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'bench', 'main.ts');

const WITH_ENVOY = [
  'rpc.unary_vs_envoy_sidecars',
  'rpc.cpu_per_call_vs_envoy',
  'rpc.cores_vs_envoy',
  'rpc.added_p99_vs_envoy',
  'rpc.added_p99_envoy',
  'rpc.spans_per_call (envoy)',
];

/** Differences, which noise can make less than nothing. */
const DIFFERENCES = ['rpc.added_p99_ours', 'rpc.added_p99_envoy'];

function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [MAIN, ...args]);
}

async function failureOf(...args: string[]): Promise<string> {
  const { stderr } = await run(...args).catch((thrown: { stderr: string }) => thrown);
  return stderr;
}

describe('npm run bench rpc', function () {
  this.timeout(90_000);
  let hasEnvoy = false;
  let figures: readonly Figure[] = [];

  before(async () => {
    hasEnvoy = (await locateBackend('envoy')) !== undefined;
    if (process.env['CI'] === 'true') await requireBackend('envoy');
    const { stdout } = await run('rpc', '--quick', '--json');
    figures = stdout.trim().split('\n').map((line): Figure => JSON.parse(line));
  });

  it('measures every figure in one run, as one JSON document each', () => {
    const expected = [
      'rpc.unary_vs_grpc_js',
      'rpc.unary_mtls_vs_grpc_js',
      'rpc.unary_mtls_vs_plaintext',
      'rpc.unary_vs_nice_grpc',
      'rpc.unary_vs_connect_node',
      'rpc.unary_vs_auto_instrumented',
      'rpc.unary_vs_envoy_sidecars',
      'rpc.cpu_per_call_vs_envoy',
      'rpc.cores_vs_envoy',
      'rpc.p99_4kb_vs_grpc_js',
      'rpc.p99_4kb_vs_grpc_js_wide',
      'rpc.calls_4kb_vs_grpc_js',
      'rpc.calls_4kb_vs_grpc_js_wide',
      'rpc.added_p99_vs_envoy',
      'rpc.added_p99_ours',
      'rpc.added_p99_envoy',
      'rpc.local_vs_remote',
      'rpc.local_vs_remote_untraced',
      'rpc.spans_per_call (ours)',
      'rpc.spans_per_call (ours-secured)',
      'rpc.spans_per_call (auto-instrumented)',
      'rpc.spans_per_call (envoy)',
      'rpc.spans_per_call (local)',
      'rpc.update_1000x10_ms',
      'rpc.update_1000x10_calls',
    ];
    expect(figures.map(({ figure }) => figure)).to.deep.equal(expected.filter((name) => hasEnvoy || !WITH_ENVOY.includes(name)));
    for (const figure of figures) expect(figure).to.have.all.keys('figure', 'value', 'unit', 'peer', 'peerValue', 'ratio', 'aim', 'met');
  });

  // How fast is no test's business. That each call was answered as it should be, each client checks itself.
  it('has answers from everybody', () => {
    for (const { figure, value, peer, peerValue } of figures) {
      if (!DIFFERENCES.includes(figure)) expect(value, figure).to.be.above(0);
      if (peer !== null) expect(peerValue, figure).to.be.above(0);
    }
  });

  // At this pace; others, and calls within a process, may lose some.
  it('sees every span of ours arrive, on either side, and some of everybody who traces', () => {
    const spans = new Map(figures.filter(({ unit }) => unit === 'spans a side').map((each) => [each.figure, each]));
    expect(spans.get('rpc.spans_per_call (ours)')).to.include({ aim: '>= 0.99', met: true });
    for (const { figure, value } of spans.values()) expect(value, figure).to.be.within(0.01, 1.1);
  });
});

describe('npm run bench', function () {
  this.timeout(30_000);

  it('names the benchmarks when asked for one there is not', async () => {
    expect(await failureOf('nothing')).to.include('start, rpc');
  });

  it('names the figures when asked for one there is not', async () => {
    expect(await failureOf('rpc', '--only', 'rpc.speed')).to.include('there is no figure speed').and.to.include('unary_vs_grpc_js');
  });

  it('takes the settings of rpc for rpc only', async () => {
    expect(await failureOf('start', '--ablate')).to.include('not for start');
  });
});
