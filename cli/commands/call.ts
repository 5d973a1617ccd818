import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

import { parseDurationMs, refusal, systemClock } from '#kit';
import { isModuleName, MODULE_NAMES, type ModuleName } from '#modules';

import { createCaller } from '../calling/caller.ts';
import { invoke } from '../calling/invoke.ts';
import { reflectMethod } from '../calling/reflected-method.ts';
import { settingsOfRunningShop } from '../calling/running-shop.ts';
import type { Output } from '../output.ts';
import { openChannel } from '../serving/control-plane.ts';

export interface CallOptions {
  readonly header: readonly string[];
  readonly deadline: string;
}

/** `mesh call order.PlaceOrder '{…}'`: any method of any service, found through the registry, described by the server. */
export async function callCommand(target: string, body: string | undefined, options: CallOptions, output: Output): Promise<void> {
  const { service, method } = readTarget(target);
  const deadlineMs = readDeadline(options.deadline);
  const headers = options.header.map(readHeader);
  const requestBody = await readBody(body);
  const { settings } = await settingsOfRunningShop();
  const caller = await createCaller(settings);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const channel = openChannel(caller.controlPlane, service);
    const deadline = systemClock.now() + deadlineMs;
    try {
      const reflected = await reflectMethod(channel, method, deadline);
      const answers = invoke({ channel, method: reflected, body: requestBody, headers, deadline, tracer: caller.tracer, signal: interrupted.signal });
      for await (const answer of answers) {
        output.answer(() => JSON.stringify(answer, null, reflected.definition.responseStream ? undefined : 2), answer);
      }
    } finally {
      channel.close();
    }
  } catch (thrown) {
    if (!interrupted.signal.aborted) throw thrown;
  } finally {
    process.off('SIGINT', interrupt);
    await caller.stop();
  }
}

/** `order.PlaceOrder`, or the full name `shop.order.v1.OrderService/PlaceOrder`. */
function readTarget(target: string): { service: ModuleName; method: string } {
  const full = /^shop\.([a-z]+)\.v\d+\.[A-Za-z]+\/[A-Za-z]+$/.exec(target)?.[1];
  if (full && isModuleName(full)) return { service: full, method: target };
  const [service = '', method = ''] = target.split(/\.(.*)/s);
  if (isModuleName(service) && method) return { service, method };
  throw refusal('INVALID_ARGUMENT', `"${target}" is not a method; write it like order.GetOrder (services: ${MODULE_NAMES.join(', ')})`);
}

function readDeadline(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (thrown) {
    throw refusal('INVALID_ARGUMENT', `--deadline: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function readHeader(header: string): readonly [string, string] {
  const colon = header.indexOf(':');
  if (colon > 0) return [header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim()];
  throw refusal('INVALID_ARGUMENT', `"${header}" is not a header; write it like -H key:value`);
}

/** The argument itself, `@file`, or `-` for standard input; nothing is an empty request. */
async function readBody(body: string | undefined): Promise<string> {
  if (body === undefined) return '{}';
  if (body === '-') return text(process.stdin);
  if (!body.startsWith('@')) return body;
  try {
    return readFileSync(body.slice(1), 'utf8');
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', `cannot read the request from ${body.slice(1)}`, { cause });
  }
}
