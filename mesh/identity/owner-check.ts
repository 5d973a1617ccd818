import type { Message } from '@bufbuild/protobuf';

import { MeshError, refusal } from '#kit';

import { isStream, type Reply, type ServerCall, type ServerInterceptor, streamOf } from '../call.ts';
import type { Method } from '../method.ts';
import type { AccessToken } from './access-token.ts';
import type { OwnerRule } from './owner-rule.ts';
import { AskedOwnership } from './ownership.ts';

/** Notes that the call is not its owner's, and says so. */
export type Deny = (call: ServerCall) => MeshError;

/** Lets a call on, of a user whom nothing else lets in, if what it is about belongs to that user. */
export function ownerCheck(rule: OwnerRule, method: Method, deny: Deny): ServerInterceptor {
  switch (rule.kind) {
    case 'request':
      return byRequest(rule, deny);
    case 'response':
      return byResponse(rule, method, deny);
    case 'handler':
      return byHandler(method, deny);
  }
}

function byRequest({ ownerOf }: Extract<OwnerRule, { kind: 'request' }>, deny: Deny): ServerInterceptor {
  return (next) => (call) => {
    const { request } = call;
    // What could not be read is refused by validation, which comes behind.
    if (request instanceof MeshError) return next(call);
    // No stream: the contract was read so.
    return ownerOf(request as Message) === userOf(call).userId ? next(call) : Promise.reject(deny(call));
  };
}

/** What belongs to somebody else is refused in the words in which what there is not is refused: then nobody can find out by trying which ids there are. */
function byResponse({ ownerOf, missing }: Extract<OwnerRule, { kind: 'response' }>, { fullName }: Method, deny: Deny): ServerInterceptor {
  const notThere = (): MeshError =>
    refusal(missing, `there is nothing of yours by this id; check it, and who you are signed in as`, { metadata: { method: fullName } });
  const asNotThere = (thrown: unknown): unknown => (MeshError.from(thrown).code === 'NOT_FOUND' ? notThere() : thrown);
  return (next) => (call) => {
    const { userId } = userOf(call);
    const check = (answer: Message): void => {
      if (ownerOf(answer) === userId) return;
      deny(call);
      throw notThere();
    };
    return next(call).then(
      (reply) => checked(reply, { answer: check, end: () => {}, failure: asNotThere }),
      (thrown: unknown) => {
        throw asNotThere(thrown);
      },
    );
  };
}

function byHandler({ fullName }: Method, deny: Deny): ServerInterceptor {
  return (next) => (call) => {
    const ownership = new AskedOwnership(userOf(call), (missing) => {
      const refused = deny(call);
      return missing ?? refused;
    });
    call.ownership = ownership;
    const asked = (): void => ownership.requireAsked(fullName);
    return next(call).then((reply) => checked(reply, { answer: asked, end: asked, failure: (thrown) => thrown }));
  };
}

interface Checks {
  /** Throws where an answer may not go out. */
  readonly answer: (answer: Message) => void;
  /** Throws where a stream may not end well. */
  readonly end: () => void;
  /** What a stream that fails, fails with. */
  readonly failure: (thrown: unknown) => unknown;
}

function checked(reply: Reply, checks: Checks): Reply {
  if (isStream(reply)) return checkedStream(reply, checks);
  checks.answer(reply);
  return reply;
}

function checkedStream(stream: AsyncIterable<Message>, { answer, end, failure }: Checks): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  const leave = async (): Promise<void> => void (await source.return?.());
  async function pull(): Promise<IteratorResult<Message>> {
    try {
      return await source.next();
    } catch (thrown) {
      throw failure(thrown);
    }
  }
  async function next(): Promise<IteratorResult<Message>> {
    const step = await pull();
    try {
      if (step.done) end();
      else answer(step.value);
      return step;
    } catch (thrown) {
      await leave();
      throw thrown;
    }
  }
  return streamOf(next, leave);
}

/** Whoever is asked whether something is theirs has been verified before. */
function userOf({ user, method }: ServerCall): AccessToken {
  if (user) return user;
  throw new Error(`the owner of ${method.fullName} is asked of a call without a user`);
}
