import type { ConformancePayload, UnaryRequest } from '#proto/connectrpc/conformance/v1/service_pb.js';

/** A request that carries a text. */
export const text = (value: string) => ({ requestData: Buffer.from(value) });
export const textOf = ({ requestData }: Pick<UnaryRequest, 'requestData'>): string => Buffer.from(requestData).toString().trim();

/** An answer that carries a text. */
export const answer = (value: string) => ({ payload: { data: Buffer.from(value) } });
export const answerOf = ({ payload }: { readonly payload?: ConformancePayload | undefined }): string => Buffer.from(payload?.data ?? []).toString().trim();

/** Requests that count what was asked of them, and tell when they are left. Of those without an end a few fill the way to the handler. */
export function requests(count: number, valueOf = (index: number): string => `${index} `.padEnd(count === Infinity ? 4_096 : 0)) {
  const told = { made: 0, left: false };
  async function* make() {
    try {
      while (told.made < count) yield text(valueOf((told.made += 1)));
    } finally {
      told.left = true;
    }
  }
  return { told, stream: make() };
}
