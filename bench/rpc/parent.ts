/** What a program of the benchmark does when it is asked, by the word that asks for it. */
export type Answers = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** What goes to a program: `id` says which answer belongs to which question. */
export interface Question {
  readonly id: number;
  readonly ask: string;
  readonly argument: unknown;
}

/** What comes back: first what the program says of itself, under id 0, then answers. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** CPU that this process has used, in ms. */
async function cpuMs(): Promise<number> {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * In a program that the benchmark started: says that it is ready, answers what it is asked, and `cpuMs` besides, and ends when
 * the benchmark does.
 */
export function answerParent(ready: unknown, given: Answers): void {
  const answers: Answers = { cpuMs, ...given };
  const send = (answer: Answer): void => void process.send?.(answer);
  process.on('message', ({ id, ask, argument }: Question) => {
    const answer = answers[ask];
    if (!answer) return send({ id, error: `this program cannot ${ask}` });
    // The benchmark asks each word with the argument that belongs to it.
    answer(argument as never).then(
      (value) => send({ id, value }),
      (thrown: unknown) => send({ id, error: thrown instanceof Error ? thrown.message : String(thrown) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  // The benchmark may have died while this program started.
  if (!process.connected) process.exit(0);
  send({ id: 0, value: ready });
}
