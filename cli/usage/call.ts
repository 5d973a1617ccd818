import type { Usage } from './usage.ts';

export function addCall({ command, output, finish }: Usage): void {
  command('call <method> [request]', 'call any method of any service; the request is JSON, @file, or - for standard input')
    .option('-H, --header <key:value>', 'send a header; may be given more than once', (value: string, all: string[]) => [...all, value], [])
    .option('--as <name>', 'sign in first: demo, staff, or the mail address of an account, whose password is in MESH_PASSWORD or is asked for')
    .option('--deadline <time>', 'how long the call may take, such as 500ms or 2s', '15s')
    .addHelpText('after', EXAMPLES)
    .action(async (method: string, request: string | undefined, options: { header: string[]; deadline: string; as?: string }) => {
      const { callCommand } = await import('../commands/call.ts');
      finish(await callCommand(method, request, options, output));
    });
}

const EXAMPLES = `
Examples:
  mesh call product.ListProducts                             what is public, and what is for operators
  mesh call --as demo order.ListOrders '{"userId":"demo"}'   what is for people
  mesh call inventory.GetStock '{"productId":"grinder"}' --deadline 500ms
  mesh call --as demo order.WatchOrder '{"orderId":"…"}'     a stream prints one JSON document a line`;
