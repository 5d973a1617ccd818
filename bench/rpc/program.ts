import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Answer, Question } from './parent.ts';

/** As the shop starts its own processes. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

/** Longer than a program takes to end, and to write its profile. */
const END_WITHIN_MS = 10_000;

/** A program of the benchmark in a process of its own. */
export interface Program<Ready> {
  /** What it said when it was ready, such as its port. */
  readonly ready: Ready;
  /** Rejects with what the program threw, and when it ends before it has answered. */
  ask<T>(ask: string, argument?: unknown): Promise<T>;
  /** Ends it and waits until it has. */
  stop(): Promise<void>;
}

/** Starts `<name>.ts` of this folder; `nodeFlags` come on top of the shop's own. */
export async function startProgram<Ready>(name: string, argument: unknown, nodeFlags: readonly string[] = []): Promise<Program<Ready>> {
  const child = fork(join(import.meta.dirname, `${name}.ts`), [JSON.stringify(argument)], { execArgv: [...NODE_FLAGS, ...nodeFlags] });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let questions = 0;
  const exited = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended while it was measured; see what it wrote above`));
  });
  child.on('message', ({ id, value, error }: Answer) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asker?.resolve(value as never);
    else asker?.reject(new Error(`${name}: ${error}`));
  });
  /** What a program answers to a word is a convention between the two files. */
  const answerTo = <T>(id: number): Promise<T> => new Promise<T>((resolve, reject) => void waiting.set(id, { resolve, reject }));

  async function stop(): Promise<void> {
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    await exited;
    clearTimeout(late);
  }

  return {
    ready: await answerTo<Ready>(0),
    ask<T>(ask: string, asked?: unknown) {
      const question: Question = { id: (questions += 1), ask, argument: asked };
      child.send(question);
      return answerTo<T>(question.id);
    },
    stop,
  };
}
