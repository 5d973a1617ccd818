import type { Usage } from './usage.ts';

export function addToken({ command, output }: Usage): void {
  command('token', 'sign somebody in and print an access token, for grpcurl and other clients; it is good for 5 minutes')
    .requiredOption('--as <name>', 'who: demo, staff, or the mail address of an account, whose password is in MESH_PASSWORD or is asked for')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { as: string }) => {
      const { tokenCommand } = await import('../commands/token.ts');
      await tokenCommand(options.as, output);
    });
}

const EXAMPLES = `
Examples, in which the token stands in no command line that others on this machine see:
  export TOKEN=$(mesh token --as demo)
  grpcurl -plaintext -expand-headers -H 'authorization: Bearer \${TOKEN}' -d '{"user_id":"demo"}' \\
    localhost:50056 shop.order.v1.OrderService/ListOrders
Whoever has the token is that person until it expires.`;
