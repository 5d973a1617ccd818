import type { JsonValue } from '@bufbuild/protobuf';

import type { Policy } from '#discovery';
import { type Log, MeshError } from '#kit';

import { type DocumentKind, documentKey } from './document-key.ts';
import { readJsonObject } from './read-document.ts';
import { parseTarget, type Target } from './target.ts';

/** The documents of one kind as they were understood last, by target such as `order.PlaceOrder`. */
export interface DocumentShelf<T> {
  readonly documents: ReadonlyMap<string, T>;
  /** Takes what the control plane lists now; what is not listed any more is forgotten. */
  put(listed: readonly Policy[]): void;
}

export interface ShelfOptions<T> {
  readonly kind: DocumentKind;
  /** Throws a sentence when it is not one. */
  read(target: Target, json: Readonly<Record<string, JsonValue>>): T;
  readonly log: Log;
}

/**
 * Reads each version of a document once. One that cannot be read is logged once, and the last one of its key that could
 * goes on counting: a slip of an operator's pen takes nothing back.
 */
export function createDocumentShelf<T>({ kind, read, log }: ShelfOptions<T>): DocumentShelf<T> {
  const prefix = documentKey(kind, '');
  const texts = new Map<string, string>();
  const documents = new Map<string, T>();

  function update(target: string, { key, value }: Policy): void {
    if (texts.get(target) === value) return;
    texts.set(target, value);
    try {
      documents.set(target, read(parseTarget(target), readJsonObject(value)));
    } catch (thrown) {
      const { message: why } = MeshError.from(thrown);
      log.warn({ key, why }, `a ${kind} document cannot be used; ${documents.has(target) ? 'the one before it goes on counting' : 'it does not count'}`);
    }
  }

  return {
    documents,
    put(listed) {
      const found = new Map(listed.filter(({ key }) => key.startsWith(prefix)).map((policy) => [policy.key.slice(prefix.length), policy]));
      for (const target of texts.keys()) {
        if (found.has(target)) continue;
        texts.delete(target);
        documents.delete(target);
      }
      for (const [target, policy] of found) update(target, policy);
    },
  };
}
