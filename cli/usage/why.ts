import type { WhyOptions } from '../commands/why.ts';
import type { Usage } from './usage.ts';

export function addWhy({ command, output, warn, finish }: Usage): void {
  command('why <source> <destination>', 'say whether a service may call another, by which intention, and what would change that')
    .option('--path <path>', 'for this path, where <service>.<method> does not name it')
    .option('-H, --header <key:value>', 'for a call with this header; may be given more than once', (value: string, before: readonly string[]) => [...before, value], [])
    .option('--check', 'end with exit code 3 where the answer is no', false)
    .addHelpText('after', EXAMPLES)
    .action(async (source: string, destination: string, options: WhyOptions & { check: boolean }) => {
      const { whyCommand } = await import('../commands/why.ts');
      const allowed = await whyCommand(source, destination, options, output, warn);
      if (options.check && !allowed) finish(DENIED);
    });
}

/** 1 says that the command failed, 2 that it was misused. */
const DENIED = 3;

const EXAMPLES = `
Examples:
  mesh why order payment              every method of the service
  mesh why order payment.Charge
  mesh why order payment.Charge --header x-region:eu --json | jq .allowed
It answers from the intentions as they are now, and asks the instances how many such calls they have refused so far.`;
