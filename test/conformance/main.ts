// npm run test:conformance: connectrpc's conformance suite against our server and our client. See --help.
import { parseArgs } from 'node:util';

import { requireBackend } from '../backends/locate.ts';
import { knownCases, type Side } from './known-cases.ts';
import { runSuite } from './run-suite.ts';

const sides: readonly Side[] = ['server', 'client'];

const help = `Usage: npm run test:conformance -- [server] [client] [--run PATTERN…]

Runs connectrpc's conformance suite (gRPC protocol) against this runtime's server
and client: compression, TLS, all kinds of streams, metadata, deadlines,
cancellation, errors, and peers that break the protocol. Needs connectconformance:
\`npm run backends -- connectconformance\`. Cases that are known to fail stand in
test/conformance/known-cases.ts, each with its cause.

  --run PATTERN  only cases of these names; * is one part of a name, ** any number
  -h, --help     this text

Exit code: 0 every case ended as it should, 1 another failed or one of the known
ones passed, 2 wrong arguments.
`;

async function run(): Promise<number> {
  const options = { run: { type: 'string', multiple: true, default: [] as string[] }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return say(help, 0);
  const unknown = positionals.find((name) => !sides.some((side) => side === name));
  if (unknown !== undefined) return say(`There is no side ${unknown}: name server, client or none.\n`, 2);
  const command = await requireBackend('connectconformance');
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  let failed = false;
  for (const side of sides) {
    if (positionals.length > 0 && !positionals.includes(side)) continue;
    const { ok, cases, passed, output } = await runSuite(side, { command, only: values.run, signal: stop.signal });
    if (!ok) say(`${output}\n`, 1);
    say(`${side}: ${passed} of ${cases} cases passed${ok ? '' : '; what failed stands above'}\n`, 0);
    failed ||= !ok;
  }
  if (values.run.length === 0) for (const side of sides) explain(side);
  return failed ? 1 : 0;
}

function explain(side: Side): void {
  const lines = knownCases[side].map(({ pattern, fails, cause }) => `  ${pattern}: fails ${fails}; ${cause}`);
  say(`\nKnown of the ${side}:\n${lines.join('\n')}\n`, 0);
}

function say(text: string, code: number): number {
  process[code === 0 ? 'stdout' : 'stderr'].write(text);
  return code;
}

process.exitCode = await run();
