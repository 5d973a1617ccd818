import { type Command, InvalidArgumentError } from 'commander';

import type { WantedTrace } from '../commands/trace.ts';
import type { Usage } from './usage.ts';

export function addTrace({ command, output }: Usage): void {
  command('trace', 'show a request across all services: who called whom, what took the time, what failed')
    .argument('[id]', 'of the trace', readTraceId)
    .option('--last', 'the newest call that came from outside')
    .option('--order <id>', 'every trace of an order: placing it, cancelling it')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string | undefined, options: { last?: boolean; order?: string }, self: Command) => {
      const wanted = readWanted(id, options);
      if (!wanted) return self.error('error: say which trace: its id, --last, or --order <id>');
      const { traceCommand } = await import('../commands/trace.ts');
      await traceCommand(wanted, output);
    });
}

/** Undefined for none and for more than one. */
function readWanted(traceId: string | undefined, { last = false, order }: { last?: boolean; order?: string }): WantedTrace | undefined {
  const wanted: WantedTrace[] = [];
  if (traceId !== undefined) wanted.push({ by: 'id', traceId });
  if (last) wanted.push({ by: 'last' });
  if (order !== undefined) wanted.push({ by: 'order', orderId: order });
  return wanted.length === 1 ? wanted[0] : undefined;
}

function readTraceId(value: string): string {
  if (/^[0-9a-f]{1,32}$/i.test(value)) return value.toLowerCase();
  const hint = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? ` For an order: mesh trace --order ${value}` : '';
  throw new InvalidArgumentError(`A trace id is up to 32 hexadecimal digits.${hint}`);
}

const EXAMPLES = `
Examples:
  mesh trace --last               what has just happened
  mesh trace --order 01a201e5-…   what was done about an order, the newest last
  mesh trace cc7d2427107490d73eee85c54eb6c4c0 --json | jq '.errors'
The picture marks the critical path: what the trace's end waited for. Times of "critical" add up to the whole.
Read from the shop that runs in this folder, or else from MESH_JAEGER_URL.`;
