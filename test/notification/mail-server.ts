import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** What the server does at a step: goes on, answers with this code, or hangs up without a word. */
export type Answer = 'go on' | 'hang up' | number;

type Step = () => Promise<Answer> | Answer;

/** A real SMTP server that does as the test says. */
export interface MailServer {
  readonly port: number;
  /** Mails that it has taken, also those whose sender it never told. */
  readonly taken: readonly ParsedMail[];
  /** Connections that were made. */
  readonly connections: number;
  /** What was said to it, such as `RCPT buyer@example.com`. */
  readonly heard: readonly string[];
  atSender(answer: Step): void;
  atRecipient(answer: Step): void;
  /** When the first of the mail is there. */
  atData(answer: Step): void;
  /** When it has the whole mail: 'hang up' leaves it taken. */
  atEnd(answer: Step): void;
  /** As at the start, with nothing taken. */
  reset(): void;
  stop(): Promise<void>;
}

/** Whoever was sending has gone: there is nobody to answer. */
const hungUp = (): void => {};
const goOn = (): Answer => 'go on';

/** @param port to be the server that was there before */
export async function startMailServer(options: SMTPServerOptions = {}, port = 0): Promise<MailServer> {
  const sockets = new Set<Socket>();
  const taken: ParsedMail[] = [];
  const heard: string[] = [];
  let connections = 0;
  let [atSender, atRecipient, atData, atEnd]: [Step, Step, Step, Step] = [goOn, goOn, goOn, goOn];

  /** Calls back with what the step says, unless that is to hang up. */
  async function answer(step: Step, callback: (error?: Error) => void): Promise<void> {
    const said = await step();
    if (said === 'hang up') for (const socket of sockets) socket.destroy();
    else callback(typeof said === 'number' ? Object.assign(new Error('as the test says, for <buyer@example.com>'), { responseCode: said }) : undefined);
  }

  async function receive(stream: Readable): Promise<Answer> {
    await once(stream, 'readable');
    const first = await atData();
    if (first !== 'go on') return first;
    const mail = await simpleParser(await buffer(stream));
    const last = await atEnd();
    if (typeof last !== 'number') taken.push(mail);
    return last;
  }

  const server = new SMTPServer({
    ...{ authOptional: true, hideSTARTTLS: true, disableReverseLookup: true, logger: false, closeTimeout: 1 },
    onMailFrom({ address }, _session, callback) {
      heard.push(`MAIL ${address}`);
      void answer(atSender, callback);
    },
    onRcptTo({ address }, _session, callback) {
      heard.push(`RCPT ${address}`);
      void answer(atRecipient, callback);
    },
    onData: (stream, _session, callback) => void answer(() => receive(stream), callback).catch(hungUp),
    ...options,
  });
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    // Bound to an address, it is no path.
    port: (server.server.address() as AddressInfo).port,
    taken,
    heard,
    get connections() {
      return connections;
    },
    atSender: (step) => void (atSender = step),
    atRecipient: (step) => void (atRecipient = step),
    atData: (step) => void (atData = step),
    atEnd: (step) => void (atEnd = step),
    reset() {
      [atSender, atRecipient, atData, atEnd] = [goOn, goOn, goOn, goOn];
      taken.length = 0;
      heard.length = 0;
      connections = 0;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}
